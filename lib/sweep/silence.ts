import { attemptKey } from "./event.ts";
import { latestAttempt } from "./state.ts";
import type { SweepState } from "./state.ts";
import type { Look } from "./sighting.ts";
import type { Observation } from "./transition.ts";

/** A running job touches its record this often (`heartbeatSeconds` of the batch script). */
export const HEARTBEAT_MS = 30_000;

/**
 * A job is worth a word after so long without a sign of life: ten heartbeats, as
 * a loaded file server swallows a few. SLURM itself calls a job RUNNING for ever
 * when its processes were lost and its node's daemon was not.
 */
export const SILENT_AFTER_MS = 10 * HEARTBEAT_MS;

/** Stopped on purpose, its heart with it. */
const ASLEEP = /^(SUSPENDED|STOPPED)/;

/** Milliseconds since the last sign of life, by trial; of running trials that write a record. */
export function silences(
  state: SweepState,
  observations: readonly (Pick<Observation, "records"> & { look?: Pick<Look, "heardAt"> })[],
  now: number,
): Map<number, number> {
  const silent = new Map<number, number>();
  for (const index of state.trials.keys()) {
    const attempt = latestAttempt(state, index);
    if (attempt?.phase !== "running" || ASLEEP.test(attempt.schedulerState ?? "")) continue;
    const key = attemptKey(attempt.submission, attempt.task);
    for (const { records, look } of observations) {
      const record = records.get(key);
      if (record?.startedAt === undefined || record.endedAt !== undefined) continue;
      // Of what came since the jobs' words were last fetched nobody knows.
      const heardAt = Math.min(now, look?.heardAt ?? now);
      // The file server's clock may be ahead of this one.
      silent.set(index, Math.max(0, heardAt - record.aliveAt));
    }
  }
  return silent;
}

/** "no sign of life for 12 min", or undefined while there is no reason to worry. */
export function silenceNote(silentMs: number | undefined): string | undefined {
  if (silentMs === undefined || silentMs <= SILENT_AFTER_MS) return undefined;
  const minutes = Math.floor(silentMs / 60_000);
  const long = minutes < 120
    ? `${minutes} min`
    : minutes < 48 * 60
    ? `${Math.floor(minutes / 60)} h`
    : `${Math.floor(minutes / 1440)} days`;
  return `no sign of life for ${long}`;
}
