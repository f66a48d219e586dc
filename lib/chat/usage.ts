import { renderTable } from "../base/table.ts";
import type { TurnUse } from "./turn.ts";

/** What conversations have used: by day (UTC, "2026-02-07"), then by model. */
export type Usage = Readonly<Record<string, Readonly<Record<string, UseSum>>>>;

export interface UseSum {
  turns: number;
  /** Tokens. */
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  /** US dollars, of the turns that have a price. */
  usd: number;
  /** Turns whose price nobody knows. */
  unpriced: number;
}

const MOST_DAYS = 400;
const MOST_MODELS = 50;
const OTHERS = "other models";
const UNKNOWN = "unknown model";
const NOTHING: UseSum = {
  turns: 0,
  input: 0,
  output: 0,
  cacheRead: 0,
  cacheWrite: 0,
  usd: 0,
  unpriced: 0,
};

export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** `at` is when the turn ended, milliseconds since the epoch. */
export function addUse(usage: Usage, use: TurnUse | undefined, at: number): Usage {
  if (use === undefined) return usage;
  const day = dayOf(at);
  const models = usage[day] ?? {};
  const told = use.model?.slice(0, 80) || UNKNOWN;
  const isRoom = Object.hasOwn(models, told) || Object.keys(models).length < MOST_MODELS;
  const model = isRoom ? told : OTHERS;
  const own = Object.hasOwn(models, model) ? models[model]! : NOTHING;
  const next = { ...usage, [day]: { ...models, [model]: plus(own, sumOf(use)) } };
  const days = Object.keys(next);
  if (days.length <= MOST_DAYS) return next;
  const { [days.sort()[0]!]: _, ...rest } = next;
  return rest;
}

/** US dollars of one day, as far as they are known. */
export function usdOn(usage: Usage, day: string): number {
  return Object.values(usage[day] ?? {}).reduce((sum, { usd }) => sum + usd, 0);
}

/** Lines of a table of the last so many days, in dollars and tokens; none when nothing was used. */
export function usageTable(
  usage: Usage,
  { by, days, now }: { by: "day" | "model"; days: number; now: number },
): string[] {
  const first = dayOf(now - (days - 1) * 86_400_000);
  const sums = new Map<string, UseSum>();
  for (const [day, models] of Object.entries(usage)) {
    if (day < first) continue;
    for (const [model, one] of Object.entries(models)) {
      const key = by === "day" ? day : model;
      sums.set(key, plus(sums.get(key) ?? NOTHING, one));
    }
  }
  if (sums.size === 0) return [];
  const rows = [...sums].sort(([a, one], [b, other]) =>
    by === "day" ? (a < b ? -1 : 1) : other.usd - one.usd || (a < b ? -1 : 1)
  );
  const total = [...sums.values()].reduce(plus, NOTHING);
  const counts = ["turns", "in", "out", "cached", "cost"] as const;
  return renderTable(
    [{ title: by }, ...counts.map((title) => ({ title, align: "right" as const }))],
    [...rows, ...(rows.length > 1 ? [["total", total] as const] : [])]
      .map(([name, one]) => cells(name, one)),
    { width: Infinity },
  );
}

function cells(
  name: string,
  { turns, input, output, cacheRead, cacheWrite, usd, unpriced }: UseSum,
) {
  const whole = (n: number) => n.toLocaleString("en-US");
  const known = turns > unpriced ? `$${usd.toFixed(usd < 1 ? 4 : 2)}` : "";
  const open = unpriced === 0 ? "" : `${unpriced} without a price`;
  const cost = [known, open].filter((one) => one !== "").join(", ");
  // As the pool's table counts: what was written into a cache was read in, too.
  return [name, whole(turns), whole(input + cacheWrite), whole(output), whole(cacheRead), cost];
}

function sumOf({ input, output, cacheRead, cacheWrite, usd }: TurnUse): UseSum {
  const unpriced = usd === null ? 1 : 0;
  return { turns: 1, input, output, cacheRead, cacheWrite, usd: usd ?? 0, unpriced };
}

function plus(a: UseSum, b: UseSum): UseSum {
  return {
    turns: a.turns + b.turns,
    input: a.input + b.input,
    output: a.output + b.output,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    usd: a.usd + b.usd,
    unpriced: a.unpriced + b.unpriced,
  };
}
