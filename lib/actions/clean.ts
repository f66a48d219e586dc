import { LIVE, statusOf } from "../sweep/status.ts";
import type { Refusal } from "./outcome.ts";
import type { Parts } from "./parts.ts";
import { stop } from "./stop.ts";
import type { StopResult } from "./stop.ts";

export interface CleanResult {
  done: true;
  stopped: StopResult["cancelled"];
  /** Trials whose jobs are still there after the wait; files they write must not be deleted. */
  alive: readonly number[];
  warnings: readonly string[];
}

/** Ends everything that is live, so that files can be removed. */
export async function cleanUp(parts: Parts): Promise<CleanResult | Refusal> {
  const stopped = await stop(parts, { indices: "all", reason: "clean", graceSeconds: 0 });
  if (!stopped.done) return stopped;
  const state = parts.state();
  const alive = [...state.trials.keys()].filter((index) => LIVE.has(statusOf(state, index)));
  return { done: true, stopped: stopped.cancelled, alive, warnings: stopped.warnings };
}
