import type {
  Desk,
  InfoDocument,
  MetricDocument,
  Outcome,
  Request,
  TrialDocument,
} from "../../../../lib/actions/desk.ts";
import type { Clock } from "../../../../lib/base/clock.ts";
import { createTools } from "../../../../lib/agent/tools.ts";
import type { ToolResult } from "../../../../lib/agent/tool.ts";
import type { Event, Happening } from "../../../../lib/sweep/event.ts";

export const MARK = "0123456789ab";
export const SHA = "a".repeat(64);

/** A sweep in memory behind the port of tools, remembering what was asked of it. */
export interface ToolDesk {
  desk: Desk;
  acted: { request: Request; by: string }[];
  plans: string[];
  trials: TrialDocument[];
  metrics: Map<number, MetricDocument[]>;
  log: { text: string };
  plan: { text: string | undefined; problem: string | undefined };
  outcome: { next: Outcome };
  emit(what: Happening): void;
  listeners(): number;
}

export function createToolDesk(trials = 3): ToolDesk {
  const acted: ToolDesk["acted"] = [];
  const plans: string[] = [];
  const heard = new Set<(event: Event) => void>();
  const list = Array.from({ length: trials }, (_, index) => trialOf(index));
  const metrics = new Map<number, MetricDocument[]>([[0, [metricOf("loss", 0.5)]]]);
  const log = { text: "line one\nline two\n" };
  const plan: ToolDesk["plan"] = { text: "# Plan\nObjective: none\n", problem: undefined };
  const outcome: ToolDesk["outcome"] = {
    next: { done: true, text: "It is done", data: { indices: [1] }, warnings: [] },
  };
  let seq = 0;
  const page = <T>(items: readonly T[], { offset = 0, limit = 100 }) => ({
    items: items.slice(offset, offset + limit),
    total: items.length,
    offset,
  });
  const desk: Desk = {
    id: "sweep",
    path: "/sweep",
    status(query = {}) {
      const chosen = list.filter(({ index, status }) =>
        (query.indices?.includes(index) ?? true) && (query.statuses?.includes(status) ?? true)
      );
      return { ...page(chosen, query), totals: { total: list.length } };
    },
    trial: (index) => list.find((one) => one.index === index),
    attempts: () => [{ number: 1, phase: "ended" }],
    log: () => ({ text: log.text, next: log.text.length, size: log.text.length }),
    metricNames: (index) => metrics.get(index) ?? [],
    metric: (index, name) => metrics.get(index)?.find((one) => one.name === name),
    results: (query = {}) => ({
      metric: null,
      trials: page(list, query).items,
      total: list.length,
    }),
    stats: () => ({}),
    efficiency: () => ({ advice: ["Ask for less memory"] }),
    parameters(query = {}) {
      const { items, total, offset } = page(list, query);
      return { parameters: [{ name: "lr" }], trials: items, total, offset };
    },
    queue: () => Promise.resolve({ trials: [{ index: 1, reason: "Priority" }] }),
    info: () => INFO,
    plan: () => plan.text,
    writePlan(text) {
      if (plan.problem !== undefined) return plan.problem;
      plans.push(text);
      return undefined;
    },
    userPrompt: () => ({ text: "Stop at noon.", sha256: SHA, seen: false }),
    ticks: () => [],
    events: () => [],
    onEvent(listener) {
      heard.add(listener);
      return () => heard.delete(listener);
    },
    onNotice: () => () => {},
    act(request, by) {
      acted.push({ request, by });
      return Promise.resolve(outcome.next);
    },
    receive: () => Promise.resolve(true),
  };
  return {
    desk,
    acted,
    plans,
    trials: list,
    metrics,
    log,
    plan,
    outcome,
    emit(what) {
      for (const listener of [...heard]) listener({ v: 1, seq: ++seq, at: 0, by: "test", what });
    },
    listeners: () => heard.size,
  };
}

export function trialOf(index: number, change: Partial<TrialDocument> = {}): TrialDocument {
  return {
    index,
    status: "running",
    experiment_name: `lr-${index}`,
    params: { lr: index, seed: 1 },
    last_log_line: "epoch 1",
    note: null,
    ...change,
  };
}

export function metricOf(name: string, last: number | null): MetricDocument {
  return {
    name,
    n: 10,
    stepFirst: 0,
    stepLast: 9,
    last,
    mean: last,
    median: last,
    stddev: 0,
    min: last,
    max: last,
    hasNanOrInf: false,
    recent: [last],
    points: [],
  };
}

/** Time passes at once, except where a test lets a wait hang. */
export function createToolClock({ hangs = false } = {}): Clock {
  let now = 1_000_000;
  return {
    now: () => now,
    sleep(ms, signal) {
      if (!hangs || ms < 1000) {
        now += ms;
        return Promise.resolve();
      }
      return new Promise((_, reject) =>
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true })
      );
    },
  };
}

/** Calls a tool by its name, as a model would. */
export function call(
  { desk }: Pick<ToolDesk, "desk">,
  name: string,
  input: unknown = {},
  { signal = new AbortController().signal, clock = createToolClock(), by = "agent" } = {},
): Promise<ToolResult> {
  const tool = createTools({ desk, by, clock, mark: MARK }).find((one) => one.name === name);
  if (tool === undefined) throw new Error(`No tool ${name}`);
  return tool.run(input, signal);
}

/** What stands outside of all quotations of a text, and so reads as herd's own words. */
export function outsideOf(text: string, mark = MARK): string {
  const pattern = new RegExp(
    `<(data|message|owner) mark="${mark}" source="[^"<>\\n]*">\\n[\\s\\S]*?\\n</\\1 mark="${mark}">`,
    "g",
  );
  return text.replace(pattern, "");
}

const INFO: InfoDocument = {
  id: "sweep",
  sweep: "sweep",
  path: "/sweep",
  phase: "live",
  stage: 2,
  halted: null,
  mode: "agent",
  model: { name: "m", ok: true, detail: "" },
  version: "0",
  host: "h",
  pid: 1,
  startedAt: 0,
  ticks: 0,
  lastTick: null,
  nextTickAt: null,
  triggers: [],
  spent: { usd: 0.123456, today: 0, calls: 0, unpriced: 0 },
  budget: { tick: 1, day: 10, sweep: 100 },
  pendingMessages: 0,
  peripherals: {},
  question: null,
  confirmations: [],
};
