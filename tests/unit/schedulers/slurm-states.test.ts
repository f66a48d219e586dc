import assert from "node:assert/strict";
import { test } from "node:test";
import { exitOf, isOver, seenState } from "../../../lib/schedulers/slurm/states.ts";

/** JOB STATE CODES of squeue(1) and sacct(1), 22.05, with newer ones. */
const DOCUMENTED: Record<string, string> = {
  "BOOT_FAIL BF": "launch-failure",
  "CANCELLED CA": "cancelled",
  "COMPLETED CD": "completed",
  "CONFIGURING CF": "pending",
  "COMPLETING CG": "completing",
  "DEADLINE DL": "deadline",
  "FAILED F": "failed",
  "NODE_FAIL NF": "node-failure",
  "OUT_OF_MEMORY OOM": "out-of-memory",
  "PENDING PD": "pending",
  "PREEMPTED PR": "preempted",
  "RUNNING R": "running",
  "RESV_DEL_HOLD RD": "pending",
  "REQUEUE_FED RF": "pending",
  "REQUEUE_HOLD RH": "pending",
  "REQUEUED RQ": "pending",
  "RESIZING RS": "running",
  "REVOKED RV": "pending",
  "SIGNALING SI": "running",
  "SPECIAL_EXIT SE": "pending",
  "STAGE_OUT SO": "completing",
  "STOPPED ST": "running",
  "SUSPENDED S": "running",
  "TIMEOUT TO": "timeout",
  "LAUNCH_FAILED": "launch-failure",
  "RECONFIG_FAIL": "launch-failure",
  "POWER_UP_NODE": "pending",
};

test("every documented state and its short code is known", () => {
  for (const [words, state] of Object.entries(DOCUMENTED)) {
    for (const word of words.split(" ")) assert.equal(seenState(word).state, state, word);
  }
});

test("additions to a state do not hide it", () => {
  assert.deepEqual(seenState("CANCELLED by 0"), { state: "cancelled", raw: "CANCELLED" });
  assert.deepEqual(seenState("CANCELLED+"), { state: "cancelled", raw: "CANCELLED" });
  assert.deepEqual(seenState(" RUNNING+ "), { state: "running", raw: "RUNNING" });
});

test("an unknown word is unrecognised and never an end", () => {
  for (const word of ["FROBNICATED", "", "constructor", "__proto__", "42"]) {
    assert.equal(seenState(word).state, "unrecognised", word);
  }
  assert.equal(isOver("unrecognised"), false);
  assert.equal(isOver("completing"), false);
  assert.equal(isOver("preempted"), true);
});

test("0:0 is success only of COMPLETED, SLURM's own marks are no signals", () => {
  assert.deepEqual(exitOf("completed", 0, 0), { exitCode: 0, signal: undefined });
  for (const state of ["timeout", "cancelled", "node-failure", "preempted", "failed"] as const) {
    assert.deepEqual(exitOf(state, 0, 0), { exitCode: undefined, signal: undefined }, state);
  }
  assert.deepEqual(exitOf("failed", 3, 0), { exitCode: 3, signal: undefined });
  assert.deepEqual(exitOf("failed", 0, 9), { exitCode: undefined, signal: 9 });
  assert.deepEqual(exitOf("out-of-memory", 0, 125), { exitCode: undefined, signal: undefined });
  assert.deepEqual(exitOf("running", 0, 0), { exitCode: undefined, signal: undefined });
});
