/**
 * deno task docs            writes into docs/commands.md what the commands say of themselves
 * deno task docs --check    says whether that is done, and changes nothing
 *
 * Between `<!-- generated: NAME -->` and `<!-- end -->` stands what is made from
 * the table of commands; all else is written by hand and left alone.
 */
import { type Command, type Entry } from "../commands/command.ts";
import { usageOf } from "../commands/render-help.ts";
import { TABLE } from "../commands/table.ts";
import type { ArgumentSpec, OptionSpec } from "../lib/base/arguments.ts";
import { EXIT_MEANINGS } from "../lib/base/exit-codes.ts";
import { ROOT } from "./setup.ts";

export const COMMANDS_PAGE = `${ROOT}docs/commands.md`;

const BLOCK = /(<!-- generated: (.+?) -->\n)[^]*?(<!-- end -->)/g;

/** Every block that the page must have, by name. */
export async function blocks(table: readonly Entry[] = TABLE): Promise<Map<string, string>> {
  const shown = table.filter(({ hidden }) => !hidden);
  const commands = await Promise.all(
    shown.map(async ({ group, load }) => ({ group, command: (await load()).command })),
  );
  const made = new Map([
    ["commands", overview(commands)],
    ["exit-codes", exitCodes()],
  ]);
  for (const { command } of commands) made.set(`herd ${command.name}`, describe(command));
  return made;
}

/** The page with its blocks made anew. Throws when one is missing, unknown or there twice. */
export function withBlocks(page: string, made: ReadonlyMap<string, string>): string {
  const found = [...page.matchAll(BLOCK)].map((match) => match[2]!);
  const missing = [...made.keys()].filter((name) => !found.includes(name));
  const odd = found.filter((name, i) => !made.has(name) || found.indexOf(name) !== i);
  if (missing.length > 0) throw new Error(`The page has no block "${missing.join('", "')}"`);
  if (odd.length > 0) throw new Error(`The page has a block "${odd.join('", "')}" too much`);
  return page.replace(BLOCK, (_, head: string, name: string, tail: string) => {
    return `${head}${made.get(name)!}\n${tail}`;
  });
}

function overview(commands: readonly { group: string; command: Command }[]): string {
  const rows = commands.map(({ group, command: { name, summary } }) =>
    row([`[\`${name}\`](#herd-${name})`, cell(summary), group])
  );
  return [row(["Command", "What it does", "Group"]), row(["---", "---", "---"]), ...rows]
    .join("\n");
}

function exitCodes(): string {
  const rows = EXIT_MEANINGS.map(({ code, meaning }) => row([`${code}`, cell(meaning)]));
  return [row(["Code", "Meaning"]), row(["---", "---"]), ...rows].join("\n");
}

/** How one command is called: usage, what may be given, examples. */
function describe(command: Command): string {
  const { arguments: positional = [], options = [], examples = [] } = command;
  const given = [...positional.map(argumentRow), ...options.map(optionRow)];
  const table = given.length === 0
    ? []
    : ["", row(["Given", "Meaning"]), row(["---", "---"]), ...given];
  const width = Math.min(44, Math.max(0, ...examples.map(({ line }) => line.length)));
  const lines = examples.map(({ line, meaning }) => `${line.padEnd(width)}  # ${meaning}`);
  const shown = lines.length === 0 ? [] : ["", "```sh", ...lines, "```"];
  return [`\`${usageOf(command)}\``, ...table, ...shown].join("\n");
}

function argumentRow({ name, description }: ArgumentSpec): string {
  return row([`\`${name}\``, cell(description)]);
}

function optionRow(option: OptionSpec): string {
  const { name, short, value, bare, more, choices, repeatable, description } = option;
  const shown = value === undefined
    ? ""
    : ` ${bare === undefined ? value : `[${value}]`}${more === undefined ? "" : "…"}`;
  const words = short === undefined ? [] : [`\`-${short}\``];
  const allowed = choices === undefined
    ? ""
    : ` (${choices.map((one) => `\`${one}\``).join(", ")})`;
  const again = repeatable === true ? "; may be repeated" : "";
  return row([
    [...words, `\`--${name}${shown}\``].join(", "),
    `${cell(description)}${allowed}${again}`,
  ]);
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

if (import.meta.main) {
  const page = await Deno.readTextFile(COMMANDS_PAGE);
  const made = withBlocks(page, await blocks());
  if (!Deno.args.includes("--check")) await Deno.writeTextFile(COMMANDS_PAGE, made);
  else if (made !== page) {
    console.error("docs/commands.md is not what the commands say of themselves: deno task docs");
    Deno.exit(1);
  }
}
