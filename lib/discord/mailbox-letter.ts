import { LIMITS } from "./limits.ts";
import type { Id, Message, Outgoing } from "./message.ts";
import { ruleText } from "./safe-text.ts";

/** A file with the letter's JSON, where the message itself has no room. */
const FILE = /^letter-[A-Za-z0-9]{1,25}\.json$/;
const BLOCK = /\n```json\n([^`]*)\n```$/;
const LINE_ROOM = 300;

/**
 * A letter as a message: a line for people, and JSON for whom it is. That one is mentioned, for
 * without the MESSAGE CONTENT intent a bot reads only what mentions it; nobody else is.
 */
export function writeLetter(
  { line, json, to, mark }: {
    line: string;
    json: Readonly<Record<string, unknown>>;
    to: Id;
    /** At most 25 letters and digits; names the message that bears it. */
    mark: string;
  },
): Outgoing {
  const told = `<@${to}> ${ruleText(line.replaceAll(/[`\n]/g, "'")).slice(0, LINE_ROOM)}`;
  const text = JSON.stringify({ mark, ...json });
  const pings = { users: [to] };
  // In JSON a backtick may be written so everywhere that it can be: nothing in it ends the block.
  const content = `${told}\n\`\`\`json\n${text.replaceAll("`", "\\u0060")}\n\`\`\``;
  if (content.length <= LIMITS.content) return { content, pings, silent: true };
  const bytes = new TextEncoder().encode(text);
  const file = { name: `letter-${mark}.json`, bytes, contentType: "application/json" };
  return { content: told, pings, silent: true, files: [file] };
}

/** Where a message has its JSON; undefined for one that is no letter. */
export function findLetter(
  { content, attachments, type }: Pick<Message, "content" | "attachments" | "type">,
): { text: string } | { file: Message["attachments"][number] } | undefined {
  if (type !== 0 && type !== 19) return undefined;
  const text = BLOCK.exec(content)?.[1];
  if (text !== undefined) return { text };
  const file = attachments.find(({ name }) => FILE.test(name));
  return file && { file };
}

/** A letter that only opens a mailbox, HELLO or WELCOME: it is none of those that are changed in place. */
export function isKnock(message: Pick<Message, "content" | "attachments" | "type">): boolean {
  const found = findLetter(message);
  if (found === undefined || !("text" in found)) return false;
  try {
    const said: unknown = JSON.parse(found.text);
    return typeof said === "object" && said !== null && ("hello" in said || "welcome" in said);
  } catch {
    return false;
  }
}

/** Whether a message is the one that was posted with this mark. */
export function bearsMark(message: Message, mark: string): boolean {
  const found = findLetter(message);
  if (message.nonce === mark) return true;
  if (found === undefined) return false;
  return "text" in found
    ? found.text.startsWith(`{"mark":"${mark}"`)
    : found.file.name === `letter-${mark}.json`;
}
