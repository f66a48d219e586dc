// Draft of the lead's so that flows can be tried; the colleague's adapter replaces it.
import type { Clock } from "../../base/clock.ts";
import { SchedulerError } from "../../base/errors.ts";
import type { Ended, Runner } from "../../base/process.ts";
import { compactRanges } from "../../base/text.ts";
import type { Answer, Look, SeenState, Sighting } from "../../sweep/sighting.ts";
import { taskKey } from "../../sweep/sighting.ts";
import { arraySpec } from "../script.ts";
import type { JobRequest, Limits, LookQuestion, Scheduler, TaskRef } from "../scheduler.ts";

const STATES: Record<string, SeenState> = {
  PENDING: "pending", CONFIGURING: "running", RUNNING: "running", SUSPENDED: "running",
  COMPLETING: "completing", COMPLETED: "completed", FAILED: "failed", TIMEOUT: "timeout",
  OUT_OF_MEMORY: "out-of-memory", CANCELLED: "cancelled", PREEMPTED: "preempted",
  NODE_FAIL: "node-failure", DEADLINE: "deadline", BOOT_FAIL: "launch-failure", REQUEUED: "pending",
};

export function createSlurmScheduler(
  { run, clock, uid, environment }: {
    run: Runner;
    clock: Clock;
    uid: number;
    environment: Readonly<Record<string, string | undefined>>;
  },
): Scheduler {
  const env = (): Record<string, string> => ({
    ...Object.fromEntries(Object.entries(environment).flatMap(([k, v]) => v === undefined ? [] : [[k, v]])),
    SLURM_TIME_FORMAT: "%s",
    SLURM_BITSTR_LEN: "0",
  });
  const ask = (argv: string[]): Promise<Ended> => run(argv, { env: env(), timeoutMs: 60_000 });

  function sighting(parts: { id: string; state: string; name: string; view: "queue" | "accounting" } & Partial<Sighting>): Sighting | undefined {
    const match = /^(\d+)_(\d+)$/.exec(parts.id);
    if (match === null) return undefined;
    const raw = parts.state.split(" ")[0]!;
    return {
      jobId: match[1]!, task: Number(match[2]), jobName: parts.name, state: STATES[raw] ?? "unrecognised", raw, view: parts.view,
      reason: parts.reason, startedAt: parts.startedAt, endedAt: parts.endedAt, node: parts.node,
      exitCode: parts.exitCode, signal: parts.signal, restarts: parts.restarts, usage: parts.usage,
    };
  }
  const time = (text: string | undefined) => /^\d+$/.test(text ?? "") ? Number(text) * 1000 : undefined;

  async function queue(names: Map<string, string>): Promise<{ answer: Answer; seen: Map<string, Sighting> }> {
    const ended = await ask(["squeue", "-h", "-r", "-t", "all", "-u", `${uid}`, "-O",
      "JobArrayID:|,State:|,Reason:|,StartTime:|,EndTime:|,NodeList:|,RestartCnt:|,exit_code:|,Name:|"]);
    const seen = new Map<string, Sighting>();
    if (!ended.ok) return { answer: { answered: false, reason: "unreachable", message: ended.stderr.trim() || "no answer" }, seen };
    for (const line of ended.stdout.split("\n")) {
      const [id, state, reason, start, end, node, restarts, exit, name] = line.split("|").map((x) => x.trim());
      if (id === undefined || name === undefined) continue;
      const [jobId] = id.split("_");
      const wanted = names.get(jobId!);
      if (wanted === undefined || (wanted !== "" && wanted !== name)) continue;
      const one = sighting({ id, state: state!, name, view: "queue", reason: reason === "None" ? undefined : reason,
        startedAt: state === "PENDING" ? undefined : time(start), endedAt: time(end), node: node === "" ? undefined : node,
        restarts: Number(restarts) || 0, exitCode: /^\d+/.test(exit ?? "") ? Number(exit!.split(":")[0]) : undefined,
        signal: undefined });
      if (one !== undefined) seen.set(taskKey(one.jobId, one.task), one);
    }
    return { answer: { answered: true }, seen };
  }

  async function accounting(refs: readonly TaskRef[], names: Map<string, string>): Promise<{ answer: Answer; seen: Map<string, Sighting> }> {
    const seen = new Map<string, Sighting>();
    if (refs.length === 0) return { answer: { answered: false, reason: "not-asked", message: "" }, seen };
    const ids = [...new Set(refs.map(({ jobId }) => jobId))];
    const ended = await ask(["sacct", "-n", "-P", "--noconvert", "-j", ids.join(","), "-o",
      "JobID,State,ExitCode,ElapsedRaw,MaxRSS,AveRSS,ReqMem,TotalCPU,AllocCPUS,Start,End,NodeList,JobName"]);
    if (!ended.ok) return { answer: { answered: false, reason: "unreachable", message: ended.stderr.trim() }, seen };
    for (const line of ended.stdout.split("\n")) {
      const [id, state, exit, elapsed, maxRss, aveRss, reqMem, cpu, cpus, start, end, node, name] = line.split("|");
      if (name === undefined) continue;
      const batch = /^(\d+_\d+)\.(batch|\d+)$/.exec(id!);
      if (batch !== null) {
        const job = seen.get(batch[1]!);
        if (job?.usage !== undefined) {
          const rss = Number(maxRss) || 0;
          seen.set(batch[1]!, { ...job, usage: { ...job.usage, maxRssBytes: Math.max(job.usage.maxRssBytes ?? 0, rss), aveRssBytes: Number(aveRss) || undefined } });
        }
        continue;
      }
      const [jobId] = id!.split("_");
      const wanted = names.get(jobId!);
      if (wanted === undefined || (wanted !== "" && wanted !== name)) continue;
      const [code, signal] = exit!.split(":").map(Number);
      const one = sighting({ id: id!, state: state!, name, view: "accounting", startedAt: time(start), endedAt: time(end), node: node!,
        exitCode: code!, signal: signal === 0 ? undefined : signal!,
        usage: { elapsedSeconds: Number(elapsed), maxRssBytes: undefined, aveRssBytes: undefined, requestedMemoryBytes: (parseFloat(reqMem!) || 0) * (reqMem!.includes("G") ? 2 ** 30 : 2 ** 20), cpuSeconds: undefined, allocatedCpus: Number(cpus) } });
      void cpu;
      if (one !== undefined) seen.set(taskKey(one.jobId, one.task), one);
    }
    return { answer: { answered: true }, seen };
  }

  return {
    name: "slurm",
    limits: async (): Promise<Limits> => {
      const ended = await ask(["scontrol", "show", "config"]);
      if (!ended.ok) throw new SchedulerError("unreachable", `Cannot ask SLURM for its limits: ${ended.stderr.trim()}`);
      return { maxArraySize: Number(/MaxArraySize\s*=\s*(\d+)/.exec(ended.stdout)?.[1] ?? 1001), maxSubmit: undefined, submittedNow: undefined,
        maxTimeSeconds: undefined, maxMemoryMiB: undefined, maxCpusPerNode: undefined, accounting: true, partitions: [], version: undefined };
    },
    submit: async (job: JobRequest) => {
      const ended = await run(["sbatch", "--parsable", `--job-name=${job.jobName}`, `--array=${arraySpec(job.tasks, job.maxConcurrent)}`,
        ...(job.after.length > 0 ? [`--dependency=afterany:${job.after.join(":")}`] : []), "--export=ALL", job.script],
        { env: { ...job.environment }, cwd: job.cwd, timeoutMs: 60_000 });
      const id = /^(\d+)/.exec(ended.stdout)?.[1];
      if (ended.ok && id !== undefined) return { jobId: id };
      const rejected = ended.exitCode !== undefined && /nvalid|unrecognized|denied|policy|not available|satisfied/.test(ended.stderr);
      throw new SchedulerError(rejected ? "rejected" : "unreachable", `Cannot submit: ${ended.stderr.trim() || ended.signal}`);
    },
    look: async (question: LookQuestion): Promise<Look> => {
      const at = clock.now();
      const names = new Map(question.jobs.map(({ jobId, jobName }) => [jobId, jobName]));
      const one = await queue(names);
      const two = await accounting(question.wanted(one.seen, one.answer), names);
      return { at, queue: one.answer, accounting: two.answer, inQueue: one.seen, inAccounting: two.seen };
    },
    find: async (jobName) => {
      const q = await ask(["squeue", "-h", "-t", "all", "-n", jobName, "-o", "%F"]);
      const a = await ask(["sacct", "-X", "-n", "-P", `--name=${jobName}`, "-o", "JobID", "-S", "now-2days"]);
      const ids = new Set(`${q.ok ? q.stdout : ""}\n${a.ok ? a.stdout : ""}`.split("\n").map((l) => l.split("_")[0]!.trim()).filter((l) => l !== ""));
      return { jobIds: [...ids], conclusive: q.ok && a.ok, detail: q.stderr + a.stderr };
    },
    cancel: async (tasks) => {
      const byJob = new Map<string, number[]>();
      for (const { jobId, task } of tasks) byJob.set(jobId, [...byJob.get(jobId) ?? [], task]);
      const ended = await ask(["scancel", ...[...byJob].map(([id, list]) => `${id}_[${compactRanges(list)}]`)]);
      return { ok: ended.ok, detail: ended.stderr.trim() };
    },
    throttle: async (jobId, limit) => {
      await ask(["scontrol", "update", `JobId=${jobId}`, `ArrayTaskThrottle=${limit ?? 0}`]);
    },
  };
}
