import type { Arrival } from "./arrival.ts";
import { rewriteMentions } from "./mentions.ts";

/** Single words of people that are orders while a turn runs. */
export interface OrderWords {
  stop: readonly string[];
  reset: readonly string[];
}

export type Order = keyof OrderWords;

/**
 * What a message orders, when it is one such word and nothing else: "stop", "Stop!",
 * "@bot stop". A word that somebody else is called with is none.
 */
export function orderIn(
  arrival: Pick<Arrival, "content" | "attachments" | "extras" | "kind" | "author">,
  words: OrderWords,
  me: string,
  triggerRoles: readonly string[],
): Order | undefined {
  const { content, attachments, extras, kind, author } = arrival;
  if (author.isBot || kind !== "spoken" || attachments.length + extras.length > 0) return undefined;
  const word = rewriteMentions(content, me, triggerRoles).replace(/[\s.!…]+$/u, "").toLowerCase();
  const has = (list: readonly string[]) => list.some((one) => one.toLowerCase() === word);
  if (has(words.stop)) return "stop";
  return has(words.reset) ? "reset" : undefined;
}
