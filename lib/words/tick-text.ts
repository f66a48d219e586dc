import { totalsText } from "./amount-text.ts";
import { spanText } from "./duration-text.ts";
import { keepBeginning, POST_LIMIT } from "./post-text.ts";

type Totals = Readonly<Record<string, number>>;

/** What every tick ends with. */
export function nextTickText(nextInMs: number): string {
  return `Next tick in ${spanText(nextInMs)}.`;
}

/**
 * The one post of a tick. `actions` are sentences, with or without their periods;
 * what the agent itself said comes first.
 */
export function tickSummary(tick: {
  quiet: boolean;
  actions: readonly string[];
  totals: Totals;
  nextInMs: number;
  halted?: boolean;
  /** The agent's own words. */
  words?: string;
}): string {
  const next = nextTickText(tick.nextInMs);
  const words = withoutCountdown(tick.words ?? "");
  const done = tick.actions.map(sentence).join(" ");
  const body = [words, done].filter((part) => part !== "").join(" ");
  const text = body !== ""
    ? body
    : tick.halted === true
    ? `halted — ${totalsText(tick.totals)}.`
    : `tick ${tick.quiet ? "clean" : "done"} — ${totalsText(tick.totals)}.`;
  return `${sentence(keepBeginning(text, POST_LIMIT - next.length - 2))} ${next}`;
}

/** A model that was told of the rule may have followed it: it is said once. */
function withoutCountdown(text: string): string {
  return text.trim().replace(/\s*next tick in [^.\n]{1,30}\.?$/i, "").trim();
}

function sentence(text: string): string {
  const trimmed = text.trim();
  return trimmed === "" || /[.!?…:)`]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** Totals in passing, with what there is to know of the daemon. */
export function heartbeatText(now: {
  totals: Totals;
  ticks: number;
  /** Undefined when no tick is due. */
  nextInMs: number | undefined;
  phase?: string;
  halted?: boolean;
  /** The last pass of halving, in words. */
  halving?: string;
}): string {
  const total = now.totals["total"] ?? 0;
  const parts = [
    `${totalsText(now.totals)} of ${total}`,
    ...(now.phase === undefined ? [] : [now.phase]),
    ...(now.halted === true ? ["halted"] : []),
    `tick ${now.ticks}${now.nextInMs === undefined ? "" : `, next in ${spanText(now.nextInMs)}`}`,
    ...(now.halving === undefined ? [] : [now.halving]),
  ];
  return keepBeginning(parts.join(" · "));
}

const BAR = 20;

/** How far the sweep is, for a line that is drawn anew: a bar, totals, phase. */
export function standingText(
  { totals, phase, halted }: { totals: Totals; phase: string; halted: boolean },
): string {
  const { total = 0, running = 0, ready = 0, submitted = 0, queued = 0, unknown = 0 } = totals;
  const over = total - running - ready - submitted - queued - unknown;
  const share = (n: number) => Math.round((n / Math.max(1, total)) * BAR);
  const bar = "█".repeat(share(over)).padEnd(share(over + running), "▒").padEnd(BAR, "░");
  const parts = [`${bar} ${over}/${total}`, totalsText(totals), phase];
  return [...parts, ...(halted ? ["halted"] : [])].join(" · ");
}
