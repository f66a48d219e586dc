import { AS_WRITTEN_KEYS, VARIABLE } from "../sweep/expand-variables.ts";
import { BOT_TOKEN_VARIABLE, BOT_TURN_LIMITS } from "./broker-defaults.ts";
import { openabCron, openabReactions, openabSpeech } from "./openab-sections.ts";
import type { OpenabBot } from "./openab-source.ts";
import { createTaking, type Taking } from "./openab-taking.ts";
import type { Tree } from "./openab-tree.ts";

export type Branch = { readonly [key: string]: Tree | undefined };

const BOT_MODES: Readonly<Record<string, string>> = {
  off: "off",
  none: "off",
  false: "off",
  mentions: "mentions",
  all: "all",
  true: "all",
};
/** OpenAB's own defaults where herd's are others: an imported bot behaves as before. */
const THEIRS = { userMessages: "involved", processing: "per-message" };
/** What an agent of OpenAB always had, and needs for its login. */
const ALWAYS_PASSED = ["HOME"];

/** One bot of herd's configuration, and the words about what is different. */
export function convertBot(
  { name, sections }: OpenabBot,
  tokenVariable: string | undefined,
  notices: string[],
): Branch {
  const taking = createTaking(sections, "", name);
  const say = (text: string) => void notices.push(`${name}: ${text}`);
  const pool = taking.section("pool");
  const markdown = taking.section("markdown");
  const instructions = taking.text("agents_md");
  const isOff = taking.yes("enabled") === false;
  const discord = taking.section("discord");
  const isAway = discord.yes("enabled") === false;
  const bot: Branch = {
    ...(isOff || isAway ? { enabled: false } : {}),
    discord: convertDiscord(discord, tokenVariable, say),
    ...convertAgent(taking.section("agent"), say),
    instructions,
    pool: {
      max_sessions: pool.number("max_sessions", { least: 1, most: 1000 }),
      session_ttl_hours: pool.number("session_ttl_hours", { least: 0.01, most: 8760 }),
    },
    reactions: openabReactions(taking.section("reactions"), say),
    stt: openabSpeech(taking.section("stt"), say),
    markdown: { tables: markdown.text("tables") },
    cron: openabCron(taking, say),
  };
  sayLeftOut(taking, say);
  const wanted = variablesIn(bot).filter((one) => !ALWAYS_PASSED.includes(one));
  if (wanted.length > 0) {
    say(
      `Set where herd runs, or in .env beside its configuration: ${wanted.join(", ")}; ` +
        "one that is not set is a mistake in herd, not an empty text",
    );
  }
  return bot;
}

/** Those that herd puts in, and those that it hands on or looks up by name. */
function variablesIn(tree: Tree | undefined, key = ""): string[] {
  if (AS_WRITTEN_KEYS.includes(key) || tree === undefined) return [];
  if (typeof tree === "string") {
    return key === "env" || key === "api_key_env"
      ? [tree]
      : [...tree.matchAll(VARIABLE)].map(([, name]) => name!);
  }
  if (typeof tree !== "object") return [];
  const inner = Array.isArray(tree)
    ? tree.map((item: Tree) => [key, item] as const)
    : Object.entries(tree);
  return [...new Set(inner.flatMap(([name, member]) => variablesIn(member, name)))];
}

function convertDiscord(
  taking: Taking,
  tokenVariable: string | undefined,
  say: (text: string) => void,
): Branch {
  const trusted = taking.ids("trusted_bot_ids");
  const turns = taking.number("max_bot_turns", { least: 1, most: 1e9 });
  const most = BOT_TURN_LIMITS.hard - 1;
  if (turns !== undefined && turns > most) say(`Took ${most} for max_bot_turns: it is the most`);
  return {
    bot_token: convertToken(taking.text("bot_token"), tokenVariable, say),
    ...convertAllowed(taking, "channels"),
    ...convertAllowed(taking, "users"),
    allow_bot_messages: convertBotMode(taking, trusted, say),
    trusted_bot_ids: trusted.length === 0 ? undefined : trusted,
    allow_user_messages: taking.text("allow_user_messages") ?? THEIRS.userMessages,
    allowed_role_ids: nonEmpty(taking.ids("allowed_role_ids")),
    allow_dm: taking.yes("allow_dm"),
    max_bot_turns: turns === undefined ? undefined : Math.min(turns, most),
    message_processing_mode: taking.text("message_processing_mode") ?? THEIRS.processing,
    max_buffered_messages: taking.number("max_buffered_messages", { least: 1, most: 1000 }),
    max_batch_tokens: taking.number("max_batch_tokens", { least: 1, most: 1_000_000 }),
  };
}

/** The token itself is never copied. */
function convertToken(
  token: string | undefined,
  variable: string | undefined,
  say: (text: string) => void,
): string {
  const own = token !== undefined && /^\$\{[A-Za-z_]\w*\}$/.test(token) ? token : undefined;
  const wanted = variable === undefined ? own : `\${${variable}}`;
  if (wanted !== undefined && wanted === own) return own;
  const made = wanted ?? `\${${BOT_TOKEN_VARIABLE}}`;
  const why = own === undefined
    ? "tokens are not copied"
    : `${own.slice(2, -1)} is the variable of another bot, too, and in herd each has its own`;
  say(`Put the bot's token into the variable ${made.slice(2, -1)}: ${why}`);
  return made;
}

/** There an empty list means everybody; here that has to be said. */
function convertAllowed(taking: Taking, what: "channels" | "users"): Branch {
  const listed = taking.ids(`allowed_${what}`);
  const told = taking.yes(`allow_all_${what}`);
  const all = told ?? listed.length === 0;
  return {
    [`allow_all_${what}`]: all ? true : undefined,
    [`allowed_${what}`]: all ? undefined : listed,
  };
}

function convertBotMode(
  taking: Taking,
  trusted: readonly string[],
  say: (text: string) => void,
): string | undefined {
  const key = "allow_bot_messages";
  if (!taking.has(key)) return undefined;
  const flag = isFlag(taking, key);
  const told = flag ?? taking.text(key)?.toLowerCase() ?? "off";
  const mode = Object.hasOwn(BOT_MODES, told) ? BOT_MODES[told]! : undefined;
  if (mode === undefined) {
    say(`Left out ${key}: herd knows "off", "mentions" and "all"`);
    return undefined;
  }
  if (mode !== "all" || trusted.length > 0) return mode;
  say(`Took "mentions" for ${key}: "all" needs the bots in trusted_bot_ids`);
  return "mentions";
}

/** YAML makes a boolean of `off`. */
function isFlag(taking: Taking, key: string): string | undefined {
  try {
    const flag = taking.yes(key);
    return flag === undefined ? undefined : `${flag}`;
  } catch {
    return undefined;
  }
}

function convertAgent(taking: Taking, say: (text: string) => void): Branch {
  const command = taking.text("command");
  const args = taking.texts("args");
  const folder = taking.text("working_dir");
  const env = convertEnv(taking, say);
  if (args.some((arg) => /trust-all|yolo|dangerously|allow-all/i.test(arg))) {
    say(
      "An argument of the agent lets it use all tools unasked: without it, herd asks by its section permissions",
    );
  } else {
    say(
      "herd asks people before an agent changes something; OpenAB allowed everything (see permissions)",
    );
  }
  const kept = folder === undefined || /^(\/|\$\{)/.test(folder) ? folder : undefined;
  if (kept !== folder) say("Left out agent.working_dir: herd wants an absolute path");
  say("The agent is not confined, as before: workspace.sandbox can change that");
  const workspace = { working_dir: kept, per_thread: kept === undefined ? undefined : false };
  if (command === undefined) {
    say('Left out the agent: there is no "agent.command", so name one in "agent"');
    return { workspace: { ...workspace, sandbox: "none" } };
  }
  return {
    agent: { kind: "acp", command: [command, ...args], env },
    workspace: { ...workspace, sandbox: "none" },
  };
}

/** herd hands variables on by name: their values have no place in the file. */
function convertEnv(taking: Taking, say: (text: string) => void): string[] {
  const inherited = taking.texts("inherit_env");
  const section = taking.section("env");
  const named: string[] = [];
  for (const path of section.left()) {
    const key = path.slice("agent.env.".length);
    const value = section.text(key);
    if (!/^[A-Za-z_]\w*$/.test(key)) continue;
    named.push(key);
    if (value !== `\${${key}}`) {
      say(`Put the value of agent.env.${key} into the variable ${key}: values are not copied`);
    }
  }
  return [...new Set([...ALWAYS_PASSED, ...inherited, ...named])]
    .filter((one) => /^[A-Za-z_]\w*$/.test(one) && one !== "PATH");
}

function sayLeftOut(taking: Taking, say: (text: string) => void): void {
  const keys = taking.left().filter((key) => /^[\w.[\]-]{1,100}$/.test(key));
  const shown = keys.slice(0, 30);
  const more = keys.length - shown.length;
  if (shown.length === 0) return;
  say(
    `Left out what herd has no use for: ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`,
  );
}

function nonEmpty(ids: readonly string[]): readonly string[] | undefined {
  return ids.length === 0 ? undefined : ids;
}
