import assert from "node:assert/strict";
import { test } from "node:test";
import { createPerform } from "../../../lib/actions/perform.ts";
import type { Parts } from "../../../lib/actions/parts.ts";
import { SchedulerError } from "../../../lib/base/errors.ts";
import type { Scheduler } from "../../../lib/schedulers/scheduler.ts";
import { attemptKey } from "../../../lib/sweep/event.ts";
import { expand } from "../../../lib/sweep/expand.ts";
import { taskKey } from "../../../lib/sweep/sighting.ts";
import type { Answer, JobRecord, SeenState, Sighting } from "../../../lib/sweep/sighting.ts";
import { emptyState } from "../../../lib/sweep/state.ts";
import { statusOf } from "../../../lib/sweep/status.ts";
import { createActing, LIMITS } from "../../support/acting.ts";
import { seen as sighting } from "../../support/scene.ts";
import { seeded } from "../../support/kill-campaign.ts";
import { discrete, sampleConfig } from "../../support/sample-config.ts";

const TRIALS = 4;
const MIN_JOB_AGE_MS = 20_000;
const YES: Answer = { answered: true };
const DOWN: Answer = { answered: false, reason: "unreachable", message: "down" };
const ENDS: readonly SeenState[] = ["completed", "failed", "timeout", "out-of-memory"];

/** One task as it really is. */
interface Task {
  jobId: string;
  jobName: string;
  submission: string;
  trial: number;
  state: SeenState;
  restarts: number;
  startedAt: number | undefined;
  changedAt: number;
  record: Partial<JobRecord> | undefined;
  recordAt: number;
  /** Requeued after its end: what became of it then is only asked for when somebody submits. */
  byHand?: boolean;
}

/**
 * A cluster that does what clusters do: preempts, requeues, loses answers, tells
 * late, falls silent, on nodes whose clocks are minutes off.
 */
function createCluster(random: () => number, now: () => number) {
  const tasks: Task[] = [];
  const voided = new Set<string>();
  /** Submissions that a hung controller carries out later. */
  const late: { at: number; arrive: () => void }[] = [];
  const down = { queue: false, accounting: false };
  const skew = Math.round((random() - 0.5) * 600_000);
  const chance = (p: number) => random() < p;
  const isEnded = (task: Task) => !["pending", "running", "completing"].includes(task.state);

  function set(task: Task, state: SeenState, record?: Partial<JobRecord>): void {
    task.state = state;
    task.changedAt = now();
    if (state === "running") task.startedAt = now();
    if (record === undefined) return;
    task.record = record;
    // A network disk shows it up to a minute later.
    task.recordAt = now() + (chance(0.3) ? random() * 60_000 : 0);
  }

  function step(task: Task): void {
    const start = { startedAt: now() + skew, restart: task.restarts };
    if (task.state === "pending" && chance(0.5)) {
      if (!voided.has(task.submission)) return set(task, "running", start);
      task.startedAt = now();
      return set(task, "failed", { restart: task.restarts, voided: true, endedAt: now() + skew });
    }
    if (task.state === "running" && chance(0.35)) {
      if (chance(0.3)) {
        // Preempted or its node lost: waits again under the same id.
        task.restarts++;
        return set(task, "pending");
      }
      const state = ENDS[Math.floor(random() * ENDS.length)]!;
      const told = state === "timeout" ? { signals: ["TERM"], exitCode: 143 } : {
        signals: [],
        exitCode: state === "completed" ? 0 : state === "failed" ? 1 : 137,
      };
      return set(task, state, { ...task.record, ...told, endedAt: now() + skew });
    }
    const fresh = now() - task.changedAt < MIN_JOB_AGE_MS;
    if (isEnded(task) && fresh && chance(0.05) && !livingOf(task.trial).length) {
      // Somebody types scontrol requeue.
      task.restarts++;
      task.byHand = true;
      set(task, "pending");
    }
  }

  function livingOf(trial: number): Task[] {
    return tasks.filter((task) => task.trial === trial && !isEnded(task));
  }

  function seen(task: Task, view: "queue" | "accounting"): Sighting {
    return sighting(task.state, {
      jobId: task.jobId,
      task: task.trial,
      jobName: task.jobName,
      view,
      startedAt: task.state === "pending" ? undefined : task.startedAt,
      endedAt: isEnded(task) ? task.changedAt : undefined,
      restarts: view === "queue" ? task.restarts : undefined,
    });
  }

  const scheduler: Scheduler = {
    name: "slurm",
    limits: () => Promise.resolve(LIMITS),
    submit({ jobName, submission, tasks: ids }) {
      if (down.queue) {
        // The controller hangs: half of these arrive all the same.
        if (chance(0.5)) late.push({ at: now() + random() * 60_000, arrive });
        return Promise.reject(new SchedulerError("unreachable", "timed out"));
      }
      if (chance(0.1)) return Promise.reject(new SchedulerError("rejected", "QOS limit"));
      const jobId = arrive();
      if (chance(0.1)) return Promise.reject(new SchedulerError("unreachable", "lost answer"));
      return Promise.resolve({ jobId });

      function arrive(): string {
        const jobId = `${100 + tasks.length}`;
        for (const trial of ids) {
          tasks.push({
            jobId,
            jobName,
            submission,
            trial,
            state: "pending",
            restarts: 0,
            startedAt: undefined,
            changedAt: now(),
            record: undefined,
            recordAt: 0,
          });
        }
        return jobId;
      }
    },
    look(question) {
      const inQueue = new Map(
        (down.queue ? [] : tasks).filter((task) =>
          !isEnded(task) || now() - task.changedAt < MIN_JOB_AGE_MS
        ).map((task) => [taskKey(task.jobId, task.trial), seen(task, "queue")]),
      );
      const queue = down.queue ? DOWN : YES;
      const wanted = new Set(
        question.wanted(inQueue, queue).map((ref) => taskKey(ref.jobId, ref.task)),
      );
      const inAccounting = new Map(
        (down.accounting ? [] : tasks).filter((task) =>
          wanted.has(taskKey(task.jobId, task.trial)) && now() - task.changedAt > 5_000 &&
          // Tasks that never started leave no trace.
          task.startedAt !== undefined
        ).map((task) => [taskKey(task.jobId, task.trial), seen(task, "accounting")]),
      );
      const accounting = down.accounting ? DOWN : YES;
      return Promise.resolve({ at: now(), queue, accounting, inQueue, inAccounting });
    },
    find: (jobName) =>
      Promise.resolve({
        jobIds: down.queue
          ? []
          : [...new Set(tasks.filter((t) => t.jobName === jobName).map((t) => t.jobId))],
        conclusive: !down.queue && !down.accounting,
        detail: "",
      }),
    cancel(refs) {
      if (down.queue) return Promise.resolve({ ok: false, detail: "down" });
      for (const ref of refs) {
        const task = tasks.find((one) => one.jobId === ref.jobId && one.trial === ref.task);
        if (task === undefined || isEnded(task)) continue;
        const told = { signals: ["TERM"], exitCode: 143, endedAt: now() + skew };
        set(task, "cancelled", task.state === "running" ? { ...task.record, ...told } : undefined);
      }
      return Promise.resolve({ ok: true, detail: "" });
    },
    throttle: () => Promise.resolve(),
  };

  function readRecords(): Map<string, JobRecord> {
    return new Map(tasks.flatMap((task): [string, JobRecord][] => {
      if (task.record === undefined || now() < task.recordAt) return [];
      const { submission, trial } = task;
      const blank = { node: "n1", aliveAt: now(), signals: [], exitCode: undefined };
      const rest = { startedAt: undefined, restart: 0, endedAt: undefined, voided: false };
      return [[
        attemptKey(submission, trial),
        { submission, task: trial, ...blank, ...rest, ...task.record },
      ]];
    }));
  }

  return {
    scheduler,
    readRecords,
    tasks,
    livingOf,
    voided,
    step() {
      for (const one of late.splice(0)) {
        if (one.at <= now()) one.arrive();
        else late.push(one);
      }
      for (const task of tasks) step(task);
      if (chance(0.1)) down.queue = !down.queue;
      if (chance(0.1)) down.accounting = !down.accounting;
    },
    heal() {
      down.queue = false;
      down.accounting = false;
    },
    isQueueDown: () => down.queue,
  };
}

async function campaign(seed: number): Promise<void> {
  const random = seeded(seed);
  const state = emptyState();
  let kills = true;
  const at = createActing(state);
  const cluster = createCluster(random, at.now);
  const parts: Parts = {
    ...at.parts,
    scheduler: () => cluster.scheduler,
    files: {
      ...at.parts.files,
      readRecords: cluster.readRecords,
      voidSubmission: (submission) => cluster.voided.add(submission),
      unvoidSubmission: (submission) => cluster.voided.delete(submission),
    },
    fault() {
      if (kills && random() < 0.03) throw Object.assign(new Error("killed"), { name: "Killed" });
    },
  };
  const perform = createPerform(parts);
  const config = sampleConfig({
    scheduler: "slurm",
    parameters: [discrete("x", Array.from({ length: TRIALS }, (_, i) => i))],
  });
  const expansion = expand(config, undefined);
  const where = { config, scheduler: "slurm", maxConcurrent: undefined } as const;
  const request = { pins: [], force: false, skip: true, changed: undefined, indices: undefined };
  const graceSeconds = 60;
  const history: string[] = [];

  async function act(): Promise<void> {
    const trial = Math.floor(random() * TRIALS);
    const verb = (["look", "look", "run", "force", "stop", "pause", "prune", "resume"] as const)[
      Math.floor(random() * 8)
    ]!;
    history.push(`${at.now()} ${verb} ${trial}${cluster.isQueueDown() ? " (silent)" : ""}`);
    const indices = [trial];
    try {
      if (verb === "look") await perform({ verb, graceSeconds });
      else if (verb === "run") {
        await perform({ verb, request, expansion, rows: undefined, ...where });
      } else if (verb === "force") {
        const forced = { ...request, indices, force: true, skip: false };
        await perform({ verb: "run", request: forced, expansion, rows: undefined, ...where });
      } else if (verb === "resume") await perform({ verb, indices, ...where });
      else await perform({ verb, indices, graceSeconds });
    } catch (error) {
      if (!["UserError", "SchedulerError", "Killed"].includes((error as Error).name)) throw error;
    }
  }

  for (let i = 0; i < 80; i++) {
    await act();
    for (let trial = 0; trial < TRIALS; trial++) {
      // A job that waits to find itself void is none that works on the trial.
      const living = cluster.livingOf(trial).filter(({ submission, state }) =>
        state !== "pending" || !cluster.voided.has(submission)
      );
      assert.ok(
        living.length <= 1,
        `seed ${seed}: trial ${trial} is alive ${living.length} times\n${history.join("\n")}`,
      );
    }
    cluster.step();
    at.pass(random() * 20_000);
  }
  cluster.heal();
  kills = false;
  for (let i = 0; i < 60; i++) {
    await perform({ verb: "look", graceSeconds });
    cluster.step();
    cluster.heal();
    at.pass(30_000);
  }
  await perform({ verb: "look", graceSeconds });
  for (const task of cluster.tasks) {
    if (task.byHand) continue;
    const attempt = state.attempts.get(attemptKey(task.submission, task.trial));
    assert.ok(attempt !== undefined, `seed ${seed}: a job that herd does not know`);
    if (cluster.voided.has(task.submission)) {
      assert.equal(attempt.ending?.cause, "not-submitted", `seed ${seed} ${task.jobId}`);
      assert.equal(attempt.jobId, undefined, "a submission that was adopted is not void");
      continue;
    }
    const isOver = cluster.livingOf(task.trial).length === 0;
    if (isOver) assert.equal(attempt.phase, "ended", `seed ${seed} ${task.jobId}`);
    if (!isOver || task.state !== "completed") continue;
    assert.equal(attempt.ending?.cause, "completed", `seed ${seed} ${task.jobId}`);
  }
  for (let trial = 0; trial < TRIALS; trial++) {
    const last = cluster.tasks.findLast((task) => task.trial === trial);
    if (last?.state === "failed" && !last.byHand) {
      assert.notEqual(statusOf(state, trial), "completed", `seed ${seed}`);
    }
  }
}

test("however cluster and user behave, no trial ever runs beside itself and every end is learnt", async () => {
  const seeds = process.env["HERD_SOAK"] ? 2000 : 60;
  for (let seed = 1; seed <= seeds; seed++) await campaign(seed);
});
