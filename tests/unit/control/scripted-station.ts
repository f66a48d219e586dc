import type { Desk, InfoDocument, Notice, Outcome, Request } from "../../../lib/actions/desk.ts";
import { RefusedError } from "../../../lib/base/errors.ts";
import type { HoldRequest, Station } from "../../../lib/control/station.ts";
import { NothingError } from "../../../lib/base/errors.ts";
import type { Event, Happening } from "../../../lib/sweep/event.ts";

/** A desk of a test's own: a journal in memory, logs as text, outcomes as scripted. */
export interface ScriptedDesk extends Desk {
  /** Writes an event as the monitor would. */
  write(what: Happening): Event;
  notice(notice: Notice): void;
  /** Listeners that are still there. */
  listeners(): number;
  logs: Map<string, string>;
  outcome: Outcome | Error;
  acted: { request: Request; by: string }[];
  received: { id: string; from: string; name: string; text: string }[];
  planText: string | undefined;
  /** How often the journal was read. */
  reads: number;
}

const TRIALS = 5;

export function createScriptedDesk(id: string): ScriptedDesk {
  const events: Event[] = [];
  const hearing = new Set<(event: Event) => void>();
  const noticing = new Set<(notice: Notice) => void>();
  const trials = Array.from({ length: TRIALS }, (_, index) => ({
    index,
    status: index === 1 ? "failed" : "running",
    experiment_name: `${id}_${index}`,
    params: { lr: 0.1 * index },
    extra: null,
  }));
  const desk: ScriptedDesk = {
    id,
    path: `/sweeps/${id}`,
    logs: new Map(),
    outcome: { done: true, text: "Done.", data: {}, warnings: [] },
    acted: [],
    received: [],
    planText: undefined,
    reads: 0,
    write(what) {
      const event = { v: 1, seq: events.length + 1, at: 1000 + events.length, by: "rules", what };
      events.push(event);
      for (const listener of hearing) listener(event);
      return event;
    },
    notice(notice) {
      for (const listener of noticing) listener(notice);
    },
    listeners: () => hearing.size + noticing.size,
    status({ indices, statuses, offset = 0, limit = 100 } = {}) {
      const chosen = trials.filter(({ index, status }) =>
        (indices?.includes(index) ?? true) && (statuses?.includes(status) ?? true)
      );
      const items = chosen.slice(offset, offset + limit);
      return { items, total: chosen.length, offset, totals: { running: 4, failed: 1, total: 5 } };
    },
    trial: (index) => trials[index],
    attempts: () => [{ number: 1, phase: "running", job: "17" }],
    log(index, { stream, lines = 20, from }) {
      const bytes = Buffer.from(desk.logs.get(`${index}/${stream}`) ?? "");
      const size = bytes.length;
      if (from !== undefined) return { text: `${bytes.subarray(from)}`, next: size, size };
      const last = `${bytes}`.split("\n").slice(0, -1).slice(-lines);
      return { text: last.map((line) => `${line}\n`).join(""), next: size, size };
    },
    metricNames: () => [{ name: "train/loss", n: 2, stepFirst: 0, stepLast: 1, last: null }],
    metric: (_, name, { points = 0 } = {}) =>
      name !== "train/loss" ? undefined : {
        ...{ name, n: 2, stepFirst: 0, stepLast: 1, last: null, mean: 1, median: 1, stddev: 0 },
        ...{ min: 1, max: 1, hasNanOrInf: true, recent: [1, null] },
        points: [{ step: 0, value: 1 }, { step: 1, value: null }].slice(0, points),
      },
    results: (query) => ({ asked: query, trials: [] }),
    stats: (index) => ({ index: index ?? null, trials: [] }),
    efficiency: () => ({ advice: [] }),
    parameters: (query) => ({ asked: query }),
    queue: () => Promise.resolve({ waiting: [] }),
    info: () => infoOf(id),
    plan: () => desk.planText,
    writePlan(text) {
      if (text.includes("nonsense")) return 'Cannot read the plan: line 1 has "nonsense"';
      desk.planText = text;
      return undefined;
    },
    userPrompt: () => undefined,
    ticks: () => [],
    events(after, limit = Infinity) {
      desk.reads++;
      return events.slice(after, after + limit);
    },
    onEvent(listener) {
      hearing.add(listener);
      return () => hearing.delete(listener);
    },
    onNotice(listener) {
      noticing.add(listener);
      return () => noticing.delete(listener);
    },
    act(request, by) {
      desk.acted.push({ request, by });
      const { outcome } = desk;
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    },
    receive(message) {
      const fresh = !desk.received.some((one) => one.id === message.id);
      if (fresh) desk.received.push(message);
      return Promise.resolve(fresh);
    },
  };
  return desk;
}

function infoOf(id: string): InfoDocument {
  return {
    id,
    sweep: id,
    path: `/sweeps/${id}`,
    phase: "live",
    stage: 2,
    halted: null,
    mode: "rules",
    model: { name: null, ok: true, detail: "" },
    version: "9.9.9",
    host: "login1",
    pid: 4711,
    startedAt: 1,
    ticks: 3,
    lastTick: null,
    nextTickAt: null,
    triggers: ["message"],
    spent: { usd: 0.25, today: 0.25, calls: 2, unpriced: 0 },
    budget: { tick: null, day: 5, sweep: null },
    pendingMessages: 1,
    peripherals: { discord: { ok: false, since: 1, detail: "the token is refused" } },
    question: null,
    confirmations: [],
  };
}

export interface ScriptedStation extends Station {
  list: ScriptedDesk[];
  held: { request: HoldRequest; by: string }[];
  ended: string[];
  /** Why it cannot restart. */
  unfit?: string;
  performing: (id: string, action: unknown, by: string) => Promise<unknown>;
}

export function createScriptedStation(ids: readonly string[] = ["lr"]): ScriptedStation {
  const station: ScriptedStation = {
    version: "9.9.9",
    commit: "1234567",
    executable: "/home/ana/.local/bin/herd",
    host: "login1",
    pid: 4711,
    startedAt: 1,
    isRestarting: false,
    pool: () => undefined,
    trialTasks: () => undefined,
    startPool: () => Promise.resolve(),
    broker: () => undefined,
    startBroker: () => Promise.resolve(),
    hosts: () => Promise.resolve([]),
    answerHost: (name) => Promise.reject(new NothingError(`Cannot log in at "${name}"`)),
    list: ids.map(createScriptedDesk),
    held: [],
    ended: [],
    performing: () => Promise.resolve({ done: true }),
    desks: () => station.list,
    desk: (id) => station.list.find((one) => one.id === id),
    hold(request, by) {
      station.held.push({ request, by });
      const desk = createScriptedDesk("second");
      station.list.push(desk);
      return Promise.resolve(desk);
    },
    release(id) {
      station.list = station.list.filter((one) => one.id !== id);
      return Promise.resolve();
    },
    shutdown(reason, by) {
      station.ended.push(`${by}: ${reason}`);
      return Promise.resolve();
    },
    restart(by) {
      if (station.unfit !== undefined) return Promise.reject(new RefusedError(station.unfit));
      station.ended.push(`${by}: restart`);
      return Promise.resolve("10.0.0 (commit 7654321)");
    },
    perform: (id, action, by) => station.performing(id, action, by),
    metrics: () => ({
      uptimeSeconds: 60,
      residentBytes: 1e6,
      looks: 7,
      schedulerCalls: { squeue: 7, sbatch: 1 },
      ticks: 3,
      modelCalls: 2,
      tokens: { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 },
      usd: 0.25,
      journalAppends: 12,
    }),
  };
  return station;
}
