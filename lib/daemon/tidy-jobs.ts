import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { PoolState } from "../tasks/pool-state.ts";
import { workerFolder } from "../tasks/via-files-folder.ts";
import type { PoolPlace } from "./pool-place.ts";

/** Long enough to look into the output of one that failed, and to be told of by a late worker. */
const KEPT_MS = 24 * 3_600_000;

/** Removes the folders of workers whose job is over for long. What cannot be removed stays. */
export function tidyJobs(
  place: Pick<PoolPlace, "root" | "jobs">,
  state: Pick<PoolState, "jobs" | "workers">,
  now: number,
): void {
  for (const name of namesIn(place.jobs)) {
    if (!/^slurm-\d+$/.test(name) || state.jobs.has(name) || state.workers.has(name)) continue;
    try {
      if (now - statSync(join(place.jobs, name)).mtimeMs < KEPT_MS) continue;
      rmSync(workerFolder(place.root, name), { recursive: true, force: true });
      rmSync(join(place.jobs, name), { recursive: true, force: true });
    } catch {
      // Another time.
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
