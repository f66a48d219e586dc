import type { Usage } from "../../sweep/attempt.ts";
import type { Sighting } from "../../sweep/sighting.ts";
import { keyOf } from "./task-key.ts";
import type { TaskRef } from "../scheduler.ts";
import { parseBytes, parseDuration, parseEpoch, parseRequestedMemory } from "./quantities.ts";
import { exitOf, isOver, seenState } from "./states.ts";

const FIELDS = [
  "JobID",
  "State",
  "ExitCode",
  "Start",
  "End",
  "ElapsedRaw",
  "AllocCPUS",
  "NNodes",
  "ReqMem",
  "TotalCPU",
  "MaxRSS",
  "AveRSS",
  "NodeList",
  // Last: it may hold the separator.
  "JobName",
] as const;

/** Bytes of one argument; Linux allows 128 KiB. */
const LONGEST_ARGUMENT = 100_000;
/** More tasks of one job than this are asked for as the whole job. */
const MOST_TASKS = 200;

/**
 * One call for all the tasks. A job is asked for as a whole (then its collapsed
 * row of never-started tasks comes too) unless `single` says that its tasks may
 * be asked for one by one, which is quick in an array of ten thousand.
 * `sinceMs` is the age of the oldest submission: relative, so that neither the
 * cluster's time zone nor the default window (today) matters.
 */
export function sacctArgv(
  tasks: readonly TaskRef[],
  single: (jobId: string) => boolean,
  sinceMs: number,
): string[] {
  const byJob = Map.groupBy(tasks, ({ jobId }) => jobId);
  const lists = [...byJob].map(([jobId, list]) =>
    single(jobId) && list.length <= MOST_TASKS
      ? list.map(({ task }) => `${jobId}_${task}`).join(",")
      : jobId
  );
  const all = lists.join(",");
  const asked = all.length <= LONGEST_ARGUMENT ? [all] : chunks([...byJob.keys()]);
  const head = ["sacct", "-n", "-P", "--noconvert", "-S", sinceOption(sinceMs)];
  return [...head, ...asked.flatMap((ids) => ["-j", ids]), "-o", FIELDS.join(",")];
}

/** A day more than the age covers clocks that differ. */
export function sinceOption(sinceMs: number): string {
  return `now-${Math.max(0, Math.ceil(sinceMs / 3_600_000)) + 24}hours`;
}

/** sacct adds up repeated `-j`. */
function chunks(ids: readonly string[]): string[] {
  const lists: string[] = [];
  for (const id of ids) {
    const last = lists.at(-1);
    if (last === undefined || last.length + id.length > LONGEST_ARGUMENT) lists.push(id);
    else lists[lists.length - 1] = `${last},${id}`;
  }
  return lists;
}

type Row = Record<(typeof FIELDS)[number], string>;

const JOB_ID = /^(\d+)_(?:(\d+)|\[([^\]]*)(\]?))(?:\.(.+))?$/;

/**
 * What sacct said, by task. Rows of steps give memory to their task. The
 * collapsed row of an array (`9_[15-99%5]`) is stale as soon as tasks start, so
 * it speaks only for `wanted` tasks without a row of their own, and not at all
 * when its list was cut.
 */
export function parseSacct(text: string, wanted: readonly TaskRef[]): Map<string, Sighting> {
  const own = new Map<string, Sighting>();
  const collapsed = new Map<string, { row: Row; holds: (task: number) => boolean }[]>();
  for (const line of text.split("\n")) {
    const row = rowOf(line);
    const match = row && JOB_ID.exec(row.JobID);
    if (!row || !match) continue;
    const [, jobId, task, list, closed, step] = match;
    if (task !== undefined) {
      const key = keyOf(jobId!, Number(task));
      if (step === undefined) own.set(key, sightingOf(row, jobId!, Number(task)));
      else addStep(own.get(key), row);
    } else if (closed === "]" && step === undefined) {
      const holds = parseTaskList(list!);
      if (holds !== undefined) {
        collapsed.set(jobId!, [...collapsed.get(jobId!) ?? [], { row, holds }]);
      }
    }
  }
  for (const { jobId, task } of wanted) {
    if (own.has(keyOf(jobId, task))) continue;
    const found = collapsed.get(jobId)?.find(({ holds }) => holds(task));
    if (found) own.set(keyOf(jobId, task), neverStarted(found.row, jobId, task));
  }
  return own;
}

function rowOf(line: string): Row | undefined {
  const parts = line.split("|");
  if (parts.length < FIELDS.length) return undefined;
  const last = FIELDS.length - 1;
  const values = [...parts.slice(0, last), parts.slice(last).join("|")];
  return Object.fromEntries(FIELDS.map((name, i) => [name, values[i]!])) as Row;
}

/** Membership in `0-9:2,15,20-99%5`; undefined when the list was cut or is not understood. */
export function parseTaskList(list: string): ((task: number) => boolean) | undefined {
  const ranges: { first: number; last: number; step: number }[] = [];
  for (const part of list.replace(/%\d+$/, "").split(",")) {
    const match = /^(\d+)(?:-(\d+)(?::(\d+))?)?$/.exec(part);
    if (match === null) return undefined;
    const first = Number(match[1]);
    ranges.push({
      first,
      last: Number(match[2] ?? first),
      step: Math.max(1, Number(match[3] ?? 1)),
    });
  }
  return (task) =>
    ranges.some(({ first, last, step }) =>
      task >= first && task <= last && (task - first) % step === 0
    );
}

function sightingOf(row: Row, jobId: string, task: number): Sighting {
  const found = seenState(row.State);
  const [code, signal] = row.ExitCode.split(":").map(Number);
  // 0:53 is SLURM's mark for a job that it could not start, such as one without its output folder.
  const launch = found.state === "failed" && row.ExitCode === "0:53";
  const state = launch ? "launch-failure" : found.state;
  const exit = exitOf(state, code || 0, signal || 0);
  return {
    jobId,
    task,
    jobName: row.JobName,
    state,
    raw: found.raw,
    view: "accounting",
    reason: undefined,
    startedAt: state === "pending" ? undefined : parseEpoch(row.Start),
    endedAt: isOver(state) ? parseEpoch(row.End) : undefined,
    node: /^(None assigned)?$/.test(row.NodeList) ? undefined : row.NodeList,
    exitCode: exit.exitCode,
    signal: exit.signal,
    restarts: undefined,
    usage: usageOf(row),
  };
}

function usageOf(row: Row): Usage {
  const cpus = Number(row.AllocCPUS) || undefined;
  return {
    elapsedSeconds: /^\d+$/.test(row.ElapsedRaw) ? Number(row.ElapsedRaw) : undefined,
    maxRssBytes: memoryOf(row.MaxRSS),
    aveRssBytes: memoryOf(row.AveRSS),
    requestedMemoryBytes: parseRequestedMemory(row.ReqMem, Number(row.NNodes) || 1, cpus ?? 1),
    cpuSeconds: parseDuration(row.TotalCPU) ?? undefined,
    allocatedCpus: cpus,
  };
}

/** Memory is sampled: 0 means that the step was over before the first sample. */
function memoryOf(text: string): number | undefined {
  return parseBytes(text) || undefined;
}

/** sacct prints a job's row before those of its steps; the largest step counts. */
function addStep(sighting: Sighting | undefined, row: Row): void {
  const memory = memoryOf(row.MaxRSS);
  if (sighting?.usage === undefined || memory === undefined) return;
  if (memory <= (sighting.usage.maxRssBytes ?? 0)) return;
  sighting.usage = { ...sighting.usage, maxRssBytes: memory, aveRssBytes: memoryOf(row.AveRSS) };
}

/** Of tasks that never started the collapsed row knows a state and nothing else. */
function neverStarted(row: Row, jobId: string, task: number): Sighting {
  return {
    ...sightingOf(row, jobId, task),
    startedAt: undefined,
    node: undefined,
    exitCode: undefined,
    signal: undefined,
    usage: undefined,
  };
}
