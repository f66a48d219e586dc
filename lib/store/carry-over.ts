import { compactRanges } from "../base/text.ts";
import type { Cause } from "../sweep/attempt.ts";
import { CARRIED_REASON } from "../sweep/carried.ts";
import type { Notice } from "../sweep/config.ts";
import type { CarriedAttempt, Happening, Intent } from "../sweep/event.ts";
import { trialKey } from "../sweep/identity.ts";
import type { PlannedTrial } from "../sweep/trial.ts";
import type { HyperHerdFiles, HyperHerdTrial } from "./hyperherd-files.ts";

type NewTrial = PlannedTrial & { index: number; key: string };

/** What makes a workspace of HyperHerd's one of herd's: the first events of its journal. */
export interface CarryOver {
  happenings: readonly Happening[];
  notices: readonly Notice[];
}

/** How HyperHerd's sticky statuses read as wishes. */
const INTENTS: Readonly<Record<string, Intent>> = {
  paused: "pause",
  pruned: "prune",
  cancelled: "stop",
};

/** Statuses under which HyperHerd's job may read its signal file yet. */
const STICKY = new Set(Object.keys(INTENTS));

/** Statuses before any submission. */
const UNSUBMITTED = new Set(["ready", "pending"]);

/** Statuses that are HyperHerd's own; any other is SLURM's word in small letters. */
const KNOWN = new Set([
  ...STICKY,
  ...UNSUBMITTED,
  "submitted",
  "queued",
  "running",
  "completed",
  "failed",
]);

/** `jobName` is what HyperHerd named the sweep's jobs; without it any job with a known id is taken for one. */
export function carryOver(found: HyperHerdFiles, jobName?: string): CarryOver {
  const notices = [...found.notices];
  const trials = nameApart(found.trials, notices);
  const attempts = attemptsOf(found);
  const gone = indicesWithoutTrial(found);
  const statuses = Object.fromEntries(found.trials.map(({ index, status }) => [index, status]));
  const happenings: Happening[] = [];
  if (trials.length + gone.length > 0) {
    happenings.push({ type: "trials-added", trials: [...trials, ...gone.map(placeholder)] });
  }
  if (gone.length > 0) happenings.push({ type: "trials-dropped", indices: gone });
  happenings.push({
    type: "carried-over",
    attempts,
    statuses,
    ...(jobName === undefined ? {} : { jobName }),
  });
  for (const intent of ["stop", "pause", "prune"] as const) {
    const indices = found.trials.filter((trial) => intentOf(trial, found) === intent)
      .map(({ index }) => index);
    if (indices.length === 0) continue;
    happenings.push({ type: "intent-set", indices, intent, reason: CARRIED_REASON });
  }
  notices.push(...unknownStatuses(found.trials), ...withoutJob(attempts));
  return { happenings, notices };
}

function nameApart(trials: readonly HyperHerdTrial[], notices: Notice[]): NewTrial[] {
  const names = new Set<string>();
  return trials.map(({ index, params, extras, name }) => {
    let unique = name ?? `trial-${index}`;
    if (names.has(unique)) {
      // G.1.13: HyperHerd gave two trials one name. The first keeps it, and the files under it.
      unique = `${unique}-${index}`;
      notices.push({
        message: `Trial ${index} had the name of another trial, "${name}": it is "${unique}" now`,
      });
    }
    names.add(unique);
    const key = trialKey(params);
    return { index, key, params, extras, resources: {}, name: unique, conditions: [] };
  });
}

/**
 * One attempt per job and index. Only what cannot be alive any more gets a
 * cause; the rest is asked of the scheduler, because HyperHerd called trials
 * cancelled that ran on (G.1.5), paused while they still stopped, and failed
 * after their earlier attempt did (G.1.6).
 */
function attemptsOf({ jobs, trials }: HyperHerdFiles): CarriedAttempt[] {
  const byTrial = new Map<number, CarriedAttempt[]>();
  const seen = new Set<string>();
  for (const { jobId, indices } of jobs) {
    for (const trial of indices) {
      const id = `${jobId}_${trial}`;
      if (seen.has(id)) continue;
      seen.add(id);
      const before = byTrial.get(trial) ?? [];
      byTrial.set(trial, [...before, { trial, number: before.length + 1, jobId, task: trial }]);
    }
  }
  for (const { index, status } of trials) {
    // It ran, or may run yet, whatever became of the record of its job.
    if (!byTrial.has(index) && !STICKY.has(status) && !UNSUBMITTED.has(status)) {
      byTrial.set(index, [{ trial: index, number: 1, task: index }]);
    }
    const attempts = byTrial.get(index) ?? [];
    const cause = causeOf(status, attempts.length);
    const last = attempts.pop();
    if (last !== undefined) attempts.push(cause === undefined ? last : { ...last, cause });
  }
  return [...byTrial.values()].flat();
}

function causeOf(status: string, attempts: number): Cause | undefined {
  if (status === "completed") return "completed";
  return status === "failed" && attempts === 1 ? "exit" : undefined;
}

function intentOf({ index, status }: HyperHerdTrial, { signals }: HyperHerdFiles) {
  if (STICKY.has(status)) return INTENTS[status];
  // Killed between writing the signal and the status: the trainer will obey the signal.
  if (status === "completed" || status === "failed") return undefined;
  return signals.get(index);
}

/** Trials that HyperHerd dropped: their index, files and jobs stay theirs. */
function indicesWithoutTrial({ trials, jobs, used }: HyperHerdFiles): number[] {
  const known = new Set(trials.map(({ index }) => index));
  const all = new Set([...jobs.flatMap(({ indices }) => indices), ...used]);
  return [...all].filter((index) => !known.has(index)).sort((a, b) => a - b);
}

function placeholder(index: number): NewTrial {
  // What was swept is not known any more. No sweep has such a parameter, so that no trial
  // of the configuration is ever taken for this one.
  const params = { "dropped by HyperHerd": index };
  const name = `dropped-${index}`;
  return { index, key: trialKey(params), params, extras: {}, resources: {}, name, conditions: [] };
}

function unknownStatuses(trials: readonly HyperHerdTrial[]): Notice[] {
  return trials.filter(({ status }) => !KNOWN.has(status)).map(({ index, status }) => ({
    message:
      `Trial ${index} has the status "${status}", which is SLURM's word: its job is asked for`,
  }));
}

function withoutJob(attempts: readonly CarriedAttempt[]): Notice[] {
  const lost = attempts.filter(({ jobId, cause }) => jobId === undefined && cause === undefined)
    .map(({ trial }) => trial);
  if (lost.length === 0) return [];
  const which = compactRanges(lost);
  return [{
    message: `${lost.length === 1 ? "Trial" : "Trials"} ${which} had been submitted by HyperHerd ` +
      `and no job id is on record: their jobs may run yet. When none does, ` +
      `\`herd stop -i ${which}\` makes them cancelled, so that they can run again`,
  }];
}
