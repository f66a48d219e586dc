import type { JobText } from "../../lib/actions/parts.ts";
import { SchedulerError } from "../../lib/base/errors.ts";
import type { Limits, Scheduler } from "../../lib/schedulers/scheduler.ts";
import { attemptKey } from "../../lib/sweep/event.ts";
import type { Point } from "../../lib/sweep/metrics.ts";
import { taskKey } from "../../lib/sweep/sighting.ts";
import type { JobRecord, SeenState, Sighting } from "../../lib/sweep/sighting.ts";
import { LIMITS } from "./acting.ts";
import type { HeldTime } from "./held-time.ts";

/** What becomes of one attempt of a trial. */
export interface Fate {
  queueMs?: number;
  runMs?: number;
  /** `never`: it runs until somebody ends it. */
  end?: SeenState | "never";
  /** What it has written by its end, and by its start. */
  stderr?: string;
  stdout?: string;
  /** Logged when so much time has passed since its start. */
  points?: readonly { afterMs: number; metric: string; value: number | null }[];
  /** A signal to prune or pause is obeyed. */
  obeys?: boolean;
}

export interface FatedJob {
  jobId: string;
  jobName: string;
  submission: string;
  task: number;
  trial: number;
  attempt: number;
  memoryMiB: number;
  timeSeconds: number | null;
  state: SeenState;
  startedAt: number | undefined;
  endedAt: number | undefined;
  /** It writes no end itself: its node or its scheduler killed it. */
  silentEnd: boolean;
}

/** A cluster on which every attempt has its fate, and which counts what is asked of it. */
export interface FatedCluster {
  scheduler: Scheduler;
  jobs: FatedJob[];
  /** What was asked, with its program's name and when. */
  calls: { program: "squeue" | "sacct" | "sbatch" | "scancel" | "sinfo"; at: number }[];
  down: boolean;
  limits: Limits;
  /** By trial and stream. */
  logs: Map<string, string>;
  streams: Map<number, Map<string, Point[]>>;
  /** Remembers what a submission's tasks are, as a batch script would. */
  composed(job: JobText): void;
  records(tasks: readonly { submission: string; task: number }[]): Map<string, JobRecord>;
  signal(trial: number): void;
  end(job: FatedJob, state: SeenState): void;
  /** Ends a trial's latest job now. */
  endTrial(trial: number, state?: SeenState): void;
}

/** Whoever is killed from outside does not come to write how it ended. */
const KILLED = new Set<SeenState>(["out-of-memory", "timeout", "node-failure", "preempted"]);

export function createFatedCluster(
  time: HeldTime,
  fateOf: (trial: number, attempt: number) => Fate,
  onSign: () => void,
): FatedCluster {
  const { clock } = time;
  const texts = new Map<string, JobText>();
  const jobs: FatedJob[] = [];
  const byAttempt = new Map<string, FatedJob>();
  const logs = new Map<string, string>();
  const streams = new Map<number, Map<string, Point[]>>();
  let submissions = 0;

  function start(job: FatedJob, fate: Fate): void {
    if (job.state !== "pending") return;
    job.state = "running";
    job.startedAt = clock.now();
    logs.set(`${job.trial}/stdout`, fate.stdout ?? "epoch 1/10 loss=0.5\n");
    logs.set(`${job.trial}/stderr`, "");
    for (const { afterMs, metric, value } of fate.points ?? []) {
      time.at(clock.now() + afterMs, () => log(job, metric, value));
    }
    if (fate.end !== "never") {
      const runMs = fate.runMs ?? 10 * 60_000;
      time.at(clock.now() + runMs, () => {
        if (job.state !== "running") return;
        logs.set(`${job.trial}/stderr`, fate.stderr ?? "");
        end(job, fate.end as SeenState ?? "completed");
      });
    }
    onSign();
  }

  function log(job: FatedJob, metric: string, value: number | null): void {
    if (job.state !== "running") return;
    const own = streams.get(job.trial) ?? new Map<string, Point[]>();
    streams.set(job.trial, own);
    const points = own.get(metric) ?? [];
    own.set(metric, points);
    const at = clock.now() / 1000;
    points.push({ step: points.length, value, at, ...(value === null ? { raw: "NaN" } : {}) });
  }

  function end(job: FatedJob, state: SeenState): void {
    if (job.endedAt !== undefined) return;
    job.state = state;
    job.endedAt = clock.now();
    job.silentEnd = KILLED.has(state) || state === "cancelled";
    if (!job.silentEnd) onSign();
  }

  function down(): SchedulerError {
    return new SchedulerError("unreachable", "Cannot reach the controller: connect failure");
  }

  const cluster: FatedCluster = {
    jobs,
    calls: [],
    down: false,
    limits: LIMITS,
    logs,
    streams,
    composed: (job) => void texts.set(job.submission, job),
    records(tasks) {
      const found = new Map<string, JobRecord>();
      for (const { submission, task } of tasks) {
        const job = byAttempt.get(attemptKey(submission, task));
        if (job?.startedAt === undefined) continue;
        found.set(attemptKey(submission, task), recordOf(job, clock.now()));
      }
      return found;
    },
    signal(trial) {
      const job = jobs.findLast((one) => one.trial === trial);
      if (job === undefined || fateOf(trial, job.attempt).obeys === false) return;
      time.at(clock.now() + 5_000, () => end(job, "completed"));
    },
    end,
    endTrial(trial, state = "completed") {
      const job = jobs.findLast((one) => one.trial === trial);
      if (job !== undefined) end(job, state);
    },
    scheduler: {
      name: "slurm",
      limits() {
        asked("sinfo");
        return cluster.down ? Promise.reject(down()) : Promise.resolve(cluster.limits);
      },
      submit({ submission, jobName }) {
        asked("sbatch");
        if (cluster.down) return Promise.reject(down());
        const { rows, batch } = texts.get(submission)!;
        const jobId = `${100 + ++submissions}`;
        const { memoryMiB, timeSeconds } = batch.resources;
        for (const { task, trial, attempt } of rows) {
          const job: FatedJob = {
            jobId,
            jobName,
            submission,
            task,
            trial,
            attempt,
            memoryMiB,
            timeSeconds,
            state: "pending",
            startedAt: undefined,
            endedAt: undefined,
            silentEnd: false,
          };
          jobs.push(job);
          byAttempt.set(attemptKey(submission, task), job);
          const fate = fateOf(trial, attempt);
          time.at(clock.now() + (fate.queueMs ?? 2_000), () => start(job, fate));
        }
        return Promise.resolve({ jobId });
      },
      look({ wanted }) {
        asked("squeue");
        const by = (list: readonly FatedJob[], view: Sighting["view"]) =>
          new Map(list.map((job) => [taskKey(job.jobId, job.task), sightingOf(job, view)]));
        const silent = { answered: false, reason: "unreachable", message: "connect failure" };
        const queue = cluster.down ? silent as never : { answered: true } as const;
        const inQueue = by(
          cluster.down ? [] : jobs.filter(({ endedAt }) => endedAt === undefined),
          "queue",
        );
        const refs = wanted(inQueue, queue).map(({ jobId, task }) => taskKey(jobId, task));
        if (refs.length > 0) asked("sacct");
        const keys = new Set(refs);
        const ended = jobs.filter((job) =>
          !cluster.down && job.endedAt !== undefined && keys.has(taskKey(job.jobId, job.task))
        );
        const accounting = refs.length === 0
          ? { answered: false, reason: "not-asked", message: "" } as const
          : queue;
        const inAccounting = by(ended, "accounting");
        return Promise.resolve({ at: clock.now(), queue, accounting, inQueue, inAccounting });
      },
      find(jobName) {
        asked("squeue");
        const ids = new Set(
          jobs.filter((job) => job.jobName === jobName).map(({ jobId }) => jobId),
        );
        return Promise.resolve({
          jobIds: cluster.down ? [] : [...ids],
          conclusive: !cluster.down,
          detail: "",
        });
      },
      cancel(tasks) {
        asked("scancel");
        if (cluster.down) return Promise.resolve({ ok: false, detail: "connect failure" });
        for (const { jobId, task } of tasks) {
          const job = jobs.find((one) => one.jobId === jobId && one.task === task);
          if (job !== undefined) time.at(clock.now() + 1_000, () => end(job, "cancelled"));
        }
        return Promise.resolve({ ok: true, detail: "" });
      },
      throttle: () => Promise.resolve(),
    },
  };

  function asked(program: FatedCluster["calls"][number]["program"]): void {
    cluster.calls.push({ program, at: clock.now() });
  }

  return cluster;
}

function recordOf(job: FatedJob, now: number): JobRecord {
  const ended = job.endedAt !== undefined && !job.silentEnd;
  return {
    submission: job.submission,
    task: job.task,
    jobId: job.jobId,
    startedAt: job.startedAt,
    restart: 0,
    node: "n1",
    aliveAt: job.endedAt ?? now,
    signals: [],
    exitCode: ended ? job.state === "completed" ? 0 : 1 : undefined,
    endedAt: ended ? job.endedAt : undefined,
    voided: false,
  };
}

function sightingOf(job: FatedJob, view: Sighting["view"]): Sighting {
  const ended = job.endedAt !== undefined;
  return {
    jobId: job.jobId,
    task: job.task,
    jobName: job.jobName,
    state: job.state,
    raw: job.state.toUpperCase(),
    view,
    reason: undefined,
    startedAt: job.startedAt,
    endedAt: job.endedAt,
    node: job.startedAt === undefined ? undefined : "n1",
    exitCode: ended ? job.state === "completed" ? 0 : 1 : undefined,
    signal: undefined,
    restarts: undefined,
    usage: ended
      ? {
        elapsedSeconds: (job.endedAt! - (job.startedAt ?? job.endedAt!)) / 1000,
        maxRssBytes: 1e9,
        aveRssBytes: 1e9,
        requestedMemoryBytes: job.memoryMiB * 2 ** 20,
        cpuSeconds: 1,
        allocatedCpus: 1,
      }
      : undefined,
  };
}
