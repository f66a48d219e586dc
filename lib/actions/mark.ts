import { compactRanges, count } from "../base/text.ts";
import { signalsDue } from "../sweep/enforce.ts";
import { latestAttempt } from "../sweep/state.ts";
import type { SweepState } from "../sweep/state.ts";
import { LIVE, statusOf } from "../sweep/status.ts";
import type { Status } from "../sweep/status.ts";
import { assertHeard, look } from "./look.ts";
import { refuse } from "./outcome.ts";
import type { Refusal } from "./outcome.ts";
import type { Parts } from "./parts.ts";
import { knownIndices } from "./selection.ts";

export interface MarkResult {
  done: true;
  marked: readonly { index: number; previous: Status; now: Status; live: boolean }[];
  warnings: readonly string[];
}

/**
 * Pauses or prunes trials. A running one is told by its signal file and ends by
 * itself, to be cancelled when it has not after the grace; a queued one is
 * cancelled; one that never ran is set aside.
 */
export async function mark(
  parts: Parts,
  request: {
    intent: "pause" | "prune";
    indices: readonly number[];
    reason?: string;
    graceSeconds: number;
  },
): Promise<MarkResult | Refusal> {
  await look(parts, request.graceSeconds);
  const state = parts.state();
  const chosen = knownIndices(state, request.indices);
  const declined = decline(state, request.intent, chosen);
  if (declined !== undefined) return declined;
  const previous = new Map(chosen.map((index) => [index, statusOf(state, index)]));
  const reason = request.reason === undefined ? {} : { reason: request.reason };
  parts.append([{ type: "intent-set", indices: chosen, intent: request.intent, ...reason }]);
  parts.fault("mark-intended");
  // At once, whatever the cluster does; and the look that follows tells those
  // that began to run since, and cancels those that wait in the queue.
  for (const { trial, signal } of signalsDue(parts.state())) {
    parts.files.writeSignal(trial, signal);
  }
  const { warnings } = await look(parts, request.graceSeconds);
  return {
    done: true,
    marked: chosen.map((index) => {
      const now = statusOf(parts.state(), index);
      return { index, previous: previous.get(index)!, now, live: LIVE.has(now) };
    }),
    warnings,
  };
}

function decline(
  state: SweepState,
  intent: "pause" | "prune",
  indices: readonly number[],
): Refusal | undefined {
  const over = indices.filter((index) => {
    const status = statusOf(state, index);
    return status === "completed" || (intent === "pause" && status === "pruned");
  });
  if (over.length === 0) return undefined;
  const found = over.map((index) => `${index} is ${statusOf(state, index)}`).join(", ");
  return refuse(`Cannot ${intent} ${count(over.length, "trial")}: ${found}`, {
    facts: { indices: over },
  });
}

/** How long a resume waits for the paused attempt to end. */
const RESUME_WAIT_MS = 15_000;

/**
 * Paused (or pruned) trials that may be submitted again. Waits for their old
 * attempts to end: two processes on one checkpoint directory is the one thing
 * that a resume must never cause.
 */
export async function readyToResume(
  parts: Parts,
  indices: readonly number[],
  graceSeconds: number,
): Promise<number[] | Refusal> {
  const until = parts.clock.now() + RESUME_WAIT_MS;
  for (;;) {
    const { observations } = await look(parts, graceSeconds, { ended: true });
    const state = parts.state();
    const chosen = knownIndices(state, indices);
    const wrong = chosen.filter((index) => {
      const intent = state.intents.get(index)?.intent;
      return intent !== "pause" && intent !== "prune";
    });
    if (wrong.length > 0) {
      const found = wrong.map((index) => `${index} is ${statusOf(state, index)}`).join(", ");
      return refuse(
        `Cannot resume ${count(wrong.length, "trial")} not paused or pruned: ${found}`,
        {
          hint: "`herd run` submits ready, failed and cancelled trials",
          facts: { indices: wrong },
        },
      );
    }
    const live = chosen.filter((index) => {
      const attempt = latestAttempt(state, index);
      return attempt !== undefined && attempt.phase !== "ended";
    });
    if (live.length === 0) {
      assertHeard(state, observations, chosen);
      return chosen;
    }
    if (parts.clock.now() >= until) {
      return refuse(
        `Cannot resume ${count(live.length, "trial")}: ${
          compactRanges(live)
        } has not ended yet, and two processes would share one checkpoint`,
        {
          hint: "Wait until `herd status` says paused, or stop it with `herd stop`",
          facts: { indices: live },
        },
      );
    }
    await parts.clock.sleep(500, parts.signal);
  }
}
