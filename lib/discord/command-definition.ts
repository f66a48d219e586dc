/** A slash command as Discord is told of it. */
export interface CommandDefinition {
  /** Lower case, at most 32 characters. */
  name: string;
  /** At most 100 characters. */
  description: string;
  options: readonly CommandOption[];
  /** Only in direct messages with the bot; else only on servers. */
  direct?: boolean;
  /** `/task list`: then the command has no options of its own. At most 25. */
  subcommands?: readonly Subcommand[];
}

export interface Subcommand {
  name: string;
  description: string;
  options: readonly CommandOption[];
}

export interface CommandOption {
  name: string;
  description: string;
  type: "text" | "whole" | "number" | "yes-no" | "user" | "attachment";
  required: boolean;
  /** Asked while the person types; not beside `choices`. */
  autocomplete?: boolean;
  /** At most 25. */
  choices?: readonly { name: string; value: string | number }[];
  least?: number;
  most?: number;
  longest?: number;
}
