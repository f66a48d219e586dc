import { readIfThere, replaceFile } from "../base/files.ts";
import type { Value } from "../sweep/value.ts";
import { diskError } from "./disk-error.ts";

/** One trial in `manifest.json`; what HyperHerd does not know comes after its own keys. */
export interface ManifestEntry {
  index: number;
  /** 12 hex digits. */
  hash: string;
  params: Readonly<Record<string, Value>>;
  extras: Readonly<Record<string, Value>>;
  experiment_name: string;
  status: string;
  readonly [more: string]: unknown;
}

/** One submission in `job_ids.json`, in order of submission. */
export interface JobEntry {
  slurm_job_id: string;
  indices: readonly number[];
}

/** Trainers and scripts read it. True when it had to be written, false when it was so already. */
export function writeManifest(path: string, entries: readonly ManifestEntry[]): boolean {
  return writeIfChanged(
    path,
    entries.map(({ index, hash, params, extras, experiment_name, status, ...more }) => (
      { index, hash, params, extras, experiment_name, status, ...more }
    )),
  );
}

/** True when it had to be written. */
export function writeJobIds(path: string, jobs: readonly JobEntry[]): boolean {
  return writeIfChanged(path, jobs.map(({ slurm_job_id, indices }) => ({ slurm_job_id, indices })));
}

function writeIfChanged(path: string, value: unknown): boolean {
  const text = JSON.stringify(value, null, 2);
  try {
    if (readIfThere(path) === text) return false;
    replaceFile(path, text);
    return true;
  } catch (error) {
    throw diskError(error, `Cannot write "${path}"`);
  }
}
