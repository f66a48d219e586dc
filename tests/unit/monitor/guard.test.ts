import assert from "node:assert/strict";
import { test } from "node:test";
import type { Request } from "../../../lib/actions/desk.ts";
import { allowanceOf, isModel, ruleOn } from "../../../lib/monitor/guard.ts";
import type { GuardInput, Ruling } from "../../../lib/monitor/guard.ts";
import { apply, emptyState } from "../../../lib/sweep/state.ts";
import type { SweepState } from "../../../lib/sweep/state.ts";
import type { Happening } from "../../../lib/sweep/event.ts";

/** Six trials: 0 runs, 1 failed, 2 completed, 3 was never submitted, 4 is paused by somebody, 5 failed four times. */
function state(more: readonly Happening[] = []): SweepState {
  const made = emptyState();
  let seq = 0;
  const add = (what: Happening, by = "monitor") =>
    apply(made, { v: 1, seq: ++seq, at: seq, by, what });
  add({
    type: "trials-added",
    trials: [0, 1, 2, 3, 4, 5].map((index) => ({
      index,
      key: `k${index}`,
      name: `t${index}`,
      params: {},
      extras: {},
      resources: {},
      conditions: [],
    })),
  });
  const submit = (trial: number, attempt: number, cause: "completed" | "exit" | undefined) => {
    const submission = `s${trial}-${attempt}`;
    const task = 0;
    add({
      type: "submission-intended",
      submission,
      scheduler: "slurm",
      jobName: submission,
      fixed: "f",
      tasks: [{ task, trial, attempt, as: "a" }],
      timeSeconds: 60,
    });
    add({ type: "submission-accepted", submission, jobId: `${trial}${attempt}` });
    const ending = cause === undefined
      ? {}
      : { ending: { cause, exitCode: 1, signal: undefined, source: "both" as const } };
    const phase = cause === undefined ? "running" as const : "ended" as const;
    add({ type: "attempts-changed", changes: [{ submission, task, phase, ...ending }] });
  };
  submit(0, 1, undefined);
  submit(1, 1, "exit");
  submit(2, 1, "completed");
  for (const attempt of [1, 2, 3, 4]) submit(5, attempt, "exit");
  add({ type: "intent-set", indices: [4], intent: "pause" }, "cli:alice");
  add({ type: "phase-entered", phase: "live", stage: 2, trials: [], why: "" });
  for (const what of more) add(what);
  return made;
}

function ruled(
  request: Request,
  by: string,
  change: Partial<GuardInput> = {},
  more: readonly Happening[] = [],
): "allowed" | "confirm" | "refused" {
  const ruling: Ruling = ruleOn(request, by, {
    state: state(more),
    grants: [],
    mode: "remediate",
    bumpPercent: 50,
    pruneShare: 1 / 3,
    ...change,
  });
  return ruling === "allowed" ? ruling : "confirm" in ruling ? "confirm" : "refused";
}

const EVERYTHING: readonly Request[] = [
  { verb: "run" },
  { verb: "run", indices: [0], force: true },
  { verb: "stop", indices: "all" },
  { verb: "pause", indices: [0] },
  { verb: "prune", indices: [0] },
  { verb: "resume", indices: [4] },
  { verb: "halve" },
  { verb: "bump", what: "memory", percent: 500 },
  { verb: "halt", reason: "r" },
  { verb: "continue" },
  { verb: "confirm", id: "c1", yes: true },
  { verb: "schedule", seconds: 60 },
  { verb: "tick" },
  { verb: "acknowledge-prompt", sha256: "0" },
  { verb: "leave" },
];

test("people and the rules may have everything done", () => {
  for (const by of ["cli:alice", "api:alice", "discord:123", "monitor"]) {
    for (const request of EVERYTHING) assert.equal(ruled(request, by), "allowed", request.verb);
  }
});

test("a model is known by its name, and a person who is called agent is none", () => {
  assert.ok(isModel("agent") && isModel("mcp:alice") && isModel("broker:herd:discord:7"));
  assert.ok(!isModel("cli:agent") && !isModel("api:mcp") && !isModel("agents"));
});

const MODEL: readonly [string, Request, "allowed" | "confirm" | "refused"][] = [
  ["stop all", { verb: "stop", indices: "all" }, "confirm"],
  ["stop one", { verb: "stop", indices: [0] }, "confirm"],
  ["pause", { verb: "pause", indices: [0] }, "confirm"],
  ["prune", { verb: "prune", indices: [0] }, "confirm"],
  ["resume what a person paused", { verb: "resume", indices: [4] }, "confirm"],
  ["halt", { verb: "halt", reason: "" }, "confirm"],
  ["leave", { verb: "leave" }, "confirm"],
  ["confirm", { verb: "confirm", id: "c1", yes: true }, "refused"],
  ["deny", { verb: "confirm", id: "c1", yes: false }, "refused"],
  ["run a failed trial", { verb: "run", indices: [1] }, "allowed"],
  ["run a trial that failed too often", { verb: "run", indices: [5] }, "confirm"],
  ["run a completed trial by force", { verb: "run", indices: [2], force: true }, "confirm"],
  ["run a live trial by force", { verb: "run", indices: [0], force: true }, "confirm"],
  ["run what a person paused", { verb: "run", indices: [4] }, "confirm"],
  ["a small bump", { verb: "bump", what: "memory", percent: 50 }, "allowed"],
  ["a bump of no size", { verb: "bump", what: "time" }, "allowed"],
  ["a large bump", { verb: "bump", what: "memory", percent: 51 }, "confirm"],
  ["a bump to a size", { verb: "bump", what: "memory", to: 100 }, "confirm"],
  ["halve", { verb: "halve" }, "allowed"],
  ["a tick", { verb: "tick" }, "allowed"],
  ["a schedule", { verb: "schedule", seconds: 1 }, "allowed"],
  ["go on where nothing is halted", { verb: "continue" }, "allowed"],
];

for (const [name, request, expected] of MODEL) {
  test(`a model that asks to ${name}: ${expected}`, () => {
    assert.equal(ruled(request, "agent"), expected);
    assert.equal(ruled(request, "mcp:alice"), expected);
    assert.equal(ruled(request, "broker:herd:discord:7"), expected);
  });
}

test("where failures are only reported a model neither bumps nor submits them again by itself", () => {
  const mode = "notify";
  assert.equal(ruled({ verb: "run", indices: [1] }, "agent", { mode }), "confirm");
  assert.equal(ruled({ verb: "bump", what: "memory" }, "agent", { mode }), "confirm");
});

test("while the sweep is halted a model submits, halves and goes on only with a person's yes", () => {
  const halted: Happening[] = [{ type: "halted", why: "the same error twice" }];
  for (
    const request of [
      { verb: "run", indices: [1] },
      { verb: "halve" },
      { verb: "continue" },
    ] as const
  ) assert.equal(ruled(request, "agent", {}, halted), "confirm", request.verb);
  assert.equal(ruled({ verb: "halve", dryRun: true }, "agent", {}, halted), "allowed");
});

test("a model does not go past the canary", () => {
  const canary: Happening[] = [
    { type: "phase-entered", phase: "canary", stage: 0, trials: [0], why: "" },
  ];
  assert.equal(ruled({ verb: "run", indices: [3] }, "agent", {}, canary), "confirm");
  assert.equal(ruled({ verb: "run" }, "agent", {}, canary), "confirm");
  assert.equal(ruled({ verb: "halve" }, "agent", {}, canary), "confirm");
});

test("a second bump of the same kind needs a person, another kind does not", () => {
  const bumped: Happening[] = [{
    type: "bumped",
    bump: { id: "b", what: "memory", failure: undefined, from: 1, to: 2, trials: "sweep" },
  }];
  assert.equal(ruled({ verb: "bump", what: "memory" }, "agent", {}, bumped), "confirm");
  assert.equal(ruled({ verb: "bump", what: "time" }, "agent", {}, bumped), "allowed");
});

test("a grant lets a model do it, and pruning only its share", () => {
  assert.equal(ruled({ verb: "stop", indices: "all" }, "agent", { grants: ["stop"] }), "allowed");
  assert.equal(ruled({ verb: "halt", reason: "" }, "agent", { grants: ["halt"] }), "allowed");
  assert.equal(ruled({ verb: "halt", reason: "" }, "agent", { grants: ["stop"] }), "confirm");
  const grants = ["prune"] as const;
  assert.equal(ruled({ verb: "prune", indices: [0, 1] }, "agent", { grants }), "allowed");
  assert.equal(ruled({ verb: "prune", indices: [0, 1, 3] }, "agent", { grants }), "confirm");
  // The same trial named often is one.
  assert.equal(ruled({ verb: "prune", indices: [0, 0, 0] }, "agent", { grants }), "allowed");
});

test("what people and halving pruned does not use up the share of the rules", () => {
  const made = state();
  const prune = (by: string, index: number) =>
    apply(made, {
      v: 1,
      seq: made.seq + 1,
      at: 1,
      by,
      what: { type: "intent-set", indices: [index], intent: "prune" },
    });
  prune("cli:alice", 0);
  prune("rules", 1);
  assert.equal(allowanceOf(made, 1 / 3), 2);
  prune("monitor", 2);
  assert.equal(allowanceOf(made, 1 / 3), 1);
});
