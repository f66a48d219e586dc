import { count } from "../base/text.ts";
import type { Status } from "../sweep/status.ts";
import { totalsText, usdText } from "./amount-text.ts";
import { keepBeginning, quoted } from "./post-text.ts";

/** The last post. `usd` null: what was spent is not known in full. */
export function stoppedText(stop: {
  reason: string;
  ticks: number;
  usd: number | null;
  totals: Readonly<Record<string, number>>;
  /** Trials that the cluster still works on. */
  live?: number;
}): string {
  const cost = stop.usd === null ? "cost unknown" : `${usdText(stop.usd)} spent`;
  const live = (stop.live ?? 0) > 0
    ? ` ${count(stop.live!, "live trial")} ${stop.live === 1 ? "goes" : "go"} on without it.`
    : "";
  const again = OPEN.some((status) => (stop.totals[status] ?? 0) > 0)
    ? " `herd monitor` takes it up again."
    : "";
  return keepBeginning(
    `monitor stopped: ${quoted(stop.reason, 300)}. ${count(stop.ticks, "tick")}, ${cost}. ${
      totalsText(stop.totals)
    }.${live}${again}`,
  );
}

/** Trials that something may still become of. */
const OPEN: readonly Status[] = ["ready", "submitted", "queued", "running", "paused", "unknown"];
