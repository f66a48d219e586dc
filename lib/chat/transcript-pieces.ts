import type { ChatState } from "./chat-state.ts";

/** What was said in a conversation up to a time; milliseconds since the epoch, or Infinity. */
export interface TranscriptPiece {
  conversation: string;
  until: number;
}

const MOST_PIECES = 20;

/**
 * Whose words a conversation goes on with, its own last. What was said in another after the two were
 * put together is not among them, so that two that continue each other come to an end.
 */
export function piecesOf(
  { attached }: Pick<ChatState, "attached">,
  conversation: string,
): readonly TranscriptPiece[] {
  const pieces: TranscriptPiece[] = [{ conversation, until: Infinity }];
  for (let one = pieces[0]!; pieces.length < MOST_PIECES;) {
    const before = Object.hasOwn(attached, one.conversation)
      ? attached[one.conversation]
      : undefined;
    if (before === undefined || before.at >= one.until) break;
    one = { conversation: before.from, until: before.at };
    pieces.unshift(one);
  }
  return pieces;
}
