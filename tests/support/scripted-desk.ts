import type {
  Desk,
  InfoDocument,
  Outcome,
  Request,
  TrialDocument,
} from "../../lib/actions/desk.ts";
import type { Event } from "../../lib/sweep/event.ts";
import type { Tick } from "../../lib/sweep/monitor-event.ts";

/** A Desk whose answers a test sets; what was asked of it is kept. */
export interface ScriptedDesk extends Desk {
  readonly acted: { request: Request; by: string }[];
  readonly heard: { id: string; from: string; name: string; text: string }[];
  /** What `act` answers; thrown when it is an error. */
  outcome: Outcome | Error;
  /** Tells listeners, as the journal would. */
  write(event: Event): void;
  notice: (notice: Parameters<Parameters<Desk["onNotice"]>[0]>[0]) => void;
}

export const INFO: InfoDocument = {
  id: "lr",
  sweep: "lr",
  path: "/home/alice/lr",
  phase: "live",
  stage: 2,
  halted: null,
  mode: "agent",
  model: { name: "claude-sonnet-5", ok: true, detail: "" },
  version: "1.0.0",
  host: "login1",
  pid: 4711,
  startedAt: 0,
  ticks: 14,
  lastTick: null,
  nextTickAt: 4_000_000,
  triggers: [],
  spent: { usd: 0.42, today: 0.12, calls: 7, unpriced: 0 },
  budget: { tick: 1, day: 10, sweep: null },
  pendingMessages: 0,
  peripherals: {},
  question: null,
  confirmations: [],
};

export function tickNumber(number: number, more: Partial<Tick> = {}): Tick {
  return {
    number,
    triggers: ["scheduled"],
    summary: `tick ${number} clean. Next tick in 30 min.`,
    nextAt: number * 1000,
    startedAt: number * 1000,
    durationMs: 2000,
    modelCalls: 0,
    tokens: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    usd: 0,
    ...more,
  };
}

/** `status` of a trial follows its index: running, completed, failed, ready in turn. */
export function scriptedDesk(
  trials: number,
  more: Partial<Desk> & { name?(index: number): string } = {},
): ScriptedDesk {
  const listeners = new Set<(event: Event) => void>();
  const noticed = new Set<ScriptedDesk["notice"]>();
  const kept: Event[] = [];
  const statuses = ["running", "completed", "failed", "ready"] as const;
  const all = Array.from({ length: trials }, (_, index): TrialDocument => ({
    index,
    status: statuses[index % 4]!,
    experiment_name: more.name?.(index) ?? `lr-${index}`,
    params: { lr: index },
    elapsed_seconds: index * 60,
    step: index,
    note: index % 4 === 2 ? "exit 1" : null,
    last_log_line: "epoch 3 done",
  }));
  const page = <T>(items: readonly T[], query: { offset?: number; limit?: number } = {}) => {
    const { offset = 0, limit = 100 } = query;
    return { items: items.slice(offset, offset + limit), total: items.length, offset };
  };
  const results = all.map(({ index, experiment_name, params }) => ({
    index,
    experiment_name,
    params,
    metrics: { acc: index / 100 },
    last: { loss: 1 },
  }));
  const desk: ScriptedDesk = {
    id: "lr",
    path: "/home/alice/lr",
    acted: [],
    heard: [],
    outcome: { done: true, text: "Done as asked", data: {}, warnings: [] },
    status(query = {}) {
      const found = all.filter(({ status }) => query.statuses?.includes(status) ?? true);
      const totals: Record<string, number> = { total: all.length };
      for (const { status } of all) totals[status] = (totals[status] ?? 0) + 1;
      return { ...page(found, query), totals };
    },
    trial: (index) => all[index],
    attempts: () => [],
    log: (_, { lines = 20 }) => {
      const text = Array.from({ length: lines }, (_, i) => `line ${i}`).join("\n");
      return { text, next: text.length, size: text.length };
    },
    metricNames: () => [
      { name: "val/acc", n: 12, stepFirst: 0, stepLast: 11, last: 0.5 },
      { name: "loss", n: 12, stepFirst: 0, stepLast: 11, last: null },
    ],
    metric: () => undefined,
    results(query = {}) {
      if (query.best === true) {
        const ranked = results.toReversed().slice(0, query.limit ?? 10);
        const trials = ranked.map(({ index, params }, i) => ({
          rank: i + 1,
          index,
          params,
          value: index / 100,
        }));
        return {
          metric: query.metric,
          direction: "max",
          trials,
          total: all.length,
          by: "final results",
        };
      }
      const { items, total, offset } = page(results, query);
      return { trials: items, total, offset };
    },
    stats(_, query = {}) {
      const { items, total, offset } = page(all, query);
      const trials = items.map(({ index }) => ({
        index,
        slurm_state: "RUNNING",
        elapsed_seconds: 90,
        time_limit_seconds: 3600,
        max_rss_bytes: 2 ** 30,
        req_mem_bytes: 2 ** 33,
        memory_efficiency: 0.125,
        cpu_efficiency: null,
      }));
      return { trials, total, offset, advice: ["Memory: at most 1G used of 8G"], warnings: [] };
    },
    efficiency: () => ({}),
    parameters(query = {}) {
      const { items, total, offset } = page(all, query);
      return {
        sweep: "lr",
        grid: { kind: "all" },
        parameters: [
          {
            name: "lr",
            type: "continuous",
            low: 0.1,
            high: 1,
            scale: "log",
            steps: 5,
            default: 0.5,
          },
          { name: "opt", type: "discrete", values: ["adam", "sgd"], default: null },
        ],
        conditions: [{ name: "big" }],
        trials: items,
        total,
        offset,
      };
    },
    queue: () =>
      Promise.resolve({
        waiting: 2,
        running: 1,
        reasons: [{
          reason: "Priority",
          meaning: "other jobs come first",
          count: 2,
          trials: "3,7",
        }],
        trials: [
          {
            index: 3,
            job_id: "7_3",
            starts_in_seconds: 600,
            starts_at: "2026-11-21T01:00:00.000Z",
          },
          { index: 7, job_id: "7_7", starts_in_seconds: null, starts_at: null },
        ],
        warnings: [],
      }),
    info: () => INFO,
    plan: () => "# Plan\n\nmaximize acc",
    writePlan: () => undefined,
    userPrompt: () => undefined,
    ticks: ({ limit = 20 } = {}) => Array.from({ length: limit }, (_, i) => tickNumber(i + 1)),
    events: (after, limit = 100) => kept.filter(({ seq }) => seq > after).slice(0, limit),
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onNotice(listener) {
      noticed.add(listener);
      return () => noticed.delete(listener);
    },
    act(request, by) {
      desk.acted.push({ request, by });
      return desk.outcome instanceof Error
        ? Promise.reject(desk.outcome)
        : Promise.resolve(desk.outcome);
    },
    receive(message) {
      desk.heard.push(message);
      return Promise.resolve(true);
    },
    write(event) {
      kept.push(event);
      for (const listener of listeners) listener(event);
    },
    notice(notice) {
      for (const listener of noticed) listener(notice);
    },
    ...more,
  };
  return desk;
}
