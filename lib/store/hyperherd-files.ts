import { readdirSync } from "node:fs";
import { readIfThere } from "../base/files.ts";
import { count } from "../base/text.ts";
import type { Notice } from "../sweep/config.ts";
import type { Value } from "../sweep/value.ts";
import type { WorkspacePaths } from "./paths.ts";
import { parsePythonJson, topLevelParts } from "./python-json.ts";
import { createResults } from "./results.ts";
import { createSignals } from "./signals.ts";
import type { SignalAction } from "./signals.ts";

/** What HyperHerd left in a workspace, as far as it can be read. */
export interface HyperHerdFiles {
  trials: readonly HyperHerdTrial[];
  /** In order of submission. */
  jobs: readonly { jobId: string; indices: readonly number[] }[];
  /** Indices that results or logs exist for: never to be given to another trial. */
  used: readonly number[];
  /** Signals that trainers may not have read yet. */
  signals: ReadonlyMap<number, SignalAction>;
  notices: readonly Notice[];
}

export interface HyperHerdTrial {
  index: number;
  params: Readonly<Record<string, Value>>;
  extras: Readonly<Record<string, Value>>;
  name: string | undefined;
  status: string;
}

/** Undefined when HyperHerd left nothing. Damage is a notice; only what cannot be opened throws. */
export function readHyperHerdFiles(paths: WorkspacePaths): HyperHerdFiles | undefined {
  const manifest = readIfThere(paths.manifest);
  const jobIds = readIfThere(paths.jobIds);
  if (manifest === undefined && jobIds === undefined) return undefined;
  const notices: Notice[] = [];
  const trials = readTrials(manifest ?? "[]", paths.manifest, notices);
  const jobs = readJobs(jobIds ?? "[]", paths.jobIds, notices);
  const used = [...createResults({ dir: paths.results }).listTrials(), ...logged(paths.logs)];
  const signals = createSignals({ dir: paths.results });
  const waiting = trials.flatMap(({ index }) => {
    const signal = signals.read(index);
    return signal === undefined ? [] : [[index, signal.action] as const];
  });
  return { trials, jobs, used: [...new Set(used)], signals: new Map(waiting), notices };
}

function readTrials(text: string, path: string, notices: Notice[]): HyperHerdTrial[] {
  const trials = new Map<number, HyperHerdTrial>();
  for (const entry of entriesOf(text, path, notices)) {
    const trial = trialOf(entry);
    if (trial === undefined) {
      notices.push({ message: `An entry of "${path}" is passed over: it is no trial`, path });
    } else if (trials.has(trial.index)) {
      notices.push({
        message: `"${path}" holds trial ${trial.index} more than once: the first one counts`,
        path,
      });
    } else trials.set(trial.index, trial);
  }
  return [...trials.values()].sort((a, b) => a.index - b.index);
}

function readJobs(text: string, path: string, notices: Notice[]): HyperHerdFiles["jobs"] {
  return entriesOf(text, path, notices).flatMap((entry) => {
    if (isRecord(entry) && Array.isArray(entry.indices)) {
      // `sbatch --parsable` may add the cluster's name after a semicolon.
      const jobId = /^(\d+)(;.*)?$/.exec(String(entry.slurm_job_id))?.[1];
      if (jobId !== undefined) return [{ jobId, indices: entry.indices.filter(isIndex) }];
    }
    notices.push({ message: `An entry of "${path}" is passed over: it is no submission`, path });
    return [];
  });
}

/** Entries of an array; of a torn or mixed file those that are whole. */
function entriesOf(text: string, path: string, notices: Notice[]): unknown[] {
  try {
    const value = parsePythonJson(text);
    if (Array.isArray(value)) return value;
    notices.push({ message: `"${path}" is passed over: it holds no list`, path });
    return [];
  } catch {
    const entries = (topLevelParts(text, "[")?.items ?? []).flatMap((item) => {
      try {
        return [parsePythonJson(item)];
      } catch {
        return [];
      }
    });
    const kept = count(entries.length, "whole entry", "whole entries");
    notices.push({ message: `"${path}" is torn or damaged: ${kept} of it could be read`, path });
    return entries;
  }
}

function trialOf(entry: unknown): HyperHerdTrial | undefined {
  if (!isRecord(entry) || !isIndex(entry.index)) return undefined;
  return {
    index: entry.index,
    params: valuesOf(entry.params),
    extras: valuesOf(entry.extras),
    name: typeof entry.experiment_name === "string" && entry.experiment_name !== ""
      ? entry.experiment_name
      : undefined,
    status: typeof entry.status === "string" ? entry.status.trim().toLowerCase() : "ready",
  };
}

function valuesOf(value: unknown): Record<string, Value> {
  return isRecord(value) ? writable(value) as Record<string, Value> : {};
}

/** The journal's JSON has no word for NaN and the infinities; as text they still reach the trainer as it takes them. */
function writable(value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) {
    return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }
  if (Array.isArray(value)) return value.map(writable);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, writable(each)]));
}

function logged(folder: string): number[] {
  let names: string[] = [];
  try {
    names = readdirSync(folder);
  } catch {
    // No trial ever ran.
  }
  return names.flatMap((name) => {
    const index = /^(\d{1,9})\.(out|err)$/.exec(name)?.[1];
    return index === undefined ? [] : [Number(index)];
  });
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
