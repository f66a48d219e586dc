import { tailLines } from "../store/log-tail.ts";
import type { Tick } from "../sweep/monitor-event.ts";
import type { MonitorState } from "../sweep/monitor-state.ts";

const USUAL = 20;
const MOST = 200;
/** Ticks are looked for in the journal's last part only: those before are history. */
const MOST_BYTES = 4 * 1024 * 1024;

/** The last ticks, newest last, read from the journal's end when there was another one. */
export function createTickReading(journal: string) {
  let known: { count: number; ticks: readonly Tick[] } | undefined;
  return (monitor: MonitorState, limit = USUAL): readonly Tick[] => {
    if (monitor.lastTick === undefined) return [];
    if (known?.count !== monitor.ticks) {
      known = { count: monitor.ticks, ticks: withLast(readTicks(journal), monitor.lastTick) };
    }
    return known.ticks.slice(-Math.max(1, Math.min(MOST, Math.floor(limit) || USUAL)));
  };
}

function readTicks(path: string): Tick[] {
  const lines = tailLines(path, Infinity, MOST_BYTES)?.lines ?? [];
  return lines.filter((line) => line.includes('"type":"ticked"')).slice(-MOST).flatMap(tickOf);
}

/** The first line of the part may be cut; a damaged one tells nothing. */
function tickOf(line: string): Tick[] {
  try {
    const { what } = JSON.parse(line);
    return what?.type === "ticked" ? [what.tick as Tick] : [];
  } catch {
    return [];
  }
}

function withLast(ticks: readonly Tick[], last: Tick): readonly Tick[] {
  return ticks.at(-1)?.number === last.number ? ticks : [...ticks, last];
}
