import { createPerform } from "../../lib/actions/perform.ts";
import type { Perform } from "../../lib/actions/perform.ts";
import type { Parts } from "../../lib/actions/parts.ts";
import type { Limits, Scheduler, TaskRef } from "../../lib/schedulers/scheduler.ts";
import type { JobRecord, Sighting } from "../../lib/sweep/sighting.ts";
import { taskKey } from "../../lib/sweep/sighting.ts";
import type { SweepState } from "../../lib/sweep/state.ts";
import { SchedulerError } from "../../lib/base/errors.ts";
import { add } from "./journal-of.ts";

/** A cluster whose every answer is what a test sets; what was asked of it is kept. */
export interface ScriptedCluster {
  queue: Sighting[];
  accounting: Sighting[];
  queueDown: boolean;
  cancelDown: boolean;
  /** What is found under any job's name. */
  found: string[];
  /** What sbatch answers; undefined accepts with the next id. */
  refusal: SchedulerError | undefined;
  readonly cancelled: TaskRef[];
  readonly submitted: string[];
  looks: number;
}

/** What the verbs do to a state, without files or a real cluster; time passes only by sleeping. */
export interface Acting {
  perform: Perform;
  parts: Parts;
  cluster: ScriptedCluster;
  signals: Map<number, string>;
  records: Map<string, JobRecord>;
  now(): number;
  pass(ms: number): void;
}

export function createActing(state: SweepState, startAt = 3_000_000): Acting {
  let now = startAt;
  let nonce = 0;
  const signals = new Map<number, string>();
  const records = new Map<string, JobRecord>();
  const cluster: ScriptedCluster = {
    queue: [],
    accounting: [],
    queueDown: false,
    cancelDown: false,
    found: [],
    refusal: undefined,
    cancelled: [],
    submitted: [],
    looks: 0,
  };
  let configText = "";
  const parts: Parts = {
    state: () => state,
    append: (whats) => whats.forEach((what) => add(state, what, now)),
    assertWhole: () => {},
    scheduler: (name) => scripted(name, cluster, () => now),
    clock: {
      now: () => now,
      sleep: (ms) => {
        now += ms;
        return Promise.resolve();
      },
    },
    files: {
      root: "/nowhere",
      scriptPath: (submission) => `/nowhere/${submission}`,
      writeSubmission: () => {},
      home: () => undefined,
      voidSubmission: () => {},
      unvoidSubmission: () => {},
      writeSignal: (trial, signal) => signals.set(trial, signal),
      clearSignals: (tasks) => tasks.forEach(({ trial }) => signals.delete(trial)),
      readChangeable: () => "",
      replaceChangeable: () => {},
      keepBackup: () => "",
      readMetric: () => [],
      readRecords: () => records,
      readConfigText: () => configText,
      replaceConfigText: (text) => {
        configText = text;
      },
    },
    compose: ({ submission, jobName, batch }) => ({
      script: "",
      table: "",
      request: {
        submission,
        jobName,
        tasks: batch.indices,
        resources: batch.resources,
        maxConcurrent: undefined,
        cwd: "/nowhere",
        environment: {},
        output: "",
        error: "",
        signal: undefined,
      },
    }),
    newNonce: () => `n${++nonce}`,
    fault: () => {},
    signal: new AbortController().signal,
  };
  return {
    perform: createPerform(parts),
    parts,
    cluster,
    signals,
    records,
    now: () => now,
    pass: (ms) => void (now += ms),
  };
}

function scripted(name: "slurm" | "local", cluster: ScriptedCluster, now: () => number): Scheduler {
  return {
    name,
    limits: () => Promise.resolve(LIMITS),
    submit({ jobName }) {
      if (cluster.refusal !== undefined) return Promise.reject(cluster.refusal);
      cluster.submitted.push(jobName);
      return Promise.resolve({ jobId: `${100 + cluster.submitted.length}` });
    },
    look(question) {
      cluster.looks++;
      const by = (list: readonly Sighting[]) =>
        new Map(list.map((seen) => [taskKey(seen.jobId, seen.task), seen]));
      const down = { answered: false, reason: "unreachable", message: "down" } as const;
      const inQueue = cluster.queueDown ? new Map() : by(cluster.queue);
      const queue = cluster.queueDown ? down : { answered: true } as const;
      question.wanted(inQueue, queue);
      return Promise.resolve({
        at: now(),
        queue,
        accounting: { answered: true },
        inQueue,
        inAccounting: by(cluster.accounting),
      });
    },
    find: () => Promise.resolve({ jobIds: cluster.found, conclusive: true, detail: "" }),
    cancel(tasks) {
      if (cluster.cancelDown) return Promise.resolve({ ok: false, detail: "down" });
      cluster.cancelled.push(...tasks);
      return Promise.resolve({ ok: true, detail: "" });
    },
    throttle: () => Promise.resolve(),
  };
}

/** Of a common site. */
export const LIMITS: Limits = {
  maxArraySize: 1001,
  maxSubmit: undefined,
  submittedNow: undefined,
  maxTimeSeconds: null,
  maxMemoryMiB: undefined,
  maxCpusPerNode: undefined,
  accounting: true,
  partitions: [],
  version: undefined,
};
