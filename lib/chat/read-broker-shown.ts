import { readChoice, wrong } from "../sweep/fields.ts";
import type { Report } from "../sweep/report.ts";
import type { Node } from "../sweep/yaml-node.ts";
import type { AnswerRules, EmojiName, ReactionRules } from "./broker-config.ts";
import { ANSWER_DEFAULTS, REACTION_DEFAULTS } from "./broker-defaults.ts";
import { openSection } from "./section.ts";

const REACTION_KEYS = [
  "enabled",
  "remove_after_reply",
  "tool_display",
  "emojis",
  "timing",
] as const;
const TIMING_KEYS = [
  "debounce_ms",
  "stall_soft_ms",
  "stall_hard_ms",
  "done_hold_ms",
  "error_hold_ms",
] as const;
const DISPLAYS = ["full", "compact", "none"] as const;
/** The other spellings of OpenAB. */
const HIDDEN = ["off", "hidden"];
const STREAMING = ["auto", "on", "off"] as const;
const TABLES = ["code", "bullets", "off"] as const;

/** The section `reactions`. */
export function readReactions(node: Node | undefined, report: Report): ReactionRules {
  const usual = REACTION_DEFAULTS;
  const section = openSection(node, REACTION_KEYS, report);
  if (section === undefined) return usual;
  return {
    enabled: section.yes("enabled", usual.enabled),
    removeAfterReply: section.yes("remove_after_reply", usual.removeAfterReply),
    toolDisplay: section.read("tool_display", readDisplay, usual.toolDisplay),
    emojis: section.read("emojis", readEmojis, usual.emojis),
    timing: section.read("timing", readTiming, usual.timing),
  };
}

function readDisplay(node: Node, report: Report): ReactionRules["toolDisplay"] | undefined {
  const isHidden = node.kind === "scalar" && HIDDEN.includes(node.text);
  return isHidden ? "none" : readChoice(node, DISPLAYS, report);
}

function readEmojis(node: Node, report: Report): ReactionRules["emojis"] | undefined {
  const usual = REACTION_DEFAULTS.emojis;
  const names = Object.keys(usual) as EmojiName[];
  const section = openSection(node, names, report);
  if (section === undefined) return undefined;
  const read = names.map((name) => [name, section.read(name, readEmoji, usual[name])] as const);
  return Object.fromEntries(read) as Record<EmojiName, string>;
}

function readEmoji(node: Node, report: Report): string | undefined {
  const emoji = node.kind === "scalar" ? emojiIn(node.text) : undefined;
  return emoji ?? wrong(node, report, 'one emoji such as "👀", or "name:id" of a server\'s own');
}

/** The sign itself, or one of a server as Discord writes it: `<:name:123>`, `name:123`. */
export function emojiIn(text: string): string | undefined {
  const [, own] = /^(?:<a?:)?(\w{2,32}:\d{1,20})>?$/.exec(text) ?? [];
  if (own !== undefined) return own;
  const one = [...new Intl.Segmenter("en", { granularity: "grapheme" }).segment(text)].length === 1;
  const isSign = one && text.length <= 32 && /\p{Emoji}/u.test(text) && !/^[\d#*]$/.test(text);
  return isSign ? text : undefined;
}

function readTiming(node: Node, report: Report): ReactionRules["timing"] | undefined {
  const usual = REACTION_DEFAULTS.timing;
  const section = openSection(node, TIMING_KEYS, report);
  if (section === undefined) return undefined;
  const range = { least: 0, most: 3_600_000 };
  return {
    debounceMs: section.whole("debounce_ms", range, usual.debounceMs),
    stallSoftMs: section.whole("stall_soft_ms", range, usual.stallSoftMs),
    stallHardMs: section.whole("stall_hard_ms", range, usual.stallHardMs),
    doneHoldMs: section.whole("done_hold_ms", range, usual.doneHoldMs),
    errorHoldMs: section.whole("error_hold_ms", range, usual.errorHoldMs),
  };
}

/** The sections `answers` and `markdown`. */
export function readAnswers(
  answers: Node | undefined,
  markdown: Node | undefined,
  report: Report,
): AnswerRules {
  const usual = ANSWER_DEFAULTS;
  const section = openSection(answers, ["streaming", "footer"], report);
  const tables = openSection(markdown, ["tables"], report);
  return {
    streaming: section?.choice("streaming", STREAMING, usual.streaming) ?? usual.streaming,
    tables: tables?.choice("tables", TABLES, usual.tables) ?? usual.tables,
    footer: section?.yes("footer", usual.footer) ?? usual.footer,
  };
}
