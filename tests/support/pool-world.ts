import assert from "node:assert/strict";
import { createCoordinator } from "../../lib/tasks/coordinator.ts";
import type { Coordinator } from "../../lib/tasks/coordinator.ts";
import { GRACE_MS, LEASE_MS } from "../../lib/tasks/exchange.ts";
import type { WorkerOrders, WorkerReport } from "../../lib/tasks/exchange.ts";
import { readWorkerOrders, readWorkerReport } from "../../lib/tasks/exchange-schema.ts";
import type { PoolHappening } from "../../lib/tasks/pool-event.ts";
import type { MailboxDoorParts } from "../../lib/tasks/via-mailbox-door.ts";
import { applyToPool, emptyPool } from "../../lib/tasks/pool-state.ts";
import type { PoolState } from "../../lib/tasks/pool-state.ts";
import { isOver } from "../../lib/tasks/task.ts";
import type { Task, TaskWish } from "../../lib/tasks/task.ts";
import { LinkError, saysMore } from "../../lib/tasks/worker-link.ts";
import type { Event } from "../../lib/sweep/event.ts";
import type { VirtualTime } from "./virtual-time.ts";

export const LIMITS = { maxAttempts: 3, maxRunning: undefined, quietMs: 60_000 };
export const STEP_MS = 5_000;

export function wishOf(text: string, rest: Partial<TaskWish> = {}): TaskWish {
  return {
    text,
    model: undefined,
    thinking: undefined,
    worker: undefined,
    timeoutMs: undefined,
    priority: 0,
    sandbox: undefined,
    key: undefined,
    ...rest,
  };
}

export const ORIGIN = { kind: "cli", by: "cli:test", name: undefined } as const;

export const RESOLVED = {
  modelName: "cheap",
  model: "m",
  backend: "b",
  backendConfig: { kind: "command" },
  price: undefined,
  thinking: "off",
  sandbox: { level: "none", network: true },
  timeoutMs: 3_600_000,
  budgetUsd: undefined,
} as const;

/** The daemon's side: a journal of lines, the coordinator over it, and the door that workers knock at. */
export interface PoolWorld {
  coordinator(): Coordinator | undefined;
  state(): PoolState;
  events(): readonly Event<PoolHappening>[];
  /** How likely an append dies at one of its lines, and how likely the disk refuses it. */
  faults: { die: number; refuse: number };
  start(): void;
  kill(): void;
  /** Answers a report, at once or when there is more to say. */
  serve(report: WorkerReport, waitMs: number): Promise<WorkerOrders>;
  /** For doors of their own: what a life of the coordinator gives them, and nothing after its death. */
  desk(): MailboxDoorParts["desk"];
  hooks: { started(): void; killed(): void; changed(): void };
  /** Last words that were answered, by attempt. */
  settled: Map<string, boolean>;
  counts: { deaths: number; exchanges: number; worstSilenceMs: number };
}

export function createPoolWorld(time: VirtualTime, random: () => number): PoolWorld {
  const lines: string[] = [];
  const faults = { die: 0, refuse: 0 };
  const counts = { deaths: 0, exchanges: 0, worstSilenceMs: 0 };
  const settled = new Map<string, boolean>();
  const waiters = new Set<{ look: () => void; drop: () => void }>();
  const heard = new Map<string, { number: number; at: number }>();
  let state = emptyPool();
  let coordinator: Coordinator | undefined;
  let startedAt = 0;
  let stopSteps = () => {};
  let ids = 0;

  function append(whats: readonly PoolHappening[], by: string): readonly Event<PoolHappening>[] {
    assert.ok(coordinator !== undefined, "a dead coordinator writes");
    if (random() < faults.refuse) throw new Error("the disk is full");
    const events = whats.map((what, i): Event<PoolHappening> => ({
      v: 1,
      seq: lines.length + 1 + i,
      at: time.now(),
      by,
      what,
    }));
    const texts = events.map((event) => JSON.stringify(event));
    if (random() < faults.die) {
      lines.push(...texts.slice(0, Math.floor(random() * (texts.length + 1))));
      kill();
      throw new Error("the coordinator was killed");
    }
    lines.push(...texts);
    for (const text of texts) applyToPool(state, JSON.parse(text));
    return events;
  }

  function step(): void {
    if (coordinator === undefined) return;
    stopSteps = time.at(time.now() + STEP_MS, step);
    try {
      coordinator.step();
    } catch (error) {
      passOver(error);
      return;
    }
    checkSilence();
  }

  /** P4: nobody waits for a silent worker longer than its lease, the grace and one step. */
  function checkSilence(): void {
    for (const task of state.tasks.values()) {
      if (task.status !== "assigned" && task.status !== "running") continue;
      const { worker, incarnation, assignedAt, acceptedAt, byMail } = task.attempts.at(-1)!;
      // Of a mailbox silence has to be proven first; how long that takes its own tests say.
      if (byMail) continue;
      const last = heard.get(`${worker} ${incarnation}`)?.at ?? 0;
      const silent = time.now() - Math.max(startedAt, last, acceptedAt ?? assignedAt);
      counts.worstSilenceMs = Math.max(counts.worstSilenceMs, silent);
      assert.ok(silent <= LEASE_MS + GRACE_MS + STEP_MS, `P4: ${silent} ms for "${task.id}"`);
    }
  }

  function start(): void {
    if (coordinator !== undefined) return;
    state = emptyPool();
    for (const line of lines) applyToPool(state, JSON.parse(line));
    startedAt = time.now();
    heard.clear();
    coordinator = createCoordinator({
      state: () => state,
      append,
      clock: time.clock,
      limits: () => LIMITS,
      newId: () => `t${++ids}`,
      resolve: (_: Task) => RESOLVED,
      holdback: () => undefined,
      onChange: () =>
        void time.at(time.now(), () => {
          [...waiters].forEach(({ look }) => look());
          world.hooks.changed();
        }),
    });
    stopSteps = time.at(time.now(), step);
    world.hooks.started();
  }

  function kill(): void {
    if (coordinator === undefined) return;
    counts.deaths++;
    coordinator = undefined;
    stopSteps();
    [...waiters].forEach(({ drop }) => drop());
    world.hooks.killed();
  }

  function desk(): MailboxDoorParts["desk"] {
    const life = coordinator;
    const alive = () => {
      if (life === undefined || life !== coordinator) throw gone();
      return life;
    };
    return {
      state: () => state,
      onChange: () => () => {},
      ordersFor: (report) => checked(alive().ordersFor(report)),
      looked: (worker, look) => alive().looked(worker, look),
      exchange(report, agoMs = 0) {
        counts.exchanges++;
        const orders = checked(alive().exchange(report, agoMs));
        note(report, agoMs);
        return orders;
      },
    };
  }

  function serve(given: WorkerReport, waitMs: number): Promise<WorkerOrders> {
    if (coordinator === undefined) return Promise.reject(gone());
    counts.exchanges++;
    const report = readWorkerReport(JSON.stringify(given));
    if ("wrong" in report) throw new assert.AssertionError({ message: report.wrong });
    let orders: WorkerOrders;
    try {
      orders = checked(coordinator.exchange(report));
      note(report);
    } catch (error) {
      passOver(error);
      // It may have been heard all the same, and only what follows from it not written.
      if (coordinator?.sightings().get(report.worker)?.report === report) note(report);
      return Promise.reject(gone());
    }
    if (waitMs === 0 || saysMore(orders, report)) return Promise.resolve(orders);
    return new Promise((resolve, reject) => {
      const close = () => {
        waiters.delete(waiter);
        takeBack();
      };
      const give = (answer: WorkerOrders) => {
        close();
        resolve(answer);
      };
      const waiter = {
        look() {
          if (coordinator === undefined) return;
          const now = checked(coordinator.ordersFor(report));
          if (saysMore(now, report)) give(now);
        },
        drop() {
          close();
          reject(gone());
        },
      };
      waiters.add(waiter);
      const takeBack = time.at(time.now() + waitMs, () => {
        if (coordinator === undefined) waiter.drop();
        else give(checked(coordinator.ordersFor(report)));
      });
    });
  }

  function note({ worker, incarnation, number }: WorkerReport, agoMs = 0): void {
    const key = `${worker} ${incarnation}`;
    const last = heard.get(key);
    if (last === undefined || number > last.number) {
      heard.set(key, { number, at: time.now() - agoMs });
    }
  }

  function checked(orders: WorkerOrders): WorkerOrders {
    for (const { task, epoch, committed } of orders.settled) {
      const name = `${task}:${epoch}`;
      assert.equal(settled.get(name) ?? committed, committed, `P3: two answers for ${name}`);
      settled.set(name, committed);
    }
    const read = readWorkerOrders(JSON.stringify(orders));
    if ("wrong" in read) throw new assert.AssertionError({ message: read.wrong });
    return read;
  }

  const world: PoolWorld = {
    desk,
    hooks: { started() {}, killed() {}, changed() {} },
    coordinator: () => coordinator,
    state: () => state,
    events: () => lines.map((line) => JSON.parse(line)),
    faults,
    start,
    kill,
    serve,
    settled,
    counts,
  };
  return world;
}

/** What a fault of the world threw; anything else is a defect. */
export function passOver(error: unknown): void {
  const message = (error as Error).message;
  if (message !== "the disk is full" && message !== "the coordinator was killed") throw error;
}

function gone(): LinkError {
  return new LinkError("unreachable", "the coordinator is away");
}

/** P1 and P3, of a journal whose tasks are all over. */
export function checkJournal({ state, events, settled }: PoolWorld): void {
  const ends = new Map<string, number>();
  const results = new Map<string, number>();
  const count = (map: Map<string, number>, key: string, by: number) =>
    map.set(key, (map.get(key) ?? 0) + by);
  for (const { what } of events()) {
    if (what.type === "task-ended") count(ends, what.task, 1);
    if (what.type === "task-retried") count(ends, what.task, -1);
    if (what.type === "attempt-ended" && what.report.end === "done") count(results, what.task, 1);
  }
  for (const task of state().tasks.values()) {
    assert.ok(isOver(task), `P1: "${task.id}" is ${task.status}`);
    assert.equal(ends.get(task.id), 1, `P1: "${task.id}" ended more than once`);
    const done = task.attempts.filter(({ report }) => report?.end === "done");
    assert.equal(results.get(task.id) ?? 0, done.length);
    assert.equal(done.length, task.status === "succeeded" ? 1 : 0, `P3: results of "${task.id}"`);
    for (const { epoch } of task.attempts) {
      const answer = settled.get(`${task.id}:${epoch}`);
      const isResult = done[0]?.epoch === epoch;
      if (answer !== undefined) assert.equal(answer, isResult, `P3: answer to ${task.id}:${epoch}`);
    }
  }
}
