import type { Block } from "./agent-session.ts";
import type { Arrival, Named, Quoted } from "./arrival.ts";
import { createBorders, cutAt, plainLine } from "./borders.ts";
import type { Borders } from "./borders.ts";
import { rewriteMentions } from "./mentions.ts";
import { type BotTurnCount, senderRecord } from "./sender.ts";

const LONGEST_QUOTE = 2000;
const LONGEST_EARLIER = 12_000;
const LONGEST_EARLIER_ONE = 2000;
const MOST_EARLIER = 50;

/** One message of a turn, with what became of its attachments. */
export interface PromptPart {
  arrival: Arrival;
  /** In the order in which they are told: transcripts first, then files. */
  attached: { texts: readonly string[]; images: readonly Extract<Block, { type: "image" }>[] };
  /**
   * It was edited after the agent had read it, and is told again; one that was edited while it
   * waited simply has its new words.
   */
  isCorrection?: boolean;
}

export interface PromptContext {
  /** New in each turn; see borders.ts. */
  mark: string;
  me: string;
  triggerRoles: readonly string[];
  /** Such as `discord`. */
  surface: string;
  /** Of the thread that was made for the first message. */
  threadId: string | undefined;
  botTurns?: BotTurnCount;
  /** Oldest first: said before the bot was called, and not known to the agent. */
  earlier: readonly EarlierText[];
}

export interface EarlierText {
  id: string;
  author: Named;
  text: string;
}

/**
 * What the agent gets for one turn: for each message, in order, a text with its sender, what it
 * quotes, its files and its words, then its images.
 */
export function writePrompt(parts: readonly PromptPart[], context: PromptContext): Block[] {
  const command = bareCommand(parts, context);
  if (command !== undefined) return [{ type: "text", text: command }];
  const borders = createBorders(context.mark);
  const earlier = writeEarlier(context.earlier, borders);
  return [
    ...(earlier === undefined ? [] : [{ type: "text" as const, text: earlier }]),
    ...parts.flatMap((part) => writePart(part, context, borders)),
  ];
}

/** Characters / 4 + 1, an image 512: how full a turn is. */
export function estimateTokens({ arrival, attached }: PromptPart): number {
  const texts = [
    arrival.content,
    arrival.quoted?.text ?? "",
    ...arrival.extras.map(({ text }) => text),
    ...attached.texts,
  ];
  const characters = texts.reduce((sum, { length }) => sum + length, 0);
  return Math.ceil(characters / 4) + 1 + 512 * attached.images.length;
}

/** Agents know a command of their own, such as `/compact`, only when nothing stands before it. */
function bareCommand(
  parts: readonly PromptPart[],
  { me, triggerRoles, earlier }: PromptContext,
): string | undefined {
  const [only, second] = parts;
  if (only === undefined || second !== undefined || earlier.length > 0) return undefined;
  const { arrival: { content, quoted, extras }, attached: { texts, images } } = only;
  const alone = quoted === undefined && extras.length + texts.length + images.length === 0;
  const text = rewriteMentions(content, me, triggerRoles);
  return alone && /^\/[a-z][\w:-]*(\s|$)/i.test(text) ? text : undefined;
}

function writePart(part: PromptPart, context: PromptContext, borders: Borders): Block[] {
  const { arrival, attached } = part;
  const threadId = arrival.place.threadId ?? context.threadId;
  const sender = senderRecord(arrival, context.surface, threadId, context.botTurns);
  const inner = [
    { kind: "sender" as const, text: JSON.stringify(sender), attributes: {} },
    ...(arrival.quoted === undefined ? [] : [quotedPiece(arrival.quoted)]),
    ...arrival.extras.map(({ kind, text }) => ({
      kind: "quoted" as const,
      text: bounded(text, LONGEST_QUOTE),
      attributes: { from: kind },
    })),
  ];
  const head = inner.map(({ kind, text, attributes }) => borders.wrap(kind, text, attributes));
  const words = rewriteMentions(arrival.content, context.me, context.triggerRoles);
  const attributes = part.isCorrection === true ? { corrects: arrival.id } : { id: arrival.id };
  const body = [...attached.texts, words].filter((text) => text !== "").join("\n\n");
  return [
    { type: "text", text: [...head, borders.wrap("message", body, attributes)].join("\n") },
    ...attached.images,
  ];
}

function quotedPiece({ id, author, text }: Quoted) {
  const by = author === undefined ? "unknown" : nameWithId(author);
  const attributes = { from: "reply", message: id, author: by };
  return { kind: "quoted" as const, text: bounded(text, LONGEST_QUOTE), attributes };
}

/** The newest that fit; what was left out is said. */
function writeEarlier(earlier: readonly EarlierText[], borders: Borders): string | undefined {
  if (earlier.length === 0) return undefined;
  const lines: string[] = [];
  let room = LONGEST_EARLIER;
  for (const { author, text } of earlier.toReversed()) {
    const line = `${nameWithId(author)}: ${bounded(text, LONGEST_EARLIER_ONE)}`;
    if (lines.length === MOST_EARLIER || line.length > room) break;
    room -= line.length;
    lines.unshift(line);
  }
  const left = earlier.length - lines.length;
  const notice = left === 0
    ? []
    : [`(${left} older ${left === 1 ? "message" : "messages"} left out)`];
  return borders.wrap("earlier", [...notice, ...lines].join("\n"));
}

function nameWithId({ id, name }: Named): string {
  return `${plainLine(name, 80).replaceAll(/[<>]/g, "'")} (${id})`;
}

function bounded(text: string, limit: number): string {
  return text.length <= limit ? text : `${cutAt(text, limit)}… (cut)`;
}
