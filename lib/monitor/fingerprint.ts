import { digest } from "../sweep/identity.ts";
import type { Frame, Raised } from "./raised.ts";

/** Further characters of a message are details. */
const LONGEST_MESSAGE = 400;

/**
 * The same for the same bug in whatever trial, run and process: the type of the
 * error, its message without what differs from trial to trial, and where it
 * came from: the last functions of the program's own and the last ones of all.
 * `own` are texts that are this trial's, such as its name and its values.
 */
export function fingerprintOf(raised: Raised, own: readonly string[] = []): string {
  const frames = [
    ...lastOf(raised.frames.filter((frame) => frame.own)),
    "|",
    ...lastOf(raised.frames),
  ];
  const type = raised.type.split(".").at(-1)!;
  const text = [type, normalised(raised.message, own), ...frames].join("\n");
  return `${type.replaceAll(/\W+/g, "-")}:${digest(text)}`;
}

/** The last two different ones: processes that write into one log write each frame several times. */
function lastOf(frames: readonly Frame[]): string[] {
  const texts = frames.map((frame) => `${frame.file} ${frame.function}`);
  return texts.filter((text, i) => texts.lastIndexOf(text) === i).slice(-2);
}

/** A message without what differs between runs of the same program. */
export function normalised(message: string, own: readonly string[] = []): string {
  let text = message.slice(0, LONGEST_MESSAGE * 4);
  for (const value of own) text = withoutOwn(text, value);
  for (const [pattern, put] of VARIABLE) text = text.replace(pattern, put);
  return text.replace(/\s+/g, " ").trim().slice(0, LONGEST_MESSAGE);
}

/** Short values are taken out only between quotes: "a" is a word. */
function withoutOwn(text: string, value: string): string {
  if (value.length < 2) return text;
  if (value.length >= 12) return text.replaceAll(value, "<own>");
  const quoted = ["'", '"', "`"].reduce(
    (all, quote) => all.replaceAll(`${quote}${value}${quote}`, "<own>"),
    text,
  );
  return quoted.replaceAll(`=${value}`, "=<own>");
}

const VARIABLE: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, "<id>"],
  [/\b\w+:\/\/[^\s'"<>]+/g, "<url>"],
  // Dates and times before numbers, so that each is one thing.
  [
    /\b\d{4}[-/]\d\d[-/]\d\d(?:[T _]\d\d[:-]\d\d(?:[:-]\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?/g,
    "<time>",
  ],
  [/\b\d\d?:\d\d:\d\d(?:[.,]\d+)?\b/g, "<time>"],
  [/\b0x[0-9a-f]+\b/gi, "<address>"],
  // Quoted paths may hold blanks, bare ones may not.
  [/(['"`‘])(?:~|\.{0,2}|[A-Za-z]:|[^'"`’\n]*?)[/\\][^'"`’\n]*['"`’]/g, "<path>"],
  [/(?<![\w<])(?:~|\.{1,2}|[A-Za-z]:)?(?:[/\\][\w.@%+=~,-]+)+[/\\]?/g, "<path>"],
  [/\b[\w.-]+(?:[/\\][\w.@%+=~-]+){2,}/g, "<path>"],
  [/\b(?:tmp|temp)[._-]?[a-z0-9_]{6,}\b/gi, "<temporary>"],
  [/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b/gi, "<id>"],
  // Quoted text with a number or an assignment in it is a trial's: a name, a value, a file.
  [/'[^'\n]*[\d=][^'\n]*'|"[^"\n]*[\d=][^"\n]*"|`[^`\n]*[\d=][^`\n]*`/g, "<value>"],
  [/[-+]?(?:\d[\d,_]*\.?\d*|\.\d+)(?:e[-+]?\d+)?/gi, "<n>"],
  [/\b(?:nan|inf|infinity)\b/gi, "<n>"],
  [/<n>(?:\s*[,x×]\s*<n>)+,?/g, "<n>"],
];
