import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { PlotRequest } from "../discord/draw-plot.ts";
import { chartOf } from "./chart-of.ts";
import { createDraw } from "./draw.ts";
import { openDesk } from "./open-desk.ts";

/** A picture of a workspace's metrics, for a process that is no daemon. */
export async function plotSweep(
  parts: {
    workspace: string;
    env: Readonly<Record<string, string | undefined>>;
    clock: Clock;
    log: Log;
    signal: AbortSignal;
    self: readonly string[];
  },
  request: PlotRequest,
): Promise<{ png: Uint8Array; caption: string } | { cannot: string }> {
  const desk = await openDesk({ ...parts, onWarning: () => {} });
  const made = chartOf(desk, request);
  if ("cannot" in made) return made;
  const drawn = await createDraw(parts)(made.chart, parts.signal);
  return "cannot" in drawn ? drawn : { png: drawn.png, caption: made.caption };
}
