import type { Arrival } from "./arrival.ts";

const LONGEST_WORDS = 40;
/** A surface's own limit. */
const LONGEST = 100;
const GITHUB =
  /https?:\/\/(?:www\.)?github\.com\/([\w.-]{1,100})\/([\w.-]{1,100})\/(?:issues|pull)\/(\d{1,10})(?:[/?#][^\s<>)\]]*)?/gi;

type Titled = Pick<
  Arrival,
  "content" | "mentions" | "attachments" | "extras" | "quoted" | "author"
>;

/**
 * The title of the thread that begins with a message: its first 40 characters, else what it brings
 * along, never nothing. `me` and `triggerRoles` called the bot and are no part of it.
 */
export function threadTitle(arrival: Titled, me: string, triggerRoles: readonly string[]): string {
  const { attachments, extras, quoted, author } = arrival;
  const candidates = [
    () => words(arrival, me, triggerRoles),
    () => attachments.map(({ name }) => name).map(line).filter(isSeen).slice(0, 3).join(", "),
    ...extras.map(({ text }) => () => line(text)),
    () => prefixed("Re: ", line(quoted?.text ?? "")),
    () => prefixed("Conversation with ", line(author.displayName)),
  ];
  for (const candidate of candidates) {
    const title = candidate();
    if (isSeen(title)) return shorten(title);
  }
  return "Conversation";
}

function words(
  { content, mentions }: Titled,
  me: string,
  triggerRoles: readonly string[],
): string {
  const nameOf = (named: Titled["mentions"]["users"], id: string, other: string) =>
    `@${named.find((one) => one.id === id)?.name ?? other}`;
  const plain = content
    .replace(/<@([!&]?)(\d{1,20})>/g, (_, sign: string, id: string) => {
      if (sign === "&") return triggerRoles.includes(id) ? "" : nameOf(mentions.roles, id, "role");
      return id === me ? "" : nameOf(mentions.users, id, "user");
    })
    .replace(/<#\d{1,20}>/g, "#channel")
    .replace(/<a?(:\w{1,32}:)\d{1,20}>/g, "$1")
    .replace(/<t:-?\d{1,20}(?::\w)?>/g, "")
    .replace(/<\/([^:>]{1,80}):\d{1,20}>/g, "/$1")
    .replace(GITHUB, "$1/$2#$3")
    .replace(/`{3,}\w*|~{3,}\w*/g, " ");
  return line(plain);
}

/** One line of what people can see. */
function line(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, " ")
    .replace(/[\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu, "")
    .toWellFormed().replace(/\s+/g, " ").trim();
}

/** A surface takes a title of invisible characters for an empty one. */
function isSeen(text: string): boolean {
  return /[^\s\p{Default_Ignorable_Code_Point}\p{Cf}\p{Z}\p{M}\u2800\ufffd]/u.test(text);
}

function prefixed(prefix: string, text: string): string {
  return isSeen(text) ? prefix + text : "";
}

/** Characters as people count them: a family of emojis is one. */
function shorten(text: string): string {
  const all = [
    ...new Intl.Segmenter("en", { granularity: "grapheme" }).segment(text.slice(0, 2000)),
  ];
  const kept: string[] = [];
  let length = 0;
  for (const { segment } of all.slice(0, LONGEST_WORDS)) {
    // One character may have any number of accents.
    if (length + segment.length > LONGEST - 1) break;
    kept.push(segment);
    length += segment.length;
  }
  const title = kept.join("").trimEnd();
  return title === text ? title : `${title}…`;
}
