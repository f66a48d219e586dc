import { quote, readChoice, readItems, wrong } from "../sweep/fields.ts";
import type { Report } from "../sweep/report.ts";
import type { Node } from "../sweep/yaml-node.ts";
import type { BotMode, BotRules, DispatchRules } from "./broker-config.ts";
import { BOT_TURN_LIMITS, DISPATCH_DEFAULTS, RULE_DEFAULTS } from "./broker-defaults.ts";
import { type IdKind, readIdList } from "./read-ids.ts";
import { readBotToken } from "./read-bot-token.ts";
import { openSection, type Section } from "./section.ts";
import type { OrderWords } from "./word-order.ts";

const KEYS = [
  "bot_token",
  "bot_token_env",
  "allowed_channels",
  "allow_all_channels",
  "allowed_users",
  "allow_all_users",
  "allowed_user_roles",
  "allow_bot_messages",
  "trusted_bot_ids",
  "allow_user_messages",
  "allowed_role_ids",
  "allow_dm",
  "max_bot_turns",
  "max_bot_turns_in_window",
  "bot_turn_window",
  "message_processing_mode",
  "max_buffered_messages",
  "max_batch_tokens",
  "stop_words",
  "reset_words",
] as const;
const BOT_MODES = ["off", "mentions", "all"] as const;
/** The other spellings of OpenAB. */
const BOT_MODE_OF: Readonly<Record<string, BotMode>> = { none: "off", false: "off", true: "all" };
const USER_MODES = ["involved", "mentions", "multibot-mentions"] as const;
const DISPATCH_MODES = ["per-message", "per-thread", "per-lane"] as const;

type Keys = typeof KEYS[number];

export interface DiscordPart {
  /** Undefined: not told, or not readable. */
  token: { env: string } | { text: string } | undefined;
  rules: BotRules;
  dispatch: DispatchRules;
}

/** The section `discord` of a bot. `owner` is where to point at when there is none. */
export function readBrokerRules(node: Node | undefined, owner: Node, report: Report): DiscordPart {
  const section = openSection(node, KEYS, report);
  if (section === undefined) {
    if (node === undefined) sayNobody(owner, RULE_DEFAULTS, report);
    return { token: undefined, rules: RULE_DEFAULTS, dispatch: DISPATCH_DEFAULTS };
  }
  const rules: BotRules = {
    channels: readAllowed(section, "channels", report),
    users: readAllowed(section, "users", report),
    userRoles: readList(section, "allowed_user_roles", "role", report),
    botMessages: section.read("allow_bot_messages", readBotMode, RULE_DEFAULTS.botMessages),
    trustedBots: readList(section, "trusted_bot_ids", "user", report),
    userMessages: section.choice("allow_user_messages", USER_MODES, RULE_DEFAULTS.userMessages),
    triggerRoles: readList(section, "allowed_role_ids", "role", report),
    directMessages: section.yes("allow_dm", RULE_DEFAULTS.directMessages),
    botTurns: {
      // Below the hard limit, so that each of the two has its own moment.
      soft: section.whole(
        "max_bot_turns",
        { least: 1, most: BOT_TURN_LIMITS.hard - 1 },
        BOT_TURN_LIMITS.soft,
      ),
      hard: BOT_TURN_LIMITS.hard,
      window: section.whole(
        "max_bot_turns_in_window",
        { least: 1, most: BOT_TURN_LIMITS.hard },
        BOT_TURN_LIMITS.window,
      ),
      windowMs: section.span(
        "bot_turn_window",
        { least: 1, most: 86_400 },
        BOT_TURN_LIMITS.windowMs,
      ),
    },
  };
  sayNobody(node ?? owner, rules, report);
  checkBotMode(section, rules, report);
  return {
    token: readBotToken(section.fields, report),
    rules,
    dispatch: readDispatch(section, report),
  };
}

/** The explicit word wins over the list; without either nobody is let in. */
function readAllowed(
  section: Section<Keys>,
  what: "channels" | "users",
  report: Report,
): readonly string[] | "all" {
  const listed = readList(
    section,
    `allowed_${what}`,
    what === "users" ? "user" : "channel",
    report,
  );
  const list = section.at(`allowed_${what}`);
  const all = section.yes(`allow_all_${what}`, false);
  if (!all) return listed;
  if (listed.length > 0 && list !== undefined) {
    report.notice(list, `Left ${list.path} aside: allow_all_${what} is true`);
  }
  return "all";
}

function readList(
  section: Section<Keys>,
  key: Keys,
  kind: IdKind,
  report: Report,
): readonly string[] {
  return section.read(key, (value) => readIdList(value, kind, report), []);
}

function readBotMode(node: Node, report: Report): BotMode | undefined {
  const text = node.kind === "scalar" ? node.text : "";
  const other = Object.hasOwn(BOT_MODE_OF, text) ? BOT_MODE_OF[text] : undefined;
  return other ?? readChoice(node, BOT_MODES, report);
}

function readDispatch(section: Section<Keys>, report: Report): DispatchRules {
  return {
    mode: section.choice("message_processing_mode", DISPATCH_MODES, DISPATCH_DEFAULTS.mode),
    mostMessages: section.whole(
      "max_buffered_messages",
      { least: 1, most: 1000 },
      DISPATCH_DEFAULTS.mostMessages,
    ),
    mostTokens: section.whole(
      "max_batch_tokens",
      { least: 1, most: 1_000_000 },
      DISPATCH_DEFAULTS.mostTokens,
    ),
    words: readOrderWords(section, report),
  };
}

function readOrderWords(section: Section<Keys>, report: Report): OrderWords {
  const { stop, reset } = DISPATCH_DEFAULTS.words;
  const words = {
    stop: section.read("stop_words", readWordList, stop),
    reset: section.read("reset_words", readWordList, reset),
  };
  const both = words.reset.find((one) => words.stop.includes(one));
  const at = section.at("reset_words");
  if (both !== undefined && at !== undefined) {
    report.mistake(at, `Cannot use ${quote(both)} in ${at.path}: it is in "stop_words", too`);
  }
  return words;
}

/** In small letters, as they are compared; a sentence would never be met. */
function readWordList(node: Node, report: Report): readonly string[] | undefined {
  const items = readItems(node, report, 'words such as ["stop", "halt"]');
  const words = items?.map((item) => {
    const text = item.kind === "scalar" ? item.text.trim().toLowerCase() : "";
    return /^[\p{L}\p{N}][\p{L}\p{N}_-]{0,29}$/u.test(text)
      ? text
      : wrong(item, report, "a single word of letters and digits, at most 30 characters");
  });
  return words?.filter((one) => one !== undefined);
}

/** Closed by default is safe, and looks like a bot that is dead. */
function sayNobody(
  node: Node,
  { channels, users, userRoles, directMessages }: BotRules,
  report: Report,
) {
  const at = node.kind === "mapping" ? node.head : node;
  if (channels.length === 0) {
    const where = directMessages ? "in direct messages only" : "nowhere";
    report.notice(
      at,
      `The bot answers ${where}: list channels in "allowed_channels", or write "allow_all_channels: true"`,
    );
  }
  if (users.length === 0 && userRoles.length === 0) {
    report.notice(
      at,
      'The bot answers nobody: list people in "allowed_users" or "allowed_user_roles", ' +
        'or write "allow_all_users: true"',
    );
  }
}

function checkBotMode(section: Section<Keys>, rules: BotRules, report: Report): void {
  const mode = section.at("allow_bot_messages");
  if (mode === undefined || rules.botMessages !== "all") return;
  const trusted = section.at("trusted_bot_ids");
  if (trusted === undefined || (trusted.kind === "list" && trusted.items.length === 0)) {
    report.mistake(
      mode,
      `Cannot use "all" in ${mode.path} without bots in "trusted_bot_ids": ` +
        "any bot that somebody invites would be answered",
      'Name the bots, or use "mentions"',
    );
  } else if (rules.userMessages !== "involved") {
    report.notice(
      mode,
      `${mode.path} is "all", but "${rules.userMessages}" wants a mention among bots: ` +
        'use "allow_user_messages: involved" if bots are to be answered without one',
    );
  }
}
