import { SLASH } from "../slash/table.ts";
import type { SlashArgument, SlashCommand } from "../slash/table.ts";
import type { CommandDefinition, CommandOption } from "./command-definition.ts";

/** Aliases that the user page or older habits name; others would only fill the list. */
const NAMED_ALIASES = ["shutdown", "stop_all"];

/** Discord's own: a picture is nothing for a terminal. */
export const PLOT: CommandDefinition = {
  name: "plot",
  description: "A picture of a metric: curves, best so far, against a parameter",
  options: [
    text("metric", "The metric's name", { required: true, autocomplete: true }),
    {
      ...text("kind", "What to draw; curves when left out"),
      choices: [
        { name: "curves by trial", value: "curves" },
        { name: "best so far", value: "best" },
        { name: "against a parameter", value: "parameter" },
        { name: "parallel coordinates", value: "parallel" },
      ],
    },
    text("trials", "Only these: 3 or 0,3,7-9", { autocomplete: true }),
    text("parameter", "Which parameter, for kind: parameter", { autocomplete: true }),
    {
      name: "smooth",
      description: "Mean over so many points before each",
      type: "whole",
      required: false,
      least: 0,
      most: 1000,
    },
    {
      ...text("theme", "dark when left out"),
      choices: [{ name: "dark", value: "dark" }, { name: "light", value: "light" }],
    },
  ],
};

/** As well: the terminal has no threads. */
export const THREAD: CommandDefinition = {
  name: "thread",
  description: "Opens the thread of a trial, with the end of its log and its curve",
  options: [{
    name: "index",
    description: "The trial",
    type: "whole",
    required: true,
    least: 0,
    autocomplete: true,
  }],
};

/** As well: the answer comes into the trial's thread. */
export const LOOK: CommandDefinition = {
  name: "look",
  description:
    "Lets an agent of the pool look at a trial, with its logs, metrics and configuration",
  options: [
    {
      name: "trial",
      description: "The trial",
      type: "whole",
      required: true,
      least: 0,
      autocomplete: true,
    },
    { ...text("text", "What is asked; why it failed when left out"), longest: 2_000 },
  ],
};

/** All commands of a server, as it is told of them in one call. */
export function slashDefinitions(): readonly CommandDefinition[] {
  const all = SLASH.flatMap((command) => {
    const names = [
      command.name,
      ...(command.aliases ?? []).filter((name) => NAMED_ALIASES.includes(name)),
    ];
    return names.map((name) => definitionOf(name, command));
  });
  return [...all, PLOT, THREAD, LOOK];
}

function definitionOf(name: string, { summary, arguments: args }: SlashCommand): CommandDefinition {
  const options = args.map(optionOf);
  // Discord wants the required ones first.
  const ordered = [...options].sort((a, b) => Number(b.required) - Number(a.required));
  return { name, description: summary.slice(0, 100), options: ordered };
}

function optionOf({ name, kind, optional, description, choices }: SlashArgument): CommandOption {
  const base = { name, description: description.slice(0, 100), required: optional !== true };
  switch (kind) {
    case "index":
      return { ...base, type: "whole", least: 0, autocomplete: true };
    case "indices":
      return { ...base, type: "text", autocomplete: true, longest: 200 };
    case "lines":
      return { ...base, type: "whole", least: 1, most: 1000 };
    case "page":
      return { ...base, type: "whole", least: 1 };
    default:
      return choices === undefined
        ? {
          ...base,
          type: "text",
          longest: 300,
          ...(completes(name) ? { autocomplete: true } : {}),
        }
        : { ...base, type: "text", choices: choices.map((one) => ({ name: one, value: one })) };
  }
}

function completes(name: string): boolean {
  return name === "metric" || name === "id";
}

function text(
  name: string,
  description: string,
  more: Partial<CommandOption> = {},
): CommandOption {
  return { name, description, type: "text", required: false, ...more };
}
