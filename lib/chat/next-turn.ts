import type { Waiting } from "./chat-state.ts";

/** How messages become turns. */
export type ProcessingMode =
  /** Each is a turn of its own. */
  | "per-message"
  /** All that waits is the next turn, whoever said it. */
  | "per-thread"
  /** All that waits of one person is the next turn. */
  | "per-lane";

export interface BatchLimits {
  mode: ProcessingMode;
  messages: number;
  /** Estimated; see `estimateTokens`. */
  tokens: number;
}

/** An image costs about so many tokens. */
const IMAGE_TOKENS = 512;

/**
 * The messages of the next turn: the oldest, and with it what the mode and the limits take; what
 * would go beyond begins the turn after. Nothing is left out and nothing is overtaken.
 */
export function nextBatch(
  waiting: readonly Waiting[],
  { mode, messages, tokens }: BatchLimits,
): readonly Waiting[] {
  const [first, ...rest] = waiting;
  if (first === undefined) return [];
  const batch = [first];
  if (mode === "per-message") return batch;
  let size = estimateTokens(first);
  for (const one of rest) {
    if (mode === "per-lane" && one.arrival.author.id !== first.arrival.author.id) continue;
    size += estimateTokens(one);
    if (batch.length >= messages || size > tokens) break;
    batch.push(one);
  }
  return batch;
}

export function estimateTokens({ arrival }: Pick<Waiting, "arrival">): number {
  const images = arrival.attachments.filter(({ contentType }) => contentType.startsWith("image/"));
  return Math.floor(arrival.content.length / 4) + 1 + images.length * IMAGE_TOKENS;
}
