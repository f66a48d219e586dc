import assert from "node:assert/strict";
import { test } from "node:test";
import { nextStage } from "../../../lib/monitor/rollout.ts";
import type { RolloutInput, RolloutStep } from "../../../lib/monitor/rollout.ts";
import { setupWarnings } from "../../../lib/monitor/stage-standing.ts";
import type { Boot, MonitorPhase, Verdict } from "../../../lib/sweep/monitor-event.ts";
import { emptyMonitorState } from "../../../lib/sweep/monitor-state.ts";
import type { MonitorState } from "../../../lib/sweep/monitor-state.ts";
import { MONITOR_DEFAULTS } from "../../../lib/sweep/read-monitor.ts";
import type { Status } from "../../../lib/sweep/status.ts";
import type { TrialView } from "../../../lib/sweep/view.ts";

const START = 1_000_000;

function view(index: number, status: Status): TrialView {
  const never = status === "ready";
  return {
    trial: {
      index,
      key: `k${index}`,
      params: {},
      extras: {},
      resources: {},
      name: `t${index}`,
      conditions: [],
    },
    status,
    attempt: never ? undefined : {
      trial: index,
      number: 1,
      submission: "s1",
      task: index,
      jobId: "7",
      intendedAt: START,
      phase: status === "running" ? "running" : "ended",
      schedulerState: undefined,
      reason: undefined,
      startedAt: START,
      endedAt: undefined,
      node: undefined,
      restarts: 0,
      ending: undefined,
      usage: undefined,
      usageDue: false,
      unknownSince: undefined,
    },
    attempts: never ? 0 : 1,
    cameToNothing: false,
    wish: undefined,
    silentMs: undefined,
    note: undefined,
  };
}

interface Given {
  phase?: MonitorPhase;
  stages?: number[][];
  boot?: Boot;
  evidence?: number[];
  verdicts?: Record<number, Verdict["decision"]>;
  rollout?: readonly (number | "rest")[];
  monitor?: Partial<MonitorState>;
  now?: number;
  goOn?: boolean;
}

function inputOf(statuses: readonly Status[], given: Given = {}): RolloutInput {
  const stages = given.stages ?? [];
  const verdicts: MonitorState["verdicts"] = {};
  for (const [trial, decision] of Object.entries(given.verdicts ?? {})) {
    verdicts[`s1/${trial}`] = {
      attempt: `s1/${trial}`,
      trial: Number(trial),
      failure: "exception",
      fingerprint: undefined,
      headline: "ValueError: bad",
      decision,
      why: "",
      at: START,
    };
  }
  return {
    views: statuses.map((status, index) => view(index, status)),
    monitor: {
      ...emptyMonitorState(),
      phase: given.phase,
      stages,
      stage: Math.max(0, stages.length - 1),
      verdicts,
      ...given.monitor,
    },
    settings: { ...MONITOR_DEFAULTS, rollout: given.rollout ?? MONITOR_DEFAULTS.rollout },
    boot: given.boot ?? "greenfield",
    evidence: new Set(given.evidence ?? []),
    now: given.now ?? START + 60_000,
    ...(given.goOn === undefined ? {} : { goOn: given.goOn }),
  };
}

function step(statuses: readonly Status[], given: Given = {}): RolloutStep {
  return nextStage(inputOf(statuses, given));
}

function entered(result: RolloutStep) {
  assert.ok("enter" in result, JSON.stringify(result));
  const { phase, stage, trials } = result.enter;
  return { phase, stage, trials };
}

const SIX: Status[] = ["ready", "ready", "ready", "ready", "ready", "ready"];

test("a fresh sweep goes canary, two, the rest, live, done", () => {
  assert.deepEqual(entered(step(SIX)), { phase: "canary", stage: 0, trials: [0] });
  const one: Status[] = ["running", "ready", "ready", "ready", "ready", "ready"];
  assert.ok("wait" in step(one, { phase: "canary", stages: [[0]] }));
  const trained = { phase: "canary" as const, stages: [[0]], evidence: [0] };
  assert.deepEqual(entered(step(one, trained)), { phase: "stage", stage: 1, trials: [1, 2] });
  const three: Status[] = ["completed", "running", "running", "ready", "ready", "ready"];
  const half = { phase: "stage" as const, stages: [[0], [1, 2]], evidence: [0, 1] };
  assert.ok("wait" in step(three, half));
  assert.deepEqual(entered(step(three, { ...half, evidence: [1, 2] })), {
    phase: "live",
    stage: 2,
    trials: [3, 4, 5],
  });
  const all: Status[] = ["completed", "completed", "failed", "pruned", "cancelled", "completed"];
  assert.deepEqual(
    entered(step(all, { phase: "live", stages: [[0], [1, 2]], verdicts: { 2: "notify" } })).phase,
    "done",
  );
});

test("further stages, and a rollout of the rest alone, are as configured", () => {
  assert.deepEqual(entered(step(SIX, { rollout: ["rest"] })), {
    phase: "live",
    stage: 0,
    trials: [0, 1, 2, 3, 4, 5],
  });
  const two: Status[] = ["running", "running", "ready", "ready", "ready", "ready"];
  assert.deepEqual(
    entered(
      step(two, { rollout: [2, 3, "rest"], phase: "canary", stages: [[0, 1]], evidence: [0, 1] }),
    ),
    { phase: "stage", stage: 1, trials: [2, 3, 4] },
  );
});

test("a rollout longer than the sweep ends in live, and a sweep of one trial in done", () => {
  const given = { phase: "canary" as const, stages: [[0]], evidence: [0] };
  assert.deepEqual(entered(step(["running"], given)), { phase: "live", stage: 1, trials: [] });
  assert.equal(entered(step(["completed"], given)).phase, "done");
});

test("a failed canary waits for triage, and holds the stage although its log shows training", () => {
  const statuses: Status[] = ["failed", "ready"];
  const given = { phase: "canary" as const, stages: [[0]], evidence: [0] };
  for (const verdicts of [{}, { 0: "bump" as const }, { 0: "retry" as const }]) {
    assert.ok("wait" in step(statuses, { ...given, verdicts }), JSON.stringify(verdicts));
  }
});

test("a canary that was judged notify or halt is stuck, and a person is told what to do", () => {
  for (const decision of ["notify", "halt"] as const) {
    const result = step(["failed", "ready"], {
      phase: "canary",
      stages: [[0]],
      verdicts: { 0: decision },
    });
    assert.ok("stuck" in result);
    assert.deepEqual(result.stuck.trials, [0]);
    assert.match(result.stuck.why, /trial 0 failed: ValueError: bad/);
    assert.match(result.stuck.can, /"retry 0".*"prune 0".*"continue"/);
  }
});

test("a person's word to go on passes a stuck stage", () => {
  const given = { phase: "canary" as const, stages: [[0]], verdicts: { 0: "notify" as const } };
  assert.deepEqual(entered(step(["failed", "ready", "ready"], { ...given, goOn: true })), {
    phase: "stage",
    stage: 1,
    trials: [1, 2],
  });
});

test("a canary that somebody took out is replaced by the next trial", () => {
  for (const status of ["cancelled", "pruned"] as const) {
    const result = step([status, "ready", "ready"], { phase: "canary", stages: [[0]] });
    assert.deepEqual(entered(result), { phase: "canary", stage: 0, trials: [1] });
  }
});

test("a stage of which one trial was taken out passes by the other one", () => {
  const statuses: Status[] = ["completed", "pruned", "running", "ready"];
  const result = step(statuses, { phase: "stage", stages: [[0], [1, 2]], evidence: [2] });
  assert.deepEqual(entered(result), { phase: "live", stage: 2, trials: [3] });
});

test("a crash between the decision and the submission, or a lack of room, submits the same trials again", () => {
  const result = step(["completed", "running", "ready", "ready"], {
    phase: "stage",
    stages: [[0], [1, 2]],
    evidence: [1],
  });
  assert.ok("submit" in result);
  assert.deepEqual(result.submit.trials, [2]);
});

test("a restart in the middle of the rollout goes on with it: a hot reload does not skip what was begun", () => {
  const result = step(["running", "ready"], { phase: "canary", stages: [[0]], boot: "hot-reload" });
  assert.ok("wait" in result);
});

test("a hot reload skips the canary", () => {
  assert.deepEqual(entered(step(["running", "completed", "ready"], { boot: "hot-reload" })), {
    phase: "live",
    stage: 0,
    trials: [2],
  });
});

test("a post-mortem submits nothing and waits for a word", () => {
  const over: Status[] = ["completed", "failed"];
  assert.deepEqual(entered(step(over, { boot: "post-mortem" })), {
    phase: "post-mortem",
    stage: 0,
    trials: [],
  });
  assert.ok("wait" in step(over, { phase: "post-mortem", boot: "post-mortem" }));
});

test("trials that a person runs again bring a finished sweep back to life", () => {
  for (const phase of ["post-mortem", "done"] as const) {
    assert.deepEqual(entered(step(["completed", "queued"], { phase })), {
      phase: "live",
      stage: 0,
      trials: [],
    });
  }
});

test("new trials of an edited YAML are submitted while it is live, and after it was done", () => {
  const live = step(["completed", "running", "ready"], { phase: "live" });
  assert.ok("submit" in live);
  assert.deepEqual(live.submit.trials, [2]);
  assert.deepEqual(entered(step(["completed", "ready"], { phase: "done" })), {
    phase: "live",
    stage: 0,
    trials: [1],
  });
});

test("failed, cancelled, paused and pruned trials are never submitted by the rollout", () => {
  const set: Status[] = ["running", "failed", "cancelled", "paused", "pruned"];
  assert.ok("wait" in step(set, { phase: "live", verdicts: { 1: "notify" } }));
  const fresh = step(["cancelled", "paused", "ready"]);
  assert.deepEqual(entered(fresh).trials, [2]);
});

test("a dropped trial that is still live is no trial to submit", () => {
  const input = inputOf(["completed", "ready", "ready"], { phase: "live" });
  const [, second] = input.views;
  second!.trial.dropped = true;
  const result = nextStage(input);
  assert.ok("submit" in result);
  assert.deepEqual(result.submit.trials, [2]);
});

test("while halted nothing is submitted, in no phase", () => {
  const halted = { why: "same exception in 2 trials", at: START, by: "rules" };
  for (const phase of [undefined, "canary", "stage", "live", "post-mortem"] as const) {
    const result = step(SIX, {
      ...(phase === undefined ? {} : { phase }),
      stages: [[0]],
      monitor: { halted },
    });
    assert.ok("wait" in result, phase);
    assert.match(result.wait, /same exception/);
  }
});

test("while a question is open nothing is submitted", () => {
  const question = { id: "objective", text: "?", choices: [] };
  assert.ok("wait" in step(SIX, { phase: "interviewing", monitor: { question } }));
});

test("a sweep whose failure is to be retried is not done", () => {
  const verdicts = { 1: "retry" as const };
  assert.ok("wait" in step(["completed", "failed"], { phase: "live", verdicts }));
  assert.ok("wait" in step(["completed", "failed"], { phase: "live" }));
});

test("paused trials alone hold the end, and a person is told", () => {
  const result = step(["completed", "paused", "paused"], { phase: "live" });
  assert.ok("stuck" in result);
  assert.deepEqual(result.stuck.trials, [1, 2]);
  assert.match(result.stuck.can, /"resume 1-2".*"prune 1-2"/);
});

test("a set-up that is silent for too long is stuck, is warned of once and is not killed", () => {
  const now = START + 1_801_000;
  const input = inputOf(["running", "ready"], { phase: "canary", stages: [[0]], now });
  const result = nextStage(input);
  assert.ok("stuck" in result);
  assert.match(result.stuck.why, /has run for 30 min without a sign of training/);
  assert.deepEqual(setupWarnings(input).map(({ trial }) => trial), [0]);
  input.monitor.warned["0/setup"] = now;
  assert.deepEqual(setupWarnings(input), []);
});

test("set-up time is counted for running trials only, and not where training is seen", () => {
  const now = START + 9_000_000;
  const given = { phase: "live" as const, now, evidence: [1] };
  const input = inputOf(["queued", "running", "completed", "running"], given);
  assert.deepEqual(setupWarnings(input).map(({ trial }) => trial), [3]);
  const suspended = inputOf(["running"], { phase: "live", now });
  suspended.views[0]!.attempt!.schedulerState = "SUSPENDED";
  assert.deepEqual(setupWarnings(suspended), []);
  const early = inputOf(["running"], { phase: "live", now: START + 1_800_000 });
  assert.deepEqual(setupWarnings(early), []);
});
