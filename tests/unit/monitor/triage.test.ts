import assert from "node:assert/strict";
import { test } from "node:test";
import type { FailedAttempt } from "../../../lib/monitor/failed-attempt.ts";
import type { Asked, TriageInput } from "../../../lib/monitor/judgement.ts";
import { triage } from "../../../lib/monitor/triage.ts";
import type { TriageResult } from "../../../lib/monitor/triage.ts";
import type { Attempt } from "../../../lib/sweep/attempt.ts";
import type { Bump, FailureClass, Verdict } from "../../../lib/sweep/monitor-event.ts";
import { REMEDIATION_DEFAULTS } from "../../../lib/sweep/read-monitor.ts";
import type { Status } from "../../../lib/sweep/status.ts";

/** A sweep whose failures are judged one after the other, as the journal would keep them. */
function createJudge(change: Partial<TriageInput> = {}) {
  let now = 1000;
  let ids = 0;
  let attempts = 0;
  const verdicts: Record<string, Verdict> = {};
  const bumps: (Bump & { at: number; applied: boolean })[] = [];
  const sweep = { memoryMiB: 8192, timeSeconds: 3600 as number | null };
  const own = new Map<number, Partial<Asked>>();

  function attempt(trial: number, failure: FailureClass, more: Partial<FailedAttempt> = {}) {
    const key = `s${++attempts}/${trial}`;
    return {
      key,
      trial,
      failure,
      fingerprint: undefined,
      headline: "x",
      timeSeconds: undefined,
      attempt: { trial, phase: "ended", intendedAt: now } as Attempt,
      ...more,
    };
  }

  function judge(
    failures: readonly FailedAttempt[],
    more: Partial<TriageInput> = {},
  ): TriageResult {
    now += 1000;
    const asked = new Map(failures.map(({ trial }) => [trial, {
      ...sweep,
      byCondition: { memory: false, time: false },
      ...own.get(trial),
    }]));
    const result = triage({
      failures,
      verdicts,
      bumps,
      mode: "remediate",
      settings: REMEDIATION_DEFAULTS,
      asked,
      sweep,
      limits: { maxMemoryMiB: undefined, maxTimeSeconds: null },
      statuses: new Map(failures.map(({ trial }) => [trial, "failed" as Status])),
      halted: false,
      newId: () => `b${++ids}`,
      ...change,
      ...more,
    });
    for (const verdict of result.verdicts) verdicts[verdict.attempt] = verdict;
    for (const bump of result.bumps) {
      bumps.push({ ...bump, at: now, applied: true });
      if (bump.trials === "sweep") {
        if (bump.what === "memory") sweep.memoryMiB = bump.to;
        else sweep.timeSeconds = bump.to;
      } else {
        const size = bump.what === "memory" ? { memoryMiB: bump.to } : { timeSeconds: bump.to };
        for (const trial of bump.trials) own.set(trial, { ...own.get(trial), ...size });
      }
    }
    now += 1000;
    return result;
  }
  return { attempt, judge, verdicts, bumps, sweep, own };
}

function decisions({ verdicts }: TriageResult): string[] {
  return verdicts.map(({ trial, decision, bump }) =>
    `${trial} ${decision}${bump === undefined ? "" : ` ${bump}`}`
  );
}

test("The table of the user page, in both modes", () => {
  const table: [FailureClass, string, string][] = [
    ["out-of-memory", "bump", "notify"],
    ["timeout", "bump", "notify"],
    ["cuda-out-of-memory", "notify", "notify"],
    ["infrastructure", "retry", "notify"],
    ["exception", "retry", "notify"],
    ["unknown", "retry", "notify"],
  ];
  for (const [failure, remediate, notify] of table) {
    for (const [mode, decision] of [["remediate", remediate], ["notify", notify]] as const) {
      const { attempt, judge } = createJudge({ mode });
      const result = judge([attempt(0, failure, { fingerprint: "f" })]);
      assert.equal(result.verdicts[0]?.decision, decision, `${failure} in ${mode}`);
      assert.equal(result.bumps.length, decision === "bump" ? 1 : 0);
      assert.match(result.verdicts[0]!.why, /^[A-Z].*[^.]$/);
    }
  }
});

test("A bump asks for half as much again of what is set now", () => {
  const { attempt, judge } = createJudge();
  const memory = judge([attempt(3, "out-of-memory")]);
  assert.deepEqual(memory.bumps, [{
    id: "b1",
    what: "memory",
    failure: "out-of-memory",
    from: 8192,
    to: 12_288,
    trials: "sweep",
  }]);
  assert.match(memory.verdicts[0]!.why, /slurm\.mem goes from 8G to 12G/);
  const time = judge([attempt(4, "timeout", { timeSeconds: 3600 })]);
  assert.deepEqual(decisions(time), ["4 bump b2"]);
  assert.match(time.verdicts[0]!.why, /slurm\.time goes from 1h to 1h30m/);
});

test("Trials that fail at once, and those that were submitted before, share the one bump", () => {
  const { attempt, judge, bumps } = createJudge();
  const late = attempt(5, "out-of-memory");
  const later = attempt(6, "timeout", { timeSeconds: 3600 });
  const first = judge([attempt(1, "out-of-memory"), attempt(2, "out-of-memory")]);
  assert.deepEqual(decisions(first), ["1 bump b1", "2 bump b1"]);
  assert.deepEqual(decisions(judge([late])), ["5 bump b1"]);
  judge([attempt(1, "timeout", { timeSeconds: 3600 })]);
  assert.deepEqual(decisions(judge([later])), ["6 bump b2"]);
  assert.equal(bumps.length, 2);
});

test("A class that fails under its bump is only reported for the rest of the sweep", () => {
  const { attempt, judge, bumps } = createJudge();
  const straggler = attempt(7, "out-of-memory");
  judge([attempt(1, "out-of-memory")]);
  const again = judge([attempt(1, "out-of-memory")]);
  assert.deepEqual(decisions(again), ["1 notify b1"]);
  assert.match(again.verdicts[0]!.why, /^12G was not enough either/);
  assert.deepEqual(decisions(judge([attempt(2, "out-of-memory")])), ["2 notify b1"]);
  assert.deepEqual(decisions(judge([straggler])), ["7 notify b1"]);
  // The other class has its own.
  assert.deepEqual(decisions(judge([attempt(2, "timeout", { timeSeconds: 3600 })])), ["2 bump b2"]);
  assert.equal(bumps.length, 2);
});

test("Within one round a failure under the bump counts first", () => {
  const { attempt, judge } = createJudge();
  const straggler = attempt(7, "out-of-memory");
  judge([attempt(1, "out-of-memory")]);
  assert.deepEqual(decisions(judge([straggler, attempt(1, "out-of-memory")])), [
    "7 notify b1",
    "1 notify b1",
  ]);
});

test("A crash between the bump and its verdict makes no second bump", () => {
  const { attempt, judge, verdicts, bumps } = createJudge();
  const failed = attempt(1, "out-of-memory");
  judge([failed]);
  delete verdicts[failed.key];
  bumps[0]!.applied = false;
  const again = judge([failed]);
  assert.deepEqual(decisions(again), ["1 bump b1"]);
  assert.equal(again.bumps.length, 0);
});

test("G.1.9: a failure is judged once, however often it is shown", () => {
  const { attempt, judge } = createJudge();
  const failed = attempt(1, "infrastructure");
  assert.equal(judge([failed, failed]).verdicts.length, 1);
  assert.equal(judge([failed]).verdicts.length, 0);
});

test("At the ceiling nothing is raised and it says so", () => {
  const { attempt, judge } = createJudge({
    limits: { maxMemoryMiB: 8192, maxTimeSeconds: 4200 },
    settings: { ...REMEDIATION_DEFAULTS, maxTimeSeconds: 4000 },
  });
  const memory = judge([attempt(1, "out-of-memory")]);
  assert.deepEqual(decisions(memory), ["1 notify"]);
  assert.match(memory.verdicts[0]!.why, /ceiling of 8G/);
  assert.equal(judge([attempt(1, "timeout", { timeSeconds: 3600 })]).bumps[0]?.to, 3960);
});

test("Taken back by a person, a bump is not tried for ever", () => {
  const { attempt, judge, sweep } = createJudge();
  judge([attempt(1, "timeout", { timeSeconds: 3600 })]);
  sweep.timeSeconds = 3600;
  assert.deepEqual(decisions(judge([attempt(1, "timeout", { timeSeconds: 3600 })])), [
    "1 notify b1",
  ]);
});

test("A person who raised the limit meanwhile saves the bump", () => {
  const { attempt, judge, sweep, bumps } = createJudge();
  const failed = attempt(1, "timeout", { timeSeconds: 3600 });
  sweep.timeSeconds = 7200;
  assert.deepEqual(decisions(judge([failed])), ["1 retry"]);
  assert.equal(bumps.length, 0);
  assert.deepEqual(decisions(judge([attempt(1, "timeout", { timeSeconds: 7200 })])), ["1 bump b1"]);
  assert.equal(bumps[0]?.to, 10_800);
});

test("A person's bump is shared too and leaves the rules theirs", () => {
  const { attempt, judge, bumps, sweep } = createJudge();
  const old = attempt(1, "out-of-memory");
  bumps.push({
    id: "p1",
    what: "memory",
    failure: undefined,
    from: 8192,
    to: 16_384,
    trials: "sweep",
    at: 1500,
    applied: true,
  });
  sweep.memoryMiB = 16_384;
  assert.deepEqual(decisions(judge([old])), ["1 bump p1"]);
  assert.deepEqual(decisions(judge([attempt(1, "out-of-memory")])), ["1 bump b1"]);
  assert.equal(bumps.at(-1)?.to, 24_576);
  assert.deepEqual(decisions(judge([attempt(1, "out-of-memory")])), ["1 notify b1"]);
});

test("A trial whose memory a condition sets is not helped by the sweep's setting", () => {
  const { attempt, judge, own } = createJudge();
  const condition = { memoryMiB: 16_384, byCondition: { memory: true, time: false } };
  own.set(9, condition);
  own.set(8, condition);
  const result = judge([attempt(9, "out-of-memory"), attempt(8, "out-of-memory")]);
  assert.deepEqual(result.bumps.map(({ from, to, trials }) => ({ from, to, trials })), [
    { from: 16_384, to: 24_576, trials: [8, 9] },
  ]);
  // The class has had its one bump.
  const other = judge([attempt(1, "out-of-memory")]);
  assert.deepEqual(decisions(other), ["1 notify"]);
  assert.match(other.verdicts[0]!.why, /is for other trials$/);
});

test("With bumps for trials each has one per class", () => {
  const { attempt, judge, bumps } = createJudge({
    settings: { ...REMEDIATION_DEFAULTS, scope: "trial" },
  });
  const first = judge([attempt(1, "out-of-memory"), attempt(2, "out-of-memory")]);
  assert.deepEqual(decisions(first), ["1 bump b1", "2 bump b1"]);
  assert.deepEqual(bumps[0]?.trials, [1, 2]);
  assert.deepEqual(decisions(judge([attempt(3, "out-of-memory")])), ["3 bump b2"]);
  assert.deepEqual(decisions(judge([attempt(3, "out-of-memory")])), ["3 notify b2"]);
  // Trial 3's end is its own.
  assert.deepEqual(decisions(judge([attempt(4, "out-of-memory")])), ["4 bump b3"]);
  assert.deepEqual(decisions(judge([attempt(1, "timeout")])), ["1 bump b4"]);
});

test("Failures of the cluster are retried so often and no more", () => {
  const { attempt, judge } = createJudge();
  const seen = [1, 2, 3, 4, 5].map(() => decisions(judge([attempt(2, "infrastructure")]))[0]);
  assert.deepEqual(seen, ["2 retry", "2 retry", "2 retry", "2 notify", "2 notify"]);
  assert.deepEqual(decisions(judge([attempt(3, "infrastructure")])), ["3 retry"]);
});

test("The same exception in two trials halts, in both modes, at once or one after the other", () => {
  for (const mode of ["remediate", "notify"] as const) {
    const { attempt, judge } = createJudge({ mode });
    const two = [1, 2].map((trial) => attempt(trial, "exception", { fingerprint: "E:1" }));
    const result = judge(two);
    assert.deepEqual(decisions(result), ["1 halt", "2 halt"]);
    assert.match(result.verdicts[0]!.why, /Trials 1-2 /);
    assert.deepEqual(decisions(judge([attempt(3, "exception", { fingerprint: "E:1" })])), [
      "3 halt",
    ]);
  }
  const { attempt, judge } = createJudge();
  assert.deepEqual(decisions(judge([attempt(1, "exception", { fingerprint: "E:1" })])), [
    "1 retry",
  ]);
  assert.deepEqual(decisions(judge([attempt(2, "exception", { fingerprint: "E:1" })])), ["2 halt"]);
});

test("One trial that fails twice with one exception is not two trials", () => {
  const { attempt, judge } = createJudge();
  assert.deepEqual(decisions(judge([attempt(1, "exception", { fingerprint: "E:1" })])), [
    "1 retry",
  ]);
  const again = judge([attempt(1, "exception", { fingerprint: "E:1" })]);
  assert.deepEqual(decisions(again), ["1 notify"]);
  assert.match(again.verdicts[0]!.why, /submitted again once and failed again/);
  assert.deepEqual(decisions(judge([attempt(2, "exception", { fingerprint: "E:2" })])), [
    "2 retry",
  ]);
});

test("Without retries an exception is only reported", () => {
  const { attempt, judge } = createJudge({ settings: { ...REMEDIATION_DEFAULTS, retries: 0 } });
  assert.deepEqual(decisions(judge([attempt(1, "exception", { fingerprint: "E:1" })])), [
    "1 notify",
  ]);
});

test("Failures that nothing explains halt only when they are most of what has ended", () => {
  const statuses = (failed: number[], completed: number): Map<number, Status> =>
    new Map([
      ...failed.map((trial) => [trial, "failed"] as const),
      ...Array.from({ length: completed }, (_, i) => [100 + i, "completed"] as const),
      [200, "running"] as const,
    ]);
  const { attempt, judge } = createJudge();
  const two = judge([attempt(1, "unknown"), attempt(2, "unknown")], {
    statuses: statuses([1, 2], 0),
  });
  assert.deepEqual(decisions(two), ["1 retry", "2 retry"]);
  const few = judge([attempt(3, "unknown")], { statuses: statuses([1, 2, 3], 3) });
  assert.deepEqual(decisions(few), ["3 retry"]);
  const most = judge([attempt(4, "unknown")], { statuses: statuses([1, 2, 3, 4], 3) });
  assert.deepEqual(decisions(most), ["4 halt"]);
  assert.match(most.verdicts[0]!.why, /^4 of 7 trials/);
  // Trials that completed on their second try are no evidence.
  const fresh = createJudge();
  fresh.judge([fresh.attempt(1, "unknown"), fresh.attempt(2, "unknown")]);
  const rest = fresh.judge([fresh.attempt(3, "unknown")], {
    statuses: new Map<number, Status>([[1, "completed"], [2, "running"], [3, "failed"]]),
  });
  assert.deepEqual(decisions(rest), ["3 retry"]);
});

test("While it is halted nothing is decided that would submit", () => {
  const { attempt, judge, bumps } = createJudge();
  const failures = [
    attempt(1, "exception", { fingerprint: "E:1" }),
    attempt(2, "exception", { fingerprint: "E:1" }),
    attempt(3, "out-of-memory"),
    attempt(4, "infrastructure"),
    attempt(5, "cuda-out-of-memory"),
  ];
  const result = judge(failures);
  assert.deepEqual(decisions(result), ["1 halt", "2 halt", "5 notify"]);
  assert.deepEqual(result.postponed, [failures[2]!.key, failures[3]!.key]);
  assert.deepEqual(result.bumps, []);
  assert.deepEqual(judge(failures, { halted: true }).verdicts, []);
  // A person has said to go on.
  assert.deepEqual(decisions(judge(failures)), [`3 bump ${bumps[0]?.id}`, "4 retry"]);
});

test("An attempt that SLURM started again has not failed", () => {
  const { attempt, judge } = createJudge();
  const requeued = attempt(1, "infrastructure");
  requeued.attempt = { ...requeued.attempt, phase: "queued" };
  assert.deepEqual(judge([requeued]).verdicts, []);
});
