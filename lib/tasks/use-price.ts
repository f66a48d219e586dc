import type { TokenPrice } from "../sweep/config.ts";
import type { WorkUse } from "./backend.ts";
import type { PoolModel } from "./pool-config.ts";
import type { AttemptUse } from "./task.ts";

/** A model of the configuration, or of an assignment. */
export type Priced = Pick<PoolModel, "model" | "price">;

const KINDS = ["input", "output", "cacheRead", "cacheWrite"] as const;

/**
 * What one call cost. The provider's own word wins; else the price of the model that was used:
 * `asked` is the one of the attempt, `others` are those of the same backend, for programs that
 * call more than one. Unknown stays unknown, it is not nothing.
 */
export function priceUse(
  use: WorkUse,
  asked: Priced | undefined,
  others: Iterable<Priced> = [],
): AttemptUse {
  const tokens = {
    input: tokenCount(use.input),
    output: tokenCount(use.output),
    cacheRead: tokenCount(use.cacheRead),
    cacheWrite: tokenCount(use.cacheWrite),
  };
  if (use.usd !== undefined && Number.isFinite(use.usd) && use.usd >= 0) {
    return { model: use.model, ...tokens, usd: use.usd };
  }
  const price = priceFor(use.model, asked, [...others]);
  const usd = price === undefined
    ? null
    : KINDS.reduce((sum, kind) => sum + tokens[kind] * price[kind], 0) / 1e6;
  return { model: use.model, ...tokens, usd };
}

/** Exactly the model first, then one that differs in a date or a variant only. */
function priceFor(
  used: string,
  asked: Priced | undefined,
  others: readonly Priced[],
): TokenPrice | undefined {
  const all = [...(asked === undefined ? [] : [asked]), ...others]
    .filter(({ price }) => price !== undefined);
  const exact = all.find(({ model }) => model === used);
  if (exact !== undefined) return exact.price;
  const plain = plainName(used);
  const like = all.find(({ model }) => model !== undefined && plainName(model) === plain);
  if (like !== undefined) return like.price;
  // It was left to the backend which one it is.
  return asked !== undefined && asked.model === undefined ? asked.price : undefined;
}

/** `qwen/qwen3` for `qwen/qwen3:free`, `claude-haiku-4-5` for `claude-haiku-4-5-20251001`. */
function plainName(model: string): string {
  return model.trim().toLowerCase().replace(/:[a-z0-9-]+$/, "")
    .replace(/[@-](\d{8}|\d{4}-\d{2}-\d{2}|\d{4}|latest)$/, "");
}

/** Providers are not trusted to count: NaN or less than nothing would spoil every sum. */
function tokenCount(tokens: number): number {
  return Number.isFinite(tokens) && tokens > 0 ? Math.round(tokens) : 0;
}

/** All calls of an attempt, by model; one call of unknown price makes the model's sum unknown. */
export function sumUse(uses: Iterable<AttemptUse>): AttemptUse[] {
  const sums = new Map<string, AttemptUse>();
  for (const use of uses) {
    const sum = sums.get(use.model);
    sums.set(
      use.model,
      sum === undefined ? { ...use } : {
        model: use.model,
        input: sum.input + use.input,
        output: sum.output + use.output,
        cacheRead: sum.cacheRead + use.cacheRead,
        cacheWrite: sum.cacheWrite + use.cacheWrite,
        usd: sum.usd === null || use.usd === null ? null : sum.usd + use.usd,
      },
    );
  }
  return [...sums.values()];
}

export interface UseTotal {
  /** Prompts whole: what came from a cache and what was put into one is in it. */
  tokensIn: number;
  tokensOut: number;
  /** US dollars of what has a price; null when nothing has. */
  usd: number | null;
  /** Something of it has no price: `usd` is the least that it may be. */
  partly: boolean;
}

/** One line's worth of an attempt or of a task, over all models. */
export function totalUse(uses: readonly AttemptUse[]): UseTotal {
  const priced = uses.filter(({ usd }) => usd !== null);
  return {
    tokensIn: uses.reduce((sum, use) => sum + use.input + use.cacheRead + use.cacheWrite, 0),
    tokensOut: uses.reduce((sum, { output }) => sum + output, 0),
    usd: priced.length === 0 ? null : priced.reduce((sum, { usd }) => sum + usd!, 0),
    partly: priced.length > 0 && priced.length < uses.length,
  };
}

/** "$0.00" for what is free, "$0.000218", "$12.30", "n/a" for what nobody knows, "≥ $1.20". */
export function costText({ usd, partly }: { usd: number | null; partly?: boolean }): string {
  if (usd === null) return "n/a";
  return `${partly === true ? "≥ " : ""}${dollars(usd)}`;
}

function dollars(usd: number): string {
  if (usd < 0.000_001) return usd > 0 ? "<$0.000001" : "$0.00";
  // Something is never shown as nothing.
  return usd < 0.01 ? `$${usd.toFixed(6)}` : `$${usd.toFixed(2)}`;
}
