import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { codeOf, readIfThere } from "../base/files.ts";
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
  /** Files that may hide trials or jobs: enough is read to be shown, too little to act on. */
  damage: readonly Damage[];
}

export interface Damage {
  path: string;
  /** What is wrong, as the rest of a sentence: "is torn or damaged: …". */
  what: string;
}

/** Where what is found amiss goes. */
interface Findings {
  notices: Notice[];
  damage: Damage[];
}

export interface HyperHerdTrial {
  index: number;
  params: Readonly<Record<string, Value>>;
  extras: Readonly<Record<string, Value>>;
  name: string | undefined;
  status: string;
}

/** Undefined when HyperHerd left nothing. What is torn or cannot be opened is told as damage. */
export function readHyperHerdFiles(paths: WorkspacePaths): HyperHerdFiles | undefined {
  const findings: Findings = { notices: [], damage: [] };
  const manifest = readText(paths.manifest, findings);
  const jobIds = readText(paths.jobIds, findings);
  if (manifest === undefined && jobIds === undefined && !wasHyperHerds(paths)) {
    return undefined;
  }
  const trials = readTrials(manifest ?? "[]", paths.manifest, findings);
  // An empty list of jobs is as good as none: what was submitted has no job id then.
  const jobs = readJobs(jobIds?.trim() ? jobIds : "[]", paths.jobIds, findings);
  const used = [...createResults({ dir: paths.results }).listTrials(), ...logged(paths.logs)];
  const signals = createSignals({ dir: paths.results });
  const waiting = trials.flatMap(({ index }) => {
    const signal = signals.read(index);
    return signal === undefined ? [] : [[index, signal.action] as const];
  });
  return { trials, jobs, used: [...new Set(used)], signals: new Map(waiting), ...findings };
}

function readText(path: string, findings: Findings): string | undefined {
  try {
    return readIfThere(path);
  } catch (error) {
    // A folder in its place is nothing that HyperHerd wrote.
    if (codeOf(error) === "EISDIR") return undefined;
    hurt(findings, path, `cannot be read (${codeOf(error) ?? String(error)})`);
    return "[]";
  }
}

/** A file that was moved aside still tells that indices of the results are taken. */
function wasHyperHerds({ state, manifest, jobIds }: WorkspacePaths): boolean {
  const names = [manifest, jobIds].map((path) => basename(path));
  return namesIn(state).some((found) =>
    names.some((name) => found !== name && found.startsWith(name))
  );
}

function hurt({ notices, damage }: Findings, path: string, what: string): void {
  damage.push({ path, what });
  notices.push({ message: `"${path}" ${what}`, path });
}

function readTrials(text: string, path: string, findings: Findings): HyperHerdTrial[] {
  const { notices } = findings;
  const trials = new Map<number, HyperHerdTrial>();
  for (const entry of entriesOf(text, path, findings)) {
    const trial = trialOf(entry);
    if (trial === undefined) {
      hurt(findings, path, "has an entry that is passed over: it is no trial");
    } else if (trials.has(trial.index)) {
      notices.push({
        message: `"${path}" holds trial ${trial.index} more than once: the first one counts`,
        path,
      });
    } else trials.set(trial.index, trial);
  }
  return [...trials.values()].sort((a, b) => a.index - b.index);
}

function readJobs(text: string, path: string, findings: Findings): HyperHerdFiles["jobs"] {
  return entriesOf(text, path, findings).flatMap((entry) => {
    if (isRecord(entry) && Array.isArray(entry.indices)) {
      // `sbatch --parsable` may add the cluster's name after a semicolon.
      const jobId = /^(\d+)(;.*)?$/.exec(String(entry.slurm_job_id))?.[1];
      if (jobId !== undefined) return [{ jobId, indices: entry.indices.filter(isIndex) }];
    }
    const message = `An entry of "${path}" is passed over: it is no submission`;
    findings.notices.push({ message, path });
    return [];
  });
}

/** Entries of an array; of a torn or mixed file those that are whole. */
function entriesOf(text: string, path: string, findings: Findings): unknown[] {
  if (text.trim() === "") {
    hurt(findings, path, "is torn or damaged: it is empty");
    return [];
  }
  try {
    const value = parsePythonJson(text);
    if (Array.isArray(value)) return value;
    hurt(findings, path, "is passed over: it holds no list");
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
    hurt(findings, path, `is torn or damaged: ${kept} of it could be read`);
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
  return namesIn(folder).flatMap((name) => {
    const index = /^(\d{1,9})\.(out|err)$/.exec(name)?.[1];
    return index === undefined ? [] : [Number(index)];
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // No trial ever ran.
    return [];
  }
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
