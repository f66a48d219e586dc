import { formatMemory } from "../sweep/memory.ts";
import { limitText } from "../words/duration-text.ts";

export type Bumped = { to: number } | { cannot: string };

interface Kind {
  what: "memory" | "time";
  /** The most that may be asked for, in MiB or seconds: the least of the partition's and the configured one. */
  ceiling: number | undefined;
}

/**
 * So much per cent more, rounded up to what SLURM takes: whole mebibytes or
 * whole minutes. `from` in MiB (0 is all of a node) or seconds (null is
 * unlimited). At the most `ceiling`.
 */
export function bumped(from: number | null, percent: number, kind: Kind): Bumped {
  const refusal = boundless(from, kind.what);
  if (refusal !== undefined) return refusal;
  if (!(percent > 0 && percent <= 10_000)) {
    return { cannot: `A bump of ${percent} % asks for nothing more` };
  }
  // Products such as 1.1 × 10 are a hair too large in floating point.
  const more = from! * (100 + percent) / 100 * (1 - 1e-12);
  return within(from!, Math.max(more, from! + 1), kind);
}

/** The same for a size that somebody named. */
export function raisedTo(from: number | null, to: number, kind: Kind): Bumped {
  const refusal = boundless(from, kind.what);
  if (refusal !== undefined) return refusal;
  if (!Number.isFinite(to) || to <= from!) {
    const wanted = to < from! ? `, more than ${sizeText(kind.what, to)}; a bump only raises` : "";
    return { cannot: `${nameOf(kind.what)} is ${sizeText(kind.what, from)} already${wanted}` };
  }
  return within(from!, to, kind);
}

function within(from: number, to: number, { what, ceiling }: Kind): Bumped {
  const most = ceiling === undefined ? Infinity : roundDown(ceiling, what);
  if (most <= from) {
    return { cannot: `${nameOf(what)} is at its ceiling of ${sizeText(what, most)} already` };
  }
  return { to: Math.min(roundUp(to, from, what), most) };
}

function boundless(from: number | null, what: "memory" | "time"): { cannot: string } | undefined {
  if (from === null) return { cannot: "Time is unlimited already" };
  if (from > 0) return undefined;
  return {
    cannot: what === "memory" ? "Memory is all of a node's already" : "Time is unlimited already",
  };
}

/** Who wrote whole gibibytes reads quarters of them more easily than 13620M. */
function roundUp(value: number, from: number, what: "memory" | "time"): number {
  const step = what === "time" ? 60 : from % 1024 === 0 ? 256 : 1;
  return Math.ceil(value / step) * step;
}

function roundDown(value: number, what: "memory" | "time"): number {
  const step = what === "time" ? 60 : 1;
  return Math.floor(value / step) * step;
}

function nameOf(what: "memory" | "time"): string {
  return what === "memory" ? "Memory" : "Time";
}

/** "12G" or "1h30m". */
export function sizeText(what: "memory" | "time", size: number | null): string {
  return what === "time" ? limitText(size) : size === 0 ? "all of a node" : formatMemory(size!);
}

/** The least of the limits that are known; null is no limit. */
export function ceilingOf(...limits: readonly (number | null | undefined)[]): number | undefined {
  const known = limits.filter((one): one is number => typeof one === "number");
  return known.length === 0 ? undefined : Math.min(...known);
}
