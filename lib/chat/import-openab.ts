import { UserError } from "../base/errors.ts";
import { BOT_TOKEN_VARIABLE } from "./broker-defaults.ts";
import { type Branch, convertBot } from "./openab-bot.ts";
import { type OpenabBot, readOpenabFile } from "./openab-source.ts";
import { treeLines } from "./openab-tree.ts";

/**
 * The section `broker` of herd's configuration from configurations of OpenAB: its `config.toml`, one
 * for each bot, or a values file of its Helm chart. Each bot behaves as it did, and the notices say
 * what is left out or different. No secret is copied: tokens and keys become names of variables.
 * Throws UserError when a text is not such a file; no part of it is shown.
 */
export function importOpenab(
  files: readonly { name: string; text: string }[],
): { yaml: string; notices: string[] } {
  const bots = named(files.flatMap(readOpenabFile));
  const [first, second] = bots;
  if (first === undefined) throw new UserError("Cannot import from OpenAB: there is no bot in it");
  const notices: string[] = [];
  if (second === undefined) {
    const broker = convertBot(first, undefined, notices);
    return { yaml: text({ broker }), notices };
  }
  const shared = sharedVariables(bots);
  const used = new Set(bots.map(tokenOf).filter((token) => !shared.has(token)));
  const converted = bots.map((bot) => {
    const variable = shared.has(tokenOf(bot)) ? variableFor(bot.name, used) : undefined;
    return [bot.name, convertBot(bot, variable, notices)] as const;
  });
  return { yaml: text({ broker: { bots: Object.fromEntries(converted) } }), notices };
}

/** Two files may have one name in two folders. */
function named(bots: readonly OpenabBot[]): OpenabBot[] {
  const used = new Set<string>();
  return bots.map((bot) => {
    let name = bot.name;
    for (let n = 2; used.has(name); n++) name = `${bot.name}-${n}`;
    used.add(name);
    return { ...bot, name };
  });
}

/** Each bot was a process with variables of its own; in one process two of them must differ. */
function sharedVariables(bots: readonly OpenabBot[]): ReadonlySet<string> {
  const tokens = bots.map(tokenOf);
  return new Set(tokens.filter((token, i) => tokens.indexOf(token) !== i || token === ""));
}

/** As `${NAME}`; empty when it is none, or a token itself. */
function tokenOf({ sections }: OpenabBot): string {
  const discord = sections["discord"] as { bot_token?: unknown } | undefined;
  const token = `${discord?.bot_token ?? ""}`;
  return /^\$\{[A-Za-z_]\w*\}$/.test(token) ? token : "";
}

/** Bots of two names may be written alike; `used` has it from then on. */
function variableFor(name: string, used: Set<string>): string {
  const usual = `${BOT_TOKEN_VARIABLE}_${name.toUpperCase().replace(/[^A-Z0-9]+/g, "_")}`;
  let variable = usual;
  for (let n = 2; used.has(`\${${variable}}`); n++) variable = `${usual}_${n}`;
  used.add(`\${${variable}}`);
  return variable;
}

function text(tree: Branch): string {
  return `${treeLines(tree).join("\n")}\n`;
}
