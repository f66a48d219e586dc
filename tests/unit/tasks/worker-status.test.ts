import assert from "node:assert/strict";
import test from "node:test";
import type { WorkerAttempt, WorkerReport } from "../../../lib/tasks/exchange.ts";
import type { PoolHappening } from "../../../lib/tasks/pool-event.ts";
import type { Sighting } from "../../../lib/tasks/pool-rules.ts";
import { applyToPool, emptyPool } from "../../../lib/tasks/pool-state.ts";
import type { PoolState } from "../../../lib/tasks/pool-state.ts";
import type { AttemptReport, AttemptUse, TaskWish } from "../../../lib/tasks/task.ts";
import { statusLine, workerStatus } from "../../../lib/tasks/worker-status.ts";

const NOW = Date.parse("2026-11-21T08:00:00Z");
const MINUTE = 60_000;
const WISH: TaskWish = {
  text: "x",
  model: "cheap",
  thinking: undefined,
  worker: undefined,
  timeoutMs: undefined,
  priority: 0,
  sandbox: undefined,
  key: undefined,
};
const USE: AttemptUse = { model: "m", input: 10, output: 5, cacheRead: 0, cacheWrite: 0, usd: 0.5 };
const DONE: AttemptReport = {
  end: "done",
  cause: "",
  passing: false,
  result: "4",
  files: [],
  folder: "/x",
  use: [USE],
  startedAt: NOW,
  endedAt: NOW,
};

/** The real fold: a state that a test makes up could not be. */
function fold(...happenings: readonly (readonly [number, PoolHappening])[]): PoolState {
  const state = emptyPool();
  happenings.forEach(([ago, what], i) =>
    applyToPool(state, { seq: i + 1, at: NOW - ago, by: "test", v: 1, what })
  );
  return state;
}

const enrolled = (worker = "gpu-1"): [number, PoolHappening] => [
  60 * MINUTE,
  { type: "worker-enrolled", worker, labels: [], proof: "p", via: "http" },
];
const submitted = (
  task: string,
  ago: number,
  wish: Partial<TaskWish> = {},
): [number, PoolHappening] => [
  ago,
  {
    type: "task-submitted",
    task,
    wish: { ...WISH, ...wish },
    origin: { kind: "cli", by: "cli:a", name: undefined },
  },
];
const assigned = (task: string, ago: number, worker = "gpu-1"): [number, PoolHappening] => [
  ago,
  { type: "task-assigned", task, epoch: 1, revision: 1, worker, incarnation: "life-1" },
];
const accepted = (task: string, ago: number): [number, PoolHappening] => [
  ago,
  { type: "attempt-accepted", task, epoch: 1 },
];
const ended = (task: string, ago: number): (readonly [number, PoolHappening])[] => [
  [ago, { type: "attempt-ended", task, epoch: 1, report: DONE }],
  [ago, { type: "task-ended", task, status: "succeeded", why: "" }],
];

function seen(rest: Partial<WorkerReport> = {}, ago = 0): Sighting {
  const report: WorkerReport = {
    worker: "gpu-1",
    incarnation: "life-1",
    startedAt: NOW - 10 * MINUTE,
    number: 1,
    version: "1",
    host: "h",
    slots: 4,
    labels: [],
    sandboxes: ["none"],
    leaving: false,
    attempts: [],
    ...rest,
  };
  return { report, at: NOW - ago };
}

function told(task: string, rest: Partial<WorkerAttempt> = {}): WorkerAttempt {
  return { task, epoch: 1, phase: "tool bash", use: [], report: undefined, ...rest };
}

function line(state: PoolState, sighting: Sighting | undefined): string {
  return statusLine(state, "gpu-1", sighting, NOW, 30 * MINUTE);
}

test("a worker that waits is READY, and IDLE after five minutes", () => {
  const state = fold(enrolled());
  assert.equal(line(state, seen({ startedAt: NOW - 299_000 })), "[READY] gpu-1: 4 slots");
  assert.equal(line(state, seen({ startedAt: NOW - 300_000 })), "[IDLE] gpu-1: no task for 5 min");
  // Its clock is ahead.
  assert.equal(line(state, seen({ startedAt: NOW + 3_600_000 })), "[READY] gpu-1: 4 slots");
  const worked = fold(
    enrolled(),
    submitted("a", 9 * MINUTE),
    assigned("a", 9 * MINUTE),
    accepted("a", 9 * MINUTE),
    ...ended("a", MINUTE),
  );
  assert.equal(line(worked, seen()), "[READY] gpu-1: 4 slots");
});

test("a worker with tasks is CLAIMED, with their ids, models and phases", () => {
  const state = fold(
    enrolled(),
    submitted("a", MINUTE),
    submitted("b", MINUTE, { model: undefined }),
    assigned("a", MINUTE),
    assigned("b", MINUTE),
    accepted("a", MINUTE),
  );
  assert.equal(
    line(state, seen({ attempts: [told("a")] })),
    "[CLAIMED] gpu-1: a:1 (cheap, tool bash), b:1 (offered), 2 of 4 slots",
  );
  const using = told("a", { phase: "", use: [USE] });
  assert.match(line(state, seen({ attempts: [using] })), /a:1 \(m, running\)/);
});

test("a worker that was never enrolled, was not heard of yet, or is long silent is OFFLINE", () => {
  const state = fold(enrolled());
  assert.equal(line(emptyPool(), seen()), "[OFFLINE] gpu-1: not enrolled");
  assert.equal(line(state, undefined), "[OFFLINE] gpu-1: not heard of since the daemon began");
  assert.equal(line(state, seen({}, 361_000)), "[OFFLINE] gpu-1: not heard of for 6 min");
});

test("a worker that was silent for so long that it ended its agents is FENCED", () => {
  const state = fold(enrolled());
  assert.equal(workerStatus(state, "gpu-1", seen({}, 200_000), NOW), "IDLE");
  assert.equal(
    line(state, seen({}, 200_001)),
    "[FENCED] gpu-1: not heard of for 3 min; it ends its agents itself",
  );
  assert.equal(workerStatus(state, "gpu-1", seen({}, 360_000), NOW), "FENCED");
  const back = seen({ attempts: [told("a", { report: { ...DONE, end: "fenced" } })] });
  assert.equal(workerStatus(state, "gpu-1", back, NOW), "FENCED");
});

test("a worker that takes no more is DRAINING, with what it still has", () => {
  const state = fold(
    enrolled(),
    submitted("a", MINUTE),
    assigned("a", MINUTE),
    accepted("a", MINUTE),
    [
      0,
      { type: "worker-drained", worker: "gpu-1" },
    ],
  );
  assert.equal(
    line(state, seen({ attempts: [told("a")] })),
    "[DRAINING] gpu-1: a:1 (cheap, tool bash), 1 of 4 slots; takes no more tasks",
  );
  assert.equal(
    line(fold(enrolled()), seen({ leaving: true })),
    "[DRAINING] gpu-1: takes no more tasks",
  );
});

test("a worker whose last word is on its way, or that began anew over a task, is RESTARTING", () => {
  const state = fold(
    enrolled(),
    submitted("a", MINUTE),
    assigned("a", MINUTE),
    accepted("a", MINUTE),
  );
  const over = fold(
    enrolled(),
    submitted("a", MINUTE),
    assigned("a", MINUTE),
    accepted("a", MINUTE),
    ...ended("a", 0),
  );
  assert.equal(
    line(over, seen({ attempts: [told("a", { report: DONE })] })),
    "[RESTARTING] gpu-1: clears up for a clean context",
  );
  assert.equal(
    line(state, seen({ incarnation: "life-2" })),
    "[RESTARTING] gpu-1: a:1 (cheap, running), 1 of 4 slots; started anew",
  );
});

test("a worker with an agent that should long be over is STUCK", () => {
  const begun = [enrolled(), submitted("a", 40 * MINUTE), assigned("a", 40 * MINUTE)];
  const running = seen({ attempts: [told("a")] });
  const at = (ago: number) =>
    workerStatus(fold(...begun, accepted("a", ago)), "gpu-1", running, NOW, 30 * MINUTE);
  assert.equal(at(32 * MINUTE), "CLAIMED");
  assert.equal(at(32 * MINUTE + 1), "STUCK");
  const cancelled = (ago: number) =>
    workerStatus(
      fold(...begun, accepted("a", 20 * MINUTE), [ago, {
        type: "task-cancel-asked",
        task: "a",
        why: "x",
      }]),
      "gpu-1",
      running,
      NOW,
      30 * MINUTE,
    );
  assert.equal(cancelled(2 * MINUTE), "CLAIMED");
  assert.equal(cancelled(2 * MINUTE + 1), "STUCK");
  const own = fold(
    enrolled(),
    submitted("a", 9 * MINUTE, { timeoutMs: MINUTE }),
    assigned("a", 9 * MINUTE),
    accepted("a", 9 * MINUTE),
  );
  assert.equal(workerStatus(own, "gpu-1", running, NOW), "STUCK");
  const halted = fold(...begun, accepted("a", 20 * MINUTE), [
    3 * MINUTE,
    { type: "pool-stopped", now: true, why: "x" },
  ]);
  assert.equal(workerStatus(halted, "gpu-1", running, NOW), "STUCK");
});

test("what a worker says of itself cannot break the line", () => {
  const state = fold(enrolled(), submitted("a", 0), assigned("a", 0), accepted("a", 0));
  const phase = `\u001b[2J\n[READY] gpu-2 ${"x".repeat(1000)}`;
  const shown = line(state, seen({ attempts: [told("a", { phase })] }));
  // deno-lint-ignore no-control-regex -- that is what must not be there
  assert.ok(!/[\x00-\x1f]/.test(shown) && shown.length < 150, shown);
});
