import { compactRanges } from "../base/text.ts";
import { formatG } from "../sweep/number-text.ts";

/** "$0.42"; below a cent "<$0.01", so that something is never nothing. */
export function usdText(usd: number): string {
  if (usd > 0 && usd < 0.01) return "<$0.01";
  return `$${usd.toFixed(2).replace(/\.00$/, "")}`;
}

/** A metric's value as people read it: three or four digits. */
export function valueText(value: number | null | undefined): string {
  if (value === undefined) return "";
  return value === null ? "NaN" : formatG(value, 4);
}

/** Trials as compact ranges, cut at a comma where there are too many: "3-14", "0,2,4,…". */
export function indicesText(indices: Iterable<number>, most = 120): string {
  const ranges = compactRanges(indices);
  if (ranges.length <= most) return ranges;
  return `${ranges.slice(0, ranges.lastIndexOf(",", most - 2) + 1)}…`;
}

/**
 * "4 running, 5 completed, 0 failed" and what else there is. Of zeros only that
 * nothing failed is news, and that only once something might have.
 */
export function totalsText(totals: Readonly<Record<string, number>>): string {
  const { total: _, running = 0, completed = 0, failed = 0, ...others } = totals;
  const began = running + completed + failed > 0;
  const parts = Object.entries({ running, completed, failed, ...others })
    .filter(([name, n]) => n > 0 || (name === "failed" && began))
    .map(([name, n]) => `${n} ${name}`);
  return parts.length === 0 ? "no trials" : parts.join(", ");
}
