import { UserError } from "../lib/base/errors.ts";
import { EXIT_MEANINGS } from "../lib/base/exit-codes.ts";
import { nearest } from "../lib/base/text.ts";
import {
  type Command,
  type Context,
  defineCommand,
  type Entry,
  STANDARD_OPTIONS,
} from "./command.ts";
import { commandHelp, exitCodesHelp, overview, usageOf } from "./render-help.ts";

const EXIT_CODES = "exit-codes";

/** Commands of HyperHerd's that are still to come. */
const NOT_YET = new Set(["dog"]);

export const command = defineCommand({
  name: "help",
  summary: "Explain a command, or list them all",
  arguments: [{
    name: "COMMAND",
    optional: true,
    description: "A command, or exit-codes; without it all commands are listed",
  }],
  examples: [
    { line: "herd help run", meaning: "All options of run" },
    { line: "herd help exit-codes", meaning: "What the exit codes mean" },
  ],
  async run(context) {
    const [topic] = context.positionals;
    if (topic === EXIT_CODES) showExitCodes(context);
    else if (topic === undefined) await showOverview(context);
    else showCommand(await loadCommand(context.table, topic), context);
    return 0;
  },
});

/** The command of that name; UserError naming the nearest one when there is none. */
export async function loadCommand(table: readonly Entry[], name: string): Promise<Command> {
  const entry = table.find((one) => one.name === name);
  if (entry !== undefined) return (await entry.load()).command;
  if (NOT_YET.has(name)) {
    throw new UserError(`Unknown command "${name}"`, {
      hint: `HyperHerd's "${name}" is not part of this version of herd yet; see "herd help"`,
    });
  }
  const near = nearest(name, table.filter((one) => !one.hidden).map((one) => one.name));
  throw new UserError(`Unknown command "${name}"`, {
    hint: near === undefined ? 'See "herd help"' : `Did you mean "herd ${near}"? See "herd help"`,
  });
}

/** Shows what `herd NAME --help` shows. */
export function showCommand(one: Command, { out, json }: Pick<Context, "out" | "json">): void {
  if (json) out.json(describe(one));
  else out.print(commandHelp(one, out.paint).join("\n"));
}

async function showOverview({ out, json, table }: Context): Promise<void> {
  const groups = new Map<string, Command[]>();
  for (const { group, hidden, load } of table) {
    if (hidden) continue;
    const { command: one } = await load();
    groups.set(group, [...(groups.get(group) ?? []), one]);
  }
  if (json) out.json({ commands: [...groups.values()].flat().map(describe) });
  else out.print(overview(groups, out.paint).join("\n"));
}

function showExitCodes({ out, json }: Context): void {
  if (json) out.json({ exit_codes: EXIT_MEANINGS });
  else out.print(exitCodesHelp(out.paint).join("\n"));
}

function describe(one: Command): Record<string, unknown> {
  const { name, summary, details, examples = [] } = one;
  const options = [...(one.options ?? []), ...STANDARD_OPTIONS];
  return {
    name,
    summary,
    usage: usageOf(one),
    details: details ?? null,
    arguments: one.arguments ?? [],
    options,
    examples,
  };
}
