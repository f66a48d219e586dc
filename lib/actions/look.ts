import { compactRanges } from "../base/text.ts";
import { overdue } from "../sweep/enforce.ts";
import { latestAttempt } from "../sweep/state.ts";
import { transitions } from "../sweep/transition.ts";
import type { Observation } from "../sweep/transition.ts";
import { observe, silences } from "./observe.ts";
import type { Parts } from "./parts.ts";
import { taskRefs } from "./parts.ts";
import { recover } from "./recover.ts";

export interface LookResult {
  observations: readonly Observation[];
  /** What could not be learnt, a sentence each. */
  warnings: readonly string[];
}

/**
 * Brings the journal up to what the cluster says: submissions of unknown fate are
 * looked up, changes of attempts are written down, and cancels that are due go out.
 */
export async function look(parts: Parts, graceSeconds: number): Promise<LookResult> {
  const undecided = await recover(parts);
  const observations = await observe(parts.state(), {
    scheduler: parts.scheduler,
    readRecords: parts.files.readRecords,
  });
  const changes = observations.flatMap((observation) => transitions(parts.state(), observation));
  if (changes.length > 0) parts.append([{ type: "attempts-changed", changes }]);
  const warnings = [
    ...silences(observations),
    ...undecided.map(({ jobName }) =>
      `Whether the scheduler took job "${jobName}" is not known yet; its trials wait for the answer`
    ),
  ];
  const failed = await cancelTrials(parts, overdue(parts.state(), parts.clock.now(), graceSeconds));
  return { observations, warnings: failed === undefined ? warnings : [...warnings, failed] };
}

/** Sends cancels for these trials' latest attempts and writes that down. Returns what went wrong, in words. */
export async function cancelTrials(
  parts: Parts,
  indices: readonly number[],
): Promise<string | undefined> {
  if (indices.length === 0) return undefined;
  const attempts = indices.flatMap((index) => latestAttempt(parts.state(), index) ?? []);
  const details: string[] = [];
  for (const [name, refs] of taskRefs(parts.state(), attempts)) {
    const answer = await parts.scheduler(name).cancel(refs);
    if (!answer.ok) details.push(answer.detail);
  }
  const detail = details.join("; ");
  const ok = details.length === 0;
  // A cancel that did not get through is not written as sent: it is due again at the next look.
  if (ok) parts.append([{ type: "cancel-sent", indices, ok: true }]);
  return ok ? undefined : `Cannot cancel trials ${compactRanges(indices)}: ${detail}`;
}
