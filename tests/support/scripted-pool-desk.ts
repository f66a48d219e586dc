import type { Clock } from "../../lib/base/clock.ts";
import type { Event } from "../../lib/sweep/event.ts";
import { createCoordinator } from "../../lib/tasks/coordinator.ts";
import type { Coordinator } from "../../lib/tasks/coordinator.ts";
import { enrolCommand } from "../../lib/tasks/enrol-command.ts";
import type { WorkerReport } from "../../lib/tasks/exchange.ts";
import type { PoolConfig } from "../../lib/tasks/pool-config.ts";
import type { PoolDesk, WishOverrides } from "../../lib/tasks/pool-desk.ts";
import type { PoolHappening } from "../../lib/tasks/pool-event.ts";
import { applyToPool, emptyPool } from "../../lib/tasks/pool-state.ts";
import { readScaleWish } from "../../lib/tasks/scale-wish.ts";
import type { AttemptReport, TaskWish } from "../../lib/tasks/task.ts";
import { GUILD } from "./discord-rest.ts";

/** A PoolDesk over the real coordinator and a journal in memory; parsing is as simple as can be. */
export interface ScriptedPoolDesk extends PoolDesk {
  readonly journal: Event<PoolHappening>[];
  readonly coordinator: Coordinator;
  settings: PoolConfig;
  held: string | undefined;
  /** Thrown by the next writings, as a full disk does. */
  broken: Error | undefined;
  files: Map<string, Uint8Array | Error | "hangs">;
  /** A worker with slots says how it is; running attempts are named by task. */
  worker(name: string, slots?: number): ScriptedWorker;
}

export interface ScriptedWorker {
  /** Reports as it is, and takes up what it is given. */
  beat(): void;
  /** Tells the end of a task that it has. */
  end(task: string, report?: Partial<AttemptReport>): void;
  running(): string[];
}

export const POOL_CONFIG: PoolConfig = {
  discord: {
    token: { env: "TOKEN" },
    guildId: GUILD,
    channels: { queue: "task-queue", results: "results", workers: "worker-pool" },
    authors: ["1"],
    operators: ["2"],
    bots: [],
  },
  defaults: {
    model: "coder",
    thinking: "medium",
    sandbox: "workspace",
    network: false,
    timeoutMs: 600_000,
  },
  backends: { main: { kind: "anthropic" } },
  models: {
    coder: {
      backend: "main",
      model: "big-1",
      price: { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.2 },
      use: "code",
    },
    cheap: {
      backend: "main",
      model: "small-1",
      price: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
      use: undefined,
    },
  },
  budget: { usdPerDay: 10, usdPerTask: undefined },
  limits: { attempts: 3, running: undefined, longestTask: 6_000 },
  retention: { succeededMs: 86_400_000, quotaBytes: undefined },
  schedules: [],
  slurm: undefined,
};

export function scriptedPoolDesk(
  clock: Pick<Clock, "now">,
  journal: Event<PoolHappening>[] = [],
): ScriptedPoolDesk {
  const state = emptyPool();
  for (const event of journal) applyToPool(state, event);
  const listeners = new Set<(event: Event<PoolHappening>) => void>();
  const changes = new Set<() => void>();
  const workers = new Map<string, ScriptedWorker>();
  let ids = journal.length;
  const changed = () => changes.forEach((tell) => tell());

  function append(whats: readonly PoolHappening[], by: string): Event<PoolHappening>[] {
    if (desk.broken !== undefined) throw desk.broken;
    const events = whats.map((what, i) => ({
      v: 1,
      seq: journal.length + i + 1,
      at: clock.now(),
      by,
      what,
    }));
    for (const event of events) {
      journal.push(event);
      applyToPool(state, event);
    }
    for (const event of events) for (const tell of listeners) tell(event);
    return events;
  }

  const coordinator = createCoordinator({
    state: () => state,
    append,
    clock,
    limits: () => ({ maxAttempts: 3, maxRunning: undefined, quietMs: 60_000 }),
    newId: () => `t${++ids}`,
    resolve: (task) => ({
      modelName: task.wish.model ?? "coder",
      model: "big-1",
      backend: "main",
      backendConfig: { kind: "command" },
      price: undefined,
      thinking: "medium",
      sandbox: { level: "workspace", network: false },
      timeoutMs: 600_000,
      budgetUsd: undefined,
    }),
    holdback: () => desk.held,
    onChange: changed,
  });

  const desk: ScriptedPoolDesk = {
    folder: "/nowhere",
    fired: () => {},
    journal,
    coordinator,
    settings: POOL_CONFIG,
    held: undefined,
    broken: undefined,
    files: new Map(),
    config: () => desk.settings,
    state: () => state,
    sightings: coordinator.sightings,
    submit(text, overrides, origin, id) {
      const wish = parse(text, overrides);
      if ("refused" in wish) return wish;
      const found = coordinator.submit(wish, origin, id);
      return "refused" in found ? { refused: [found.refused] } : found;
    },
    revise(id, text, by) {
      const wish = parse(text, {});
      return "refused" in wish ? wish : coordinator.revise(id, wish, by);
    },
    told() {},
    decided() {},
    cancel: coordinator.cancel,
    retry: coordinator.retry,
    acknowledge: coordinator.acknowledge,
    clear: () => ({ cancelled: 0, acknowledged: 0 }),
    drain: coordinator.drain,
    scale(wish, by) {
      const scaled = readScaleWish(wish, desk.settings, "p1");
      if ("refused" in scaled) return { done: false, reason: scaled.refused };
      append([scaled], by);
      return { done: true };
    },
    troubles: () => [],
    jobs: () => ({ trouble: undefined, jobs: new Map() }),
    stop: coordinator.stop,
    resume: coordinator.resume,
    invite({ name, labels, via }, by) {
      if (name === "") return { refused: "A worker needs a name" };
      coordinator.enrol({ name, labels, proof: "", via }, by);
      const facts = { name, code: "code-of-gold", folder: desk.folder };
      const command = enrolCommand(via, facts);
      return via === "files"
        ? { enrolled: true, folder: desk.folder, command }
        : { code: facts.code, minutes: 15, command };
    },
    enrol: () => ({ refused: "not here" }),
    knows: () => undefined,
    remove: coordinator.remove,
    exchange: coordinator.exchange,
    ordersFor: coordinator.ordersFor,
    takeFile: () => ({ refused: "No files here" }),
    holdback: () => desk.held,
    events: (after, limit = 100) => journal.slice(Math.max(0, after), Math.max(0, after) + limit),
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onChange(listener) {
      changes.add(listener);
      return () => changes.delete(listener);
    },
    file(task, epoch, path) {
      const found = desk.files.get(`${task}:${epoch}/${path}`);
      if (found === "hangs") return new Promise(() => {});
      return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
    },
    worker(name, slots = 1) {
      if (!state.workers.has(name)) {
        coordinator.enrol({ name, labels: [], proof: "", via: "http" }, "test");
      }
      const made = workers.get(name) ?? scriptedWorker(desk, name, slots, clock, changed);
      workers.set(name, made);
      return made;
    },
  };
  return desk;
}

function scriptedWorker(
  desk: ScriptedPoolDesk,
  name: string,
  slots: number,
  clock: Pick<Clock, "now">,
  changed: () => void,
): ScriptedWorker {
  const has = new Map<string, { epoch: number; report: AttemptReport | undefined }>();
  let number = 0;
  const startedAt = clock.now();

  function beat(): void {
    for (let more = true; more;) {
      const report: WorkerReport = {
        worker: name,
        incarnation: `${name}-1`,
        startedAt,
        number: ++number,
        version: "1.0.0",
        host: "node1",
        slots,
        labels: ["gpu"],
        sandboxes: ["none", "workspace", "read-only"],
        leaving: false,
        attempts: [...has].map(([task, { epoch, report }]) => ({
          task,
          epoch,
          phase: "tool bash",
          use: report?.use ?? [],
          report,
        })),
      };
      const orders = desk.exchange(report);
      more = orders.assign.length > 0 || orders.settled.length > 0;
      for (const { task } of orders.settled) has.delete(task);
      for (const { task, epoch } of orders.assign) has.set(task, { epoch, report: undefined });
    }
    changed();
  }

  return {
    beat,
    end(task, report = {}) {
      const one = has.get(task);
      if (one === undefined) throw new Error(`${name} does not have ${task}`);
      one.report = reportOf({
        startedAt: clock.now() - 60_000,
        endedAt: clock.now(),
        folder: `/state/tasks/${task}/${one.epoch}`,
        ...report,
      });
      beat();
    },
    running: () => [...has.keys()],
  };
}

export function reportOf(more: Partial<AttemptReport> = {}): AttemptReport {
  return {
    end: "done",
    cause: "",
    passing: false,
    result: "It is done.",
    files: [],
    folder: "/state/tasks/t/1",
    use: [{ model: "big-1", input: 1_000, output: 200, cacheRead: 0, cacheWrite: 0, usd: 0.02 }],
    startedAt: 0,
    endedAt: 60_000,
    ...more,
  };
}

const TAG = /\[(model|thinking|key):([^\]]*)\]/g;

function parse(text: string, overrides: WishOverrides): TaskWish | { refused: string[] } {
  const found = new Map<string, string>(
    Object.entries(overrides).flatMap(([key, value]) => value === undefined ? [] : [[key, value]]),
  );
  const rest = text.replace(TAG, (_, kind: string, value: string) => {
    if (!found.has(kind)) found.set(kind, value);
    return "";
  }).trim();
  const refused: string[] = [];
  const model = found.get("model");
  const thinking = found.get("thinking");
  if (model !== undefined && !Object.hasOwn(POOL_CONFIG.models, model)) {
    refused.push(`There is no model "${model}": known are coder, cheap`);
  }
  if (thinking !== undefined && !["off", "low", "medium", "high"].includes(thinking)) {
    refused.push(`"${thinking}" is no way to think: allowed are off, low, medium, high`);
  }
  if (rest === "") refused.push("A task needs a text");
  if (refused.length > 0) return { refused };
  return {
    text: rest,
    model,
    thinking: thinking as TaskWish["thinking"],
    worker: found.get("worker"),
    timeoutMs: undefined,
    priority: 0,
    sandbox: undefined,
    key: found.get("key"),
  };
}
