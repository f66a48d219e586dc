import type { WorkspacePaths } from "../store/paths.ts";
import { writeJobIds, writeManifest } from "../store/manifest.ts";
import { latestAttempt } from "../sweep/state.ts";
import type { SweepState } from "../sweep/state.ts";
import { statusOf } from "../sweep/status.ts";

/** Writes `manifest.json` and `job_ids.json`, which trainers, scripts and people read. */
export function writeFilesForPeople(paths: WorkspacePaths, state: SweepState): void {
  const trials = [...state.trials.values()]
    .filter(({ dropped }) => dropped !== true)
    .sort((a, b) => a.index - b.index);
  writeManifest(
    paths.manifest,
    trials.map(({ index, key, params, extras, name }) => {
      const attempt = latestAttempt(state, index);
      const cause = attempt?.ending?.cause;
      return {
        index,
        hash: key,
        params,
        extras,
        experiment_name: name,
        status: statusOf(state, index),
        ...(cause === undefined || cause === "completed" ? {} : { cause }),
      };
    }),
  );
  const indices = new Map<string, number[]>();
  for (const { submission, trial } of state.attempts.values()) {
    const list = indices.get(submission);
    if (list === undefined) indices.set(submission, [trial]);
    else list.push(trial);
  }
  const jobs = [...state.submissions.values()].flatMap(({ id, jobId, scheduler }) =>
    jobId === undefined || scheduler !== "slurm"
      ? []
      : [{ slurm_job_id: jobId, indices: indices.get(id) ?? [] }]
  );
  writeJobIds(paths.jobIds, jobs);
}
