import { type OptionSpec, parseArguments } from "../lib/base/arguments.ts";
import { UserError } from "../lib/base/errors.ts";
import { type Context, STANDARD_OPTIONS } from "./command.ts";
import { loadCommand, showCommand } from "./help.ts";
import { hostOf, runThereCommand } from "./run-there.ts";

/** What the process gives to whichever command runs. */
export type Surroundings = Pick<
  Context,
  "out" | "log" | "env" | "cwd" | "clock" | "signal" | "table"
>;

/** Words that stand for a command where the command would stand. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["--help", "help"],
  ["-h", "help"],
  ["--version", "version"],
  ["-V", "version"],
]);

/** Runs what a command line says and resolves to the exit code; throws what `explain` knows. */
export async function dispatch(
  argv: readonly string[],
  surroundings: Surroundings,
): Promise<number> {
  const elsewhere = hostOf(argv);
  if (elsewhere !== undefined) {
    return await runThereCommand(elsewhere.host, elsewhere.words, surroundings);
  }
  const [first, ...rest] = argv;
  if (first === undefined) {
    throw new UserError("No command was given", { hint: '"herd help" lists them' });
  }
  const command = await loadCommand(surroundings.table, ALIASES.get(first) ?? first);
  const options: readonly OptionSpec[] = [...(command.options ?? []), ...STANDARD_OPTIONS];
  if (asksForHelp(rest)) {
    // Help is for whoever has not got the rest of the line right yet, so it is not parsed.
    showCommand(command, { out: surroundings.out, json: rest.includes("--json") });
    return 0;
  }
  const grammar = { command: `herd ${command.name}`, options, arguments: command.arguments ?? [] };
  const { values, positionals } = parseArguments(rest, grammar, surroundings.cwd);
  const json = values["json"] === true;
  return await command.run({ ...surroundings, values, positionals, json });
}

function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  const options = end < 0 ? argv : argv.slice(0, end);
  return options.includes("--help") || options.includes("-h");
}
