import type { ContentBlockParam } from "@anthropic-ai/sdk/resources/messages";
import { blocksOf, type ModelMessage, textBlock } from "./conversation.ts";

const LEFT_OUT = "(What was said before this is left out: the conversation became too long.)";
const RESULT_LEFT_OUT = "(left out: the conversation became too long)";
/** A picture is about so many tokens, however many bytes. Characters of text that weigh the same. */
const PICTURE = 6_000;
/** Results shorter than this are worth nothing when they are left out. */
const SHORT = 200;

/**
 * About half of a conversation that is longer than the model can read: the oldest turns go; when
 * only the one that runs is left, the oldest results of its tools. Undefined when nothing is left
 * to leave out. What a person said last stays, and each call keeps a result.
 */
export function shortenConversation(messages: readonly ModelMessage[]): ModelMessage[] | undefined {
  const sizes = messages.map(sizeOf);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const cut = cutPoint(messages, sizes, all / 2);
  if (cut > 0) {
    const [first, ...rest] = messages.slice(cut);
    return [{ role: "user", content: [textBlock(LEFT_OUT), ...blocksOf(first!)] }, ...rest];
  }
  return withoutResults(messages, all / 2);
}

/** The first beginning of a turn with at most `room` from there on, else the last one. */
function cutPoint(
  messages: readonly ModelMessage[],
  sizes: readonly number[],
  room: number,
): number {
  const begins = messages.flatMap((_, i) => i > 0 && beginsTurn(messages, i) ? [i] : []);
  let rest = sizes.reduce((sum, size) => sum + size, 0);
  let at = 0;
  for (const begin of begins) {
    while (at < begin) rest -= sizes[at++]!;
    if (rest <= room) return begin;
  }
  return begins.at(-1) ?? 0;
}

/** A person speaks, and no call waits for its result. */
function beginsTurn(messages: readonly ModelMessage[], at: number): boolean {
  const has = (message: ModelMessage | undefined, type: string) =>
    message !== undefined && blocksOf(message).some((block) => block.type === type);
  const one = messages[at];
  return one?.role === "user" && !has(one, "tool_result") && !has(messages[at - 1], "tool_use");
}

function withoutResults(
  messages: readonly ModelMessage[],
  enough: number,
): ModelMessage[] | undefined {
  let saved = 0;
  const shorter = messages.map((message): ModelMessage => {
    if (message.role !== "user" || saved >= enough) return message;
    const content = blocksOf(message).map((block): ContentBlockParam => {
      if (block.type !== "tool_result" || saved >= enough) return block;
      const size = contentSize(block.content);
      if (size < SHORT) return block;
      saved += size;
      return { ...block, content: RESULT_LEFT_OUT };
    });
    return { ...message, content };
  });
  return saved === 0 ? undefined : shorter;
}

function sizeOf(message: ModelMessage): number {
  return blocksOf(message).reduce((sum, block) => sum + blockSize(block), 0);
}

function blockSize(block: ContentBlockParam): number {
  if (block.type === "image") return PICTURE;
  if (block.type === "text") return block.text.length;
  return block.type === "tool_result" ? contentSize(block.content) : JSON.stringify(block).length;
}

function contentSize(content: unknown): number {
  return typeof content === "string" ? content.length : JSON.stringify(content ?? "").length;
}
