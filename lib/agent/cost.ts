import type { TokenPrice } from "../sweep/config.ts";
import type { ModelUse, Tokens } from "../sweep/monitor-event.ts";
import { PRICES } from "./prices.ts";

/** Fewer tokens are no answer worth its prompt. */
const LEAST_ANSWER = 256;

/**
 * Price of a model's tokens; undefined when nobody said. `prices` are the user's own and win.
 * `promptTokens` matters where long prompts have a price of their own.
 */
export function priceOf(
  model: string,
  prices: Readonly<Record<string, TokenPrice>>,
  promptTokens = 0,
): TokenPrice | undefined {
  const name = plainModelName(model);
  for (const key of [model, name]) if (Object.hasOwn(prices, key)) return prices[key];
  const listed = Object.hasOwn(PRICES, name) ? PRICES[name] : undefined;
  return listed?.long !== undefined && promptTokens > listed.long.above
    ? listed.long.price
    : listed;
}

/** `claude-sonnet-4-5` for `claude-sonnet-4-5-20250929`, `us.anthropic.claude-sonnet-4-5-20250929-v1:0` and their like. */
export function plainModelName(model: string): string {
  return model.trim().toLowerCase()
    .replace(/^([a-z-]+\.)?anthropic[./]/, "")
    .replace(/\[[^\]]*\]$/, "")
    .replace(/-v\d+(:\d+)?$/, "")
    .replace(/[@-](\d{8}|latest)$/, "");
}

/** US dollars. */
export function costOf(tokens: Tokens, price: TokenPrice): number {
  return (tokens.input * price.input + tokens.output * price.output +
    tokens.cacheRead * price.cacheRead + tokens.cacheWrite * price.cacheWrite) / 1e6;
}

/** What a call's prompt was, in tokens. */
export function promptTokensOf(tokens: Tokens): number {
  return tokens.input + tokens.cacheRead + tokens.cacheWrite;
}

export interface Used {
  model: string;
  tokens: Tokens;
  /** The server did not say how much it wrote, because it was cut off: counted from what came. */
  estimated: boolean;
  purpose: string;
  /** US dollars, where the server itself says so. */
  usd?: number;
}

/** One call as the journal keeps it. */
export function modelUse(
  used: Used,
  prices: Readonly<Record<string, TokenPrice>>,
): ModelUse {
  const price = priceOf(used.model, prices, promptTokensOf(used.tokens));
  return {
    id: crypto.randomUUID(),
    model: used.model,
    tokens: used.tokens,
    usd: used.usd ?? (price === undefined ? null : costOf(used.tokens, price)),
    purpose: used.estimated ? `${used.purpose} (cut off, output estimated)` : used.purpose,
  };
}

/**
 * How long an answer may become so that its call costs no more than `leftUsd`, in tokens;
 * undefined when nothing worth asking for fits. Counts all of the prompt as new to the cache.
 */
export function answerRoom(
  { leftUsd, price, promptTokens, maxTokens }: {
    leftUsd: number;
    price: TokenPrice;
    promptTokens: number;
    maxTokens: number;
  },
): number | undefined {
  const prompt = promptTokens * Math.max(price.input, price.cacheWrite) / 1e6;
  const room = price.output > 0
    ? Math.floor((leftUsd - prompt) * 1e6 / price.output)
    : leftUsd >= prompt
    ? maxTokens
    : 0;
  return room < Math.min(LEAST_ANSWER, maxTokens) ? undefined : Math.min(room, maxTokens);
}
