import type { TokenPrice } from "../sweep/config.ts";

export interface ListedPrice extends TokenPrice {
  /** A prompt of more than `above` tokens (cache reads and writes count) is billed at `price`, its answer too. */
  long?: { above: number; price: TokenPrice };
}

/**
 * As https://platform.claude.com/docs/en/about-claude/pricing had them on 2026-11-21.
 * US dollars per million tokens, by model name without date. Cache writes are the ones that
 * live for five minutes. A model that is not in here is not priced, rather than priced by a guess.
 */
export const PRICES: Readonly<Record<string, ListedPrice>> = {
  "claude-fable-5-1": price(10, 50, 0.025),
  "claude-mythos-5-1": price(10, 50, 0.025),
  "claude-fable-5": price(10, 50),
  "claude-mythos-5": price(10, 50),
  "claude-opus-5-5": price(4, 20, 0.05),
  "claude-opus-5": price(5, 25),
  "claude-opus-4-8": price(5, 25),
  "claude-opus-4-7": price(5, 25),
  "claude-opus-4-6": price(5, 25),
  "claude-opus-4-5": price(5, 25),
  "claude-opus-4-1": price(15, 75),
  "claude-opus-4": price(15, 75),
  "claude-sonnet-5-5": price(2, 10, 0.05),
  "claude-sonnet-5": price(2, 10),
  "claude-sonnet-4-6": price(3, 15),
  "claude-sonnet-4-5": price(3, 15),
  "claude-sonnet-4": price(3, 15),
  "claude-haiku-5-5": { ...price(0.1, 0.5), long: { above: 100_000, price: price(0.5, 2.5) } },
  "claude-haiku-4-5": price(1, 5),
  "claude-haiku-3-5": price(0.8, 4),
};

/** Writing to the cache costs a quarter more than reading anew, and reading from it a small share. */
function price(input: number, output: number, readShare = 0.1): TokenPrice {
  return { input, output, cacheRead: input * readShare, cacheWrite: input * 1.25 };
}
