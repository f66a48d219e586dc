import type { CommandDefinition, CommandOption, Subcommand } from "./command-definition.ts";

const CHAT_INPUT = 1;
const SUBCOMMAND = 1;
/** On a server, and in direct messages with the bot. */
const IN_GUILDS = 0;
const IN_BOT_DM = 1;
const OPTION_TYPES = {
  text: 3,
  whole: 4,
  "yes-no": 5,
  user: 6,
  number: 10,
  attachment: 11,
} as const;

/** A slash command in Discord's JSON. */
export function writeCommand(
  { name, description, options, subcommands, direct }: CommandDefinition,
): unknown {
  return {
    type: CHAT_INPUT,
    name,
    description,
    contexts: [direct === true ? IN_BOT_DM : IN_GUILDS],
    options: subcommands === undefined ? writeOptions(options) : subcommands.map(writeSubcommand),
  };
}

function writeSubcommand({ name, description, options }: Subcommand): unknown {
  return { type: SUBCOMMAND, name, description, options: writeOptions(options) };
}

function writeOptions(options: readonly CommandOption[]): unknown[] {
  // Discord refuses the whole set when an optional option comes before a required one.
  return [...options].sort((a, b) => Number(b.required) - Number(a.required)).map(writeOption);
}

function writeOption(option: CommandOption): unknown {
  const { name, description, type, required, autocomplete, choices, least, most, longest } = option;
  const counts = type === "whole" || type === "number";
  return {
    type: OPTION_TYPES[type],
    name,
    description,
    required,
    ...(autocomplete === true && choices === undefined ? { autocomplete } : {}),
    ...(choices === undefined ? {} : { choices }),
    ...(counts && least !== undefined ? { min_value: least } : {}),
    ...(counts && most !== undefined ? { max_value: most } : {}),
    ...(type === "text" && longest !== undefined ? { max_length: longest } : {}),
  };
}
