import { readNumber, wrong } from "../sweep/fields.ts";
import type { Report } from "../sweep/report.ts";
import type { Node } from "../sweep/yaml-node.ts";
import type { AttachmentLimits, BotConfig, SessionLimits, TurnLimits } from "./broker-config.ts";
import { ATTACHMENT_DEFAULTS, LIMIT_DEFAULTS, SESSION_DEFAULTS } from "./broker-defaults.ts";
import { openSection } from "./section.ts";

const DAY = 86_400;
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const LIMIT_KEYS = [
  "silence",
  "tool_silence",
  "turn",
  "initialize",
  "load_session",
  "new_session",
] as const;
const POOL_KEYS = ["max_sessions", "max_waiting", "session_ttl_hours"] as const;
const ATTACHMENT_KEYS = [
  "text_file",
  "text_files",
  "text_total",
  "image",
  "image_side",
  "audio",
  "file",
  "session",
  "sent_file",
  "sent_files",
] as const;

/** The section `limits`: how long a turn and its beginning may take. */
export function readTurnLimits(node: Node | undefined, report: Report): TurnLimits {
  const usual = LIMIT_DEFAULTS;
  const section = openSection(node, LIMIT_KEYS, report);
  if (section === undefined) return usual;
  const start = { least: 1, most: 3600 };
  const long = { least: 10, most: 7 * DAY };
  return {
    silenceMs: section.span("silence", long, usual.silenceMs),
    toolMs: section.span("tool_silence", long, usual.toolMs),
    turnMs: section.span("turn", long, usual.turnMs),
    initializeMs: section.span("initialize", start, usual.initializeMs),
    loadMs: section.span("load_session", start, usual.loadMs),
    openMs: section.span("new_session", start, usual.openMs),
  };
}

/** The section `pool` of a bot: its live agents. */
export function readSessionLimits(node: Node | undefined, report: Report): SessionLimits {
  const usual = SESSION_DEFAULTS;
  const section = openSection(node, POOL_KEYS, report);
  if (section === undefined) return usual;
  return {
    mostSessions: section.whole("max_sessions", { least: 1, most: 1000 }, usual.mostSessions),
    mostWaiting: section.whole("max_waiting", { least: 0, most: 100_000 }, usual.mostWaiting),
    ttlMs: section.read("session_ttl_hours", readHours, usual.ttlMs),
  };
}

/** Milliseconds. */
function readHours(node: Node, report: Report): number | undefined {
  const text = node.kind === "scalar" ? node.text : "";
  const hours = NUMBER.test(text) ? readNumber(node, report) : undefined;
  return hours !== undefined && hours >= 0.01 && hours <= 8760
    ? Math.round(hours * 3_600_000)
    : wrong(node, report, "hours such as 24, from 0.01 to 8760");
}

/** The section `budget`. */
export function readBrokerBudget(node: Node | undefined, report: Report): BotConfig["budget"] {
  const section = openSection(node, ["usd_per_day"], report);
  return { usdPerDay: section?.read<number | undefined>("usd_per_day", readUsd, undefined) };
}

function readUsd(node: Node, report: Report): number | undefined {
  const text = node.kind === "scalar" ? node.text : "";
  if (text.toLowerCase() === "none") return undefined;
  const usd = NUMBER.test(text) ? readNumber(node, report) : undefined;
  return usd !== undefined && usd >= 0 && usd <= 1e9
    ? usd
    : wrong(node, report, "US dollars such as 2.5, 0 to spend nothing, or none for no limit");
}

/** The section `attachments`: what is taken in, and what may be sent. */
export function readAttachmentLimits(node: Node | undefined, report: Report): AttachmentLimits {
  const usual = ATTACHMENT_DEFAULTS;
  const section = openSection(node, ATTACHMENT_KEYS, report);
  if (section === undefined) return usual;
  // Models refuse larger ones, and herd holds these in memory.
  const held = 100 * 1024 ** 2;
  const stored = 1024 ** 4;
  return {
    textBytes: section.size("text_file", held, usual.textBytes),
    textFiles: section.whole("text_files", { least: 0, most: 100 }, usual.textFiles),
    textTotalBytes: section.size("text_total", held, usual.textTotalBytes),
    imageBytes: section.size("image", held, usual.imageBytes),
    imageSide: section.whole("image_side", { least: 64, most: 8000 }, usual.imageSide),
    audioBytes: section.size("audio", held, usual.audioBytes),
    fileBytes: section.size("file", stored, usual.fileBytes),
    sessionBytes: section.size("session", stored, usual.sessionBytes),
    sentBytes: section.size("sent_file", 500 * 1024 ** 2, usual.sentBytes),
    // A message of Discord takes ten.
    sentFiles: section.whole("sent_files", { least: 0, most: 10 }, usual.sentFiles),
  };
}
