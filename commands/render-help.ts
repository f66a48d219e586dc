import type { ArgumentSpec, OptionSpec } from "../lib/base/arguments.ts";
import { EXIT_MEANINGS } from "../lib/base/exit-codes.ts";
import type { Paint } from "../lib/base/colors.ts";
import { displayWidth } from "../lib/base/width.ts";
import { type Command, STANDARD_OPTIONS } from "./command.ts";

/** `herd tail [WORKSPACE] INDEX [options]` */
export function usageOf(command: Command): string {
  const words = (command.arguments ?? []).map(argumentWord);
  return ["herd", command.name, ...words, "[options]"].join(" ");
}

/** The help of one command, in lines. */
export function commandHelp(command: Command, paint: Paint): string[] {
  const options = [...(command.options ?? []), ...STANDARD_OPTIONS];
  const lines = [command.summary, "", `${paint.bold("Usage:")} ${usageOf(command)}`];
  if (command.details !== undefined) lines.push("", ...command.details.trim().split("\n"));
  const section = (title: string, rows: readonly (readonly [string, string])[]) => {
    if (rows.length > 0) lines.push("", paint.bold(`${title}:`), ...twoColumns(rows, paint));
  };
  section("Arguments", (command.arguments ?? []).map((one) => [one.name, one.description]));
  section("Options", options.map((one) => [optionWord(one), optionMeaning(one)]));
  section("Examples", (command.examples ?? []).map((one) => [one.line, one.meaning]));
  lines.push("", paint.dim(`Exit codes: ${briefExitCodes()}; see "herd help exit-codes"`));
  return lines;
}

/** Everything that can be typed, grouped. */
export function overview(
  groups: ReadonlyMap<string, readonly Command[]>,
  paint: Paint,
): string[] {
  const lines = [
    "Runs sweeps of trials on a SLURM cluster, or on this machine",
    "",
    `${paint.bold("Usage:")} herd [--host NAME] COMMAND [arguments] [options]`,
  ];
  const widest = Math.max(...[...groups.values()].flat().map((one) => one.name.length));
  for (const [title, commands] of groups) {
    const rows = commands.map((one) => [one.name.padEnd(widest), one.summary] as const);
    lines.push("", paint.bold(`${title}:`), ...twoColumns(rows, paint));
  }
  return [
    ...lines,
    "",
    "--host NAME in front runs the command on that computer, by ssh, with the herd that is there.",
    '"herd COMMAND --help" explains a command, "herd help exit-codes" the exit codes.',
    "Environment: NO_COLOR and FORCE_COLOR for colours, HERD_DEBUG=1 for the details of an error.",
  ];
}

export function exitCodesHelp(paint: Paint): string[] {
  const rows = EXIT_MEANINGS.map(({ code, meaning }) =>
    [String(code).padStart(3), meaning] as const
  );
  return [paint.bold("Exit codes:"), ...twoColumns(rows, paint)];
}

export function optionWord(option: OptionSpec): string {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  const word = option.bare === undefined ? option.value : `[${option.value}]`;
  const value = option.value === undefined ? "" : ` ${word}${option.more ? "..." : ""}`;
  return `${short}--${option.name}${value}`;
}

function argumentWord(argument: ArgumentSpec): string {
  const word = argument.repeatable ? `${argument.name}...` : argument.name;
  return argument.optional ? `[${word}]` : word;
}

function optionMeaning({ description, choices, repeatable }: OptionSpec): string {
  const allowed = choices === undefined ? "" : ` (${choices.join(", ")})`;
  return `${description}${allowed}${repeatable ? "; may be repeated" : ""}`;
}

function briefExitCodes(): string {
  return "0 done, 1 nothing matched or a trial failed, 2 your mistake, 3 refused, " +
    "4 scheduler unreachable, 5 rejected by it, 70 bug";
}

/** A word that is too long for the first column has its meaning on the next line. */
function twoColumns(rows: readonly (readonly [string, string])[], paint: Paint): string[] {
  const width = Math.min(30, Math.max(...rows.map(([word]) => displayWidth(word))));
  return rows.flatMap(([word, meaning]) => {
    const pad = width - displayWidth(word);
    const margin = " ".repeat(width + 4);
    const [first = "", ...rest] = meaning.split("\n");
    const lead = `  ${paint.cyan(word)}`;
    const head = pad >= 0 ? [`${lead}${" ".repeat(pad)}  ${first}`] : [lead, margin + first];
    return [...head.map((line) => line.trimEnd()), ...rest.map((line) => margin + line)];
  });
}
