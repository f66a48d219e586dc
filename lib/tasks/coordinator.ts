import type { Clock } from "../base/clock.ts";
import type { Event } from "../sweep/event.ts";
import type { Thinking } from "./backend.ts";
import { EXCHANGE_SCHEMA, FENCE_MS, OFFER_MS } from "./exchange.ts";
import { isTaskId } from "./exchange-schema.ts";
import type { Assignment, WorkerOrders, WorkerReport } from "./exchange.ts";
import type { PoolHappening, WorkerMailbox, WorkerVia } from "./pool-event.ts";
import { createLives } from "./coordinator-lives.ts";
import type { MailboxLook } from "./coordinator-lives.ts";
import {
  buriedAttempts,
  lostAttempts,
  nextAssignments,
  unfinished,
  untoldAttempts,
} from "./pool-rules.ts";
import type { PoolLimits, Sighting } from "./pool-rules.ts";
import type { PoolState } from "./pool-state.ts";
import { readAttempt, settlementOf } from "./read-report.ts";
import { DATA_GONE } from "./task-data.ts";
import type { TaskData, TaskFile } from "./task-data.ts";
import { attemptName, isOver } from "./task.ts";
import type { Attempt, Origin, Task, TaskWish } from "./task.ts";

export interface CoordinatorParts {
  /** The fold of the journal: changed by `append` and by nothing else. */
  state(): PoolState;
  /** On disk when it returns; throws when the disk refuses, and then nothing has happened. */
  append(whats: readonly PoolHappening[], by: string): readonly Event<PoolHappening>[];
  clock: Pick<Clock, "now">;
  limits(): PoolLimits;
  newId(): string;
  /** How a task is done by today's configuration; a reason when it cannot be. */
  resolve(task: Task): Resolved | Unresolved;
  /** Why no new work may begin today, such as a budget that is used up. */
  holdback(): string | undefined;
  onChange(): void;
  /** The files that a task came with; undefined when they are not kept any more. */
  dataOf?(data: TaskData): readonly TaskFile[] | undefined;
}

export type Resolved = Omit<
  Assignment,
  "task" | "epoch" | "revision" | "prompt" | "data" | "proposes"
>;

/** `isFinal`: the task is not done any more, whatever the configuration will say. */
export interface Unresolved {
  cannot: string;
  isFinal?: boolean;
}

export type Refusable = { done: true } | { done: false; reason: string };

/** The one writer of the pool: takes tasks in, gives them out, takes results. */
export interface Coordinator {
  submit(
    wish: TaskWish,
    origin: Origin,
    id?: string,
  ): { task: Task; isNew: boolean } | { refused: string };
  revise(id: string, wish: TaskWish, by: string): Refusable;
  cancel(id: string, why: string, by: string): Refusable;
  retry(id: string, by: string): Refusable;
  acknowledge(id: string, by: string): Refusable;
  enrol(
    worker: {
      name: string;
      labels: readonly string[];
      proof: string;
      via: WorkerVia;
      mailbox?: WorkerMailbox;
    },
    by: string,
  ): Refusable;
  remove(worker: string, by: string): Refusable;
  /**
   * The worker is gone for good, and so is all that it ran: `whats` are written along. Only for who
   * knows that its processes have ended, such as from SLURM.
   */
  bury(worker: string, why: string, whats: readonly PoolHappening[], by: string): void;
  drain(worker: string, drains: boolean, by: string): Refusable;
  stop(how: { now: boolean; why: string }, by: string): Refusable;
  resume(by: string): Refusable;
  /** Takes a worker's report in, which it said `agoMs` ago (0 by default), and gives its orders. */
  exchange(report: WorkerReport, agoMs?: number): WorkerOrders;
  /** What a look into the worker's mailbox showed. */
  looked(worker: string, look: MailboxLook): void;
  /** The orders as they are by now, for the last report of the worker. */
  ordersFor(report: WorkerReport): WorkerOrders;
  /** Gives up what is lost and gives out what waits; to be called every few seconds. */
  step(): void;
  sightings(): ReadonlyMap<string, Sighting>;
}

/** A sign of life in the journal no oftener than this for what an attempt uses. */
const USE_EVERY_MS = 60_000;
/** Of prompts and data in one answer, in UTF-16 units; in JSON each may be several bytes. */
const ASSIGN_LENGTH = 768 * 1024;

export function createCoordinator(parts: CoordinatorParts): Coordinator {
  const { clock } = parts;
  const lives = createLives(clock.now());
  const usedAt = new Map<string, number>();

  function write(whats: readonly PoolHappening[], by: string): void {
    if (whats.length === 0) return;
    parts.append(whats, by);
    parts.onChange();
  }

  function find(id: string): Task | undefined {
    return parts.state().tasks.get(id);
  }

  function change(
    id: string,
    by: string,
    decide: (task: Task) => readonly PoolHappening[] | string,
  ): Refusable {
    const task = find(id);
    if (task === undefined) return { done: false, reason: `There is no task "${id}"` };
    const whats = decide(task);
    if (typeof whats === "string") return { done: false, reason: whats };
    write(whats, by);
    step();
    return { done: true };
  }

  function step(): void {
    const now = clock.now();
    write(unfinished(parts.state(), parts.limits()), "pool");
    write(lostAttempts(parts.state(), lives, now, parts.limits()), "pool");
    forgetOld();
    write(hopeless(), "pool");
    if (parts.holdback() !== undefined) return;
    const fits = (task: Task, { report }: Sighting) => {
      const resolved = parts.resolve(task);
      return !("cannot" in resolved) && report.sandboxes.includes(resolved.sandbox.level);
    };
    const assigned = nextAssignments(parts.state(), lives.seen, now, parts.limits(), fits);
    write(assigned.map((one) => ({ ...one, as: resolvedAs(one.task) })), "pool");
  }

  /** What waits for an attempt that it may not have any more. */
  function hopeless(): PoolHappening[] {
    return [...parts.state().tasks.values()].flatMap((task): PoolHappening[] => {
      if (task.status !== "queued" || task.epoch === 0) return [];
      const resolved = parts.resolve(task);
      if (!("cannot" in resolved) || resolved.isFinal !== true) return [];
      return [{ type: "task-ended", task: task.id, status: "failed", why: resolved.cannot }];
    });
  }

  function resolvedAs(id: string): { model: string; thinking: Thinking } | undefined {
    const task = find(id);
    const resolved = task && parts.resolve(task);
    if (resolved === undefined || "cannot" in resolved) return undefined;
    return { model: resolved.modelName, thinking: resolved.thinking };
  }

  function forgetOld(): void {
    const running = [...parts.state().tasks.values()].filter((task) => !isOver(task));
    const names = new Set(running.map(({ id, epoch }) => attemptName(id, epoch)));
    for (const name of usedAt.keys()) if (!names.has(name)) usedAt.delete(name);
    lives.forget(
      (life) =>
        running.every(({ attempts }) => !attempts.some((one) => isLive(one) && isOf(one, life))),
      (worker) => parts.state().workers.has(worker),
    );
  }

  function exchange(report: WorkerReport, agoMs = 0): WorkerOrders {
    const now = clock.now();
    const { isNewest, isNews, uptimeMs } = lives.judge(report, now);
    const by = `worker:${report.worker}`;
    for (const told of report.attempts) {
      // A last word stays true, however late; what an old report says of the rest does not.
      if (told.report === undefined && !(isNewest && isNews)) continue;
      write(readAttempt(parts.state(), told, report, parts.limits(), isUseDue), by);
    }
    // After it was read: a disk that refuses has heard nothing.
    lives.hear(report, now - agoMs, parts.state().workers.has(report.worker));
    if (isNews) {
      const isUnwanted = report.leaving || drains(report.worker);
      const how = { now, mayWithdraw: uptimeMs > OFFER_MS, isUnwanted };
      write(untoldAttempts(parts.state(), report, how, parts.limits()), "pool");
    }
    step();
    return ordersFor(report);
  }

  function isUseDue(name: string): boolean {
    const now = clock.now();
    if (now - (usedAt.get(name) ?? 0) < USE_EVERY_MS) return false;
    usedAt.set(name, now);
    return true;
  }

  function drains(worker: string): boolean {
    const { workers, stopped } = parts.state();
    return workers.get(worker)?.draining !== false || stopped !== undefined;
  }

  function ordersFor(report: WorkerReport): WorkerOrders {
    const state = parts.state();
    const { worker, incarnation, number } = report;
    const dismissed = whyDismissed(report);
    const drain = dismissed !== undefined || drains(worker);
    const told = new Set(report.attempts.map(({ task, epoch }) => attemptName(task, epoch)));
    const offered = drain || report.leaving
      ? []
      : [...state.tasks.values()].filter((task) =>
        !isOver(task) && isIts(task, report) && task.cancelAsked === undefined &&
        !told.has(attemptName(task.id, task.epoch))
      );
    return {
      schema: EXCHANGE_SCHEMA,
      worker,
      incarnation,
      number,
      assign: firstThatFit(offered.flatMap(assignmentOf)),
      cancel: report.attempts.flatMap(({ task, epoch, report: word }) => {
        const why = word === undefined ? whyEnd(state, report, task, epoch) : undefined;
        return why === undefined ? [] : [{ task, epoch, why }];
      }),
      settled: report.attempts.flatMap(({ task, epoch, report: word }) => {
        const settled = word && settlementOf(state, worker, { task, epoch });
        return settled === undefined ? [] : [{ task, epoch, ...settled }];
      }),
      drain,
      stop: dismissed !== undefined || state.stopped?.now === true,
      fenceMs: FENCE_MS,
      dismissed,
    };
  }

  function whyDismissed({ worker, incarnation }: WorkerReport): string | undefined {
    if (!parts.state().workers.has(worker)) return `worker "${worker}" is not in the pool`;
    const newest = lives.newestOf(worker);
    return newest !== undefined && newest.incarnation !== incarnation
      ? `another worker "${worker}" was started on ${newest.host}`
      : undefined;
  }

  function assignmentOf(task: Task): Assignment[] {
    const resolved = parts.resolve(task);
    if ("cannot" in resolved) return [];
    const { id, epoch, revision, wish } = task;
    const bare = { task: id, epoch, revision, prompt: wish.text, ...resolved };
    const { data } = wish;
    if (data === undefined) return [bare];
    const files = parts.dataOf?.(data);
    return [
      files === undefined
        ? { ...bare, data: [DATA_GONE] }
        : { ...bare, data: files, proposes: data.proposes.map(({ name }) => name) },
    ];
  }

  return {
    submit(wish, origin, id) {
      const known = wish.key === undefined ? undefined : parts.state().keys.get(wish.key);
      const same = known ?? (id !== undefined && find(id) !== undefined ? id : undefined);
      if (same !== undefined) return { task: find(same)!, isNew: false };
      const task = id ?? parts.newId();
      // A worker would understand nothing of what it is told of such a task, nor of the others beside it.
      if (!isTaskId(task)) throw new Error(`${JSON.stringify(task)} is no id of a task`);
      write([{ type: "task-submitted", task, wish, origin }], origin.by);
      step();
      return { task: find(task)!, isNew: true };
    },
    revise: (id, wish, by) =>
      change(
        id,
        by,
        (task) =>
          task.status === "queued" && task.epoch === 0
            ? [{ type: "task-revised", task: id, wish: { ...wish, data: task.wish.data } }]
            : `Task "${id}" is ${task.status} and cannot be changed any more`,
      ),
    cancel: (id, why, by) =>
      change(id, by, (task) => {
        if (isOver(task)) return `Task "${id}" is ${task.status} already`;
        const asked: PoolHappening = { type: "task-cancel-asked", task: id, why };
        // What has begun, or may have, ends first and says what it cost.
        return task.status === "queued"
          ? [asked, { type: "task-ended", task: id, status: "cancelled", why }]
          : [asked];
      }),
    retry: (id, by) =>
      change(
        id,
        by,
        (task) =>
          !isOver(task)
            ? `Task "${id}" is ${task.status}: it is not over`
            : task.status === "succeeded"
            ? `Task "${id}" has succeeded; submit it anew to have it done again`
            : [{ type: "task-retried", task: id }],
      ),
    acknowledge: (id, by) =>
      change(
        id,
        by,
        (task) =>
          isOver(task) ? [{ type: "task-acknowledged", task: id }] : `Task "${id}" is not over`,
      ),
    enrol({ name, labels, proof, via, mailbox }, by) {
      write([{ type: "worker-enrolled", worker: name, labels, proof, via, mailbox }], by);
      return { done: true };
    },
    remove(worker, by) {
      if (!parts.state().workers.has(worker)) return noWorker(worker);
      write([{ type: "worker-removed", worker }], by);
      step();
      return { done: true };
    },
    bury(worker, why, whats, by) {
      const lost = buriedAttempts(parts.state(), worker, why, parts.limits());
      const removed: PoolHappening[] = parts.state().workers.has(worker)
        ? [{ type: "worker-removed", worker }]
        : [];
      write([...lost, ...whats, ...removed], by);
      step();
    },
    drain(worker, drains, by) {
      if (!parts.state().workers.has(worker)) return noWorker(worker);
      write([{ type: drains ? "worker-drained" : "worker-resumed", worker }], by);
      step();
      return { done: true };
    },
    stop({ now, why }, by) {
      const ends = [...parts.state().tasks.values()].flatMap((task): PoolHappening[] => {
        if (!now || task.status === "queued" || isOver(task)) return [];
        const cause = why === "" ? "the pool was stopped" : `the pool was stopped: ${why}`;
        return [{ type: "task-cancel-asked", task: task.id, why: cause }];
      });
      write([{ type: "pool-stopped", now, why }, ...ends], by);
      return { done: true };
    },
    resume(by) {
      if (parts.state().stopped === undefined) {
        return { done: false, reason: "The pool is not stopped" };
      }
      write([{ type: "pool-resumed" }], by);
      step();
      return { done: true };
    },
    exchange,
    looked: (worker, look) => lives.looked(worker, look, clock.now()),
    ordersFor,
    step,
    sightings: () => lives.seen,
  };
}

/** The next report gets the rest: orders that are too long would be read by nobody. */
function firstThatFit(assignments: readonly Assignment[]): readonly Assignment[] {
  let room = ASSIGN_LENGTH;
  return assignments.filter(({ prompt, data = [] }, i) => {
    room -= prompt.length + data.reduce((sum, { text }) => sum + text.length, 0);
    return i === 0 || room >= 0;
  });
}

function isIts({ attempts }: Task, report: WorkerReport): boolean {
  const last = attempts.at(-1);
  return last !== undefined && isOf(last, report) && isLive(last);
}

function isOf(one: Pick<Attempt, "worker" | "incarnation">, life: typeof one): boolean {
  return one.worker === life.worker && one.incarnation === life.incarnation;
}

function isLive({ report, lost, endedAt }: Attempt): boolean {
  return report === undefined && lost === undefined && endedAt === undefined;
}

/** Why an attempt that a worker runs should end; undefined when it should not. */
function whyEnd(
  state: PoolState,
  { worker, incarnation }: WorkerReport,
  id: string,
  epoch: number,
): string | undefined {
  const task = state.tasks.get(id);
  if (task === undefined) return "there is no such task";
  if (isOver(task)) return `the task is ${task.status}`;
  if (task.cancelAsked !== undefined) return task.cancelAsked.why || "the task was cancelled";
  const last = task.attempts.at(-1);
  if (last === undefined || epoch !== last.epoch || task.status === "queued") {
    // It was given up; as long as nobody else has begun, its work may still count.
    return last?.acceptedAt !== undefined && epoch !== last.epoch
      ? "another attempt has taken its place"
      : undefined;
  }
  return last.worker === worker && last.incarnation === incarnation
    ? undefined
    : "it is another worker's";
}

function noWorker(worker: string): Refusable {
  return { done: false, reason: `There is no worker "${worker}"` };
}
