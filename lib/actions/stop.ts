import { count } from "../base/text.ts";
import { latestAttempt } from "../sweep/state.ts";
import { LIVE, statusOf } from "../sweep/status.ts";
import type { Status } from "../sweep/status.ts";
import { cancelTrials, look } from "./look.ts";
import { refuse } from "./outcome.ts";
import type { Refusal } from "./outcome.ts";
import type { Parts } from "./parts.ts";
import { knownIndices } from "./selection.ts";

export interface StopResult {
  done: true;
  cancelled: readonly { index: number; jobId: string | undefined; previous: Status; now: Status }[];
  warnings: readonly string[];
}

/** How long a stop waits to see its effect; scancel is usually seen within a second. */
const CONFIRM_MS = 10_000;

/**
 * Cancels live trials. What the user wants is written first, so that a stop which
 * SLURM does not hear is sent again; that the job is really gone is looked up, never assumed.
 */
export async function stop(
  parts: Parts,
  request: { indices: readonly number[] | "all"; reason?: string; graceSeconds: number },
): Promise<StopResult | Refusal> {
  const first = await look(parts, request.graceSeconds);
  const state = parts.state();
  const chosen = request.indices === "all"
    ? [...state.trials.keys()].filter((index) => LIVE.has(statusOf(state, index)))
    : knownIndices(state, request.indices);
  const idle = chosen.filter((index) => !LIVE.has(statusOf(state, index)));
  if (idle.length > 0) {
    const found = idle.map((index) => `${index} is ${statusOf(state, index)}`).join(", ");
    return refuse(
      `Cannot stop ${count(idle.length, "trial")} that ${
        idle.length === 1 ? "is" : "are"
      } not live: ${found}`,
      {
        hint: "Only submitted, queued, running and unknown trials can be stopped",
        facts: { indices: idle },
      },
    );
  }
  const previous = new Map(chosen.map((index) => [index, statusOf(state, index)]));
  if (chosen.length > 0) {
    const reason = request.reason === undefined ? {} : { reason: request.reason };
    parts.append([{ type: "intent-set", indices: chosen, intent: "stop", ...reason }]);
  }
  parts.fault("stop-intended");
  const failed = await cancelTrials(
    parts,
    chosen.filter((index) => latestAttempt(parts.state(), index)?.jobId !== undefined),
  );
  const last = failed === undefined
    ? await confirm(parts, chosen, request.graceSeconds)
    : first.warnings;
  return {
    done: true,
    cancelled: chosen.map((index) => ({
      index,
      jobId: latestAttempt(parts.state(), index)?.jobId,
      previous: previous.get(index)!,
      now: statusOf(parts.state(), index),
    })),
    warnings: failed === undefined ? last : [failed, ...last],
  };
}

async function confirm(
  parts: Parts,
  indices: readonly number[],
  graceSeconds: number,
): Promise<readonly string[]> {
  const until = parts.clock.now() + CONFIRM_MS;
  for (let pause = 100;; pause = Math.min(pause * 2, 2_000)) {
    const { warnings } = await look(parts, graceSeconds);
    const live = indices.some((index) => LIVE.has(statusOf(parts.state(), index)));
    if (!live || warnings.length > 0 || parts.clock.now() >= until) return warnings;
    await parts.clock.sleep(pause, parts.signal);
  }
}
