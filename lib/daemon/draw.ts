import { Buffer } from "node:buffer";
import type { Chart } from "../charts/chart.ts";
import type { Log } from "../base/log.ts";
import { runProcess } from "../base/process.ts";

export type Draw = (
  chart: Chart,
  signal?: AbortSignal,
) => Promise<{ png: Uint8Array } | { cannot: string }>;

const PATIENCE_MS = 30_000;
/** Who waits longer than for so many others is told to come back. */
const MOST_WAITING = 8;

/**
 * Draws in a process of its own, one at a time: what draws takes some 150 MB, which the daemon
 * does not keep.
 */
export function createDraw({ self, log }: { self: readonly string[]; log: Log }): Draw {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  async function drawNow(chart: Chart, signal: AbortSignal | undefined) {
    const ended = await runProcess([...self, "draw"], {
      input: JSON.stringify(chart),
      timeoutMs: PATIENCE_MS,
      ...(signal === undefined ? {} : { signal }),
    });
    if (ended.ok) return { png: new Uint8Array(Buffer.from(ended.stdout, "base64")) };
    log.write("warn", "Cannot draw", {
      exit: ended.exitCode,
      timedOut: ended.timedOut,
      stderr: ended.stderr.slice(-2_000),
    });
    return {
      cannot: ended.timedOut
        ? "The picture took too long: ask for fewer trials"
        : "The picture could not be drawn; the log says why",
    };
  }

  return (chart, signal) => {
    if (waiting >= MOST_WAITING) {
      return Promise.resolve({
        cannot: "Too many pictures are being drawn; try again in a minute",
      });
    }
    waiting++;
    const mine = last.then(() => drawNow(chart, signal));
    last = mine.catch(() => {}).finally(() => waiting--);
    return mine;
  };
}
