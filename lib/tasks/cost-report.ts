import { renderTable } from "../base/table.ts";
import type { PoolState, Spent } from "./pool-state.ts";
import { costText } from "./use-price.ts";

export interface CostRow {
  /** A day such as `2026-11-21` (UTC), a model or a worker. */
  name: string;
  attempts: number;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  /** US dollars; null when nothing of it has a price. */
  usd: number | null;
  /** Attempts whose price nobody knows; with any, `usd` is the least that it may be. */
  unpriced: number;
}

export interface CostReport {
  by: "day" | "model" | "worker";
  /** Days in order; models and workers with the dearest first. */
  rows: readonly CostRow[];
  totals: CostRow;
}

const COUNTS = ["attempts", "input", "output", "cacheRead", "cacheWrite", "unpriced"] as const;

/** What was spent, from the day `since` (UTC) on. An attempt with two models counts with each. */
export function costReport(
  spent: readonly Spent[],
  { by, since }: { by: CostReport["by"]; since?: string | undefined },
): CostReport {
  const rows = new Map<string, Spent[]>();
  const counted = spent.filter((one) => since === undefined || one.day >= since)
    // What a late word took back leaves an empty entry.
    .filter((one) => COUNTS.some((kind) => one[kind] > 0) || tidy(one.usd) > 0);
  for (const one of counted) {
    const same = rows.get(one[by]);
    if (same === undefined) rows.set(one[by], [one]);
    else same.push(one);
  }
  const made = [...rows].map(([name, all]) => sum(name, all));
  const byName = (a: CostRow, b: CostRow) => a.name < b.name ? -1 : 1;
  made.sort((a, b) => by === "day" ? byName(a, b) : (b.usd ?? 0) - (a.usd ?? 0) || byName(a, b));
  return { by, rows: made, totals: sum("total", counted) };
}

/** US dollars of attempts that ended on that day (UTC), and how many have no price. */
export function spentOnDay(
  { spent }: Pick<PoolState, "spent">,
  day: string,
): { usd: number; unpriced: number } {
  const { usd, unpriced } = sum("", spent.filter((one) => one.day === day));
  return { usd: usd ?? 0, unpriced };
}

/** Lines of a table; the last one is the total. */
export function costTable(report: CostReport, width = Infinity): string[] {
  if (report.rows.length === 0) return ["Nothing was spent"];
  const rows = [...report.rows, ...(report.rows.length > 1 ? [report.totals] : [])];
  return renderTable(
    [
      { title: report.by, shrinkTo: 12 },
      { title: "attempts", align: "right" },
      { title: "in", align: "right" },
      { title: "out", align: "right" },
      { title: "cached", align: "right" },
      { title: "cost", align: "right" },
    ],
    rows.map((row) => [
      row.name,
      String(row.attempts),
      grouped(row.input + row.cacheWrite),
      grouped(row.output),
      grouped(row.cacheRead),
      costText({ usd: row.usd, partly: row.unpriced > 0 }),
    ]),
    { width },
  );
}

function sum(name: string, all: readonly Spent[]): CostRow {
  const row = { name, attempts: 0, input: 0, output: 0, cacheRead: 0, cacheWrite: 0, unpriced: 0 };
  let usd = 0;
  for (const one of all) {
    for (const kind of COUNTS) row[kind] += one[kind];
    usd += one.usd;
  }
  usd = tidy(usd);
  const unknown = row.unpriced > 0 && row.unpriced >= row.attempts && usd === 0;
  return { ...row, usd: unknown ? null : usd };
}

/** Adding and taking back leaves dust in the last digits. */
function tidy(usd: number): number {
  return Math.max(0, Math.round(usd * 1e9) / 1e9);
}

function grouped(tokens: number): string {
  return String(tokens).replace(/\B(?=(\d{3})+$)/g, ",");
}
