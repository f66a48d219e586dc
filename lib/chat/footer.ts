import { escapeMarkdown, shorten } from "../base/markdown.ts";
import { usdText } from "../words/amount-text.ts";
import { spanText } from "../words/duration-text.ts";
import type { Turn } from "./turn.ts";

export type FooterPart = "model" | "tokens" | "cost" | "duration";

/** Small print below an answer: "claude-sonnet · 12.3k in, 840 out · $0.04 · 12 s"; "" for nothing. */
export function footerOf(turn: Turn, parts: readonly FooterPart[]): string {
  const said = parts.map((part) => textOf(turn, part)).filter((text) => text !== undefined);
  return said.length === 0 ? "" : `-# ${said.join(" · ")}`;
}

function textOf({ use, startedAt, activeAt }: Turn, part: FooterPart): string | undefined {
  if (part === "duration") {
    return startedAt === undefined ? undefined : spanText(Math.max(0, activeAt - startedAt));
  }
  if (use === undefined) return undefined;
  if (part === "model") {
    return use.model === undefined ? undefined : escapeMarkdown(shorten(use.model, 80));
  }
  // That nobody knows the price is said by /cost; below each answer it would be noise.
  if (part === "cost") return use.usd === null ? undefined : usdText(use.usd);
  const input = use.input + use.cacheRead + use.cacheWrite;
  return `${tokensText(input)} in, ${tokensText(use.output)} out`;
}

/** "840", "12.3k", "1.2M". */
export function tokensText(tokens: number): string {
  if (tokens < 1_000) return `${Math.round(tokens)}`;
  if (tokens < 999_950) return `${trimmed(tokens / 1_000)}k`;
  return `${trimmed(tokens / 1_000_000)}M`;
}

function trimmed(n: number): string {
  return n.toFixed(1).replace(/\.0$/, "");
}
