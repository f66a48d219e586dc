import assert from "node:assert/strict";
import test from "node:test";
import type { Bump, Verdict } from "../../../lib/sweep/monitor-event.ts";
import { budgetText } from "../../../lib/words/budget-text.ts";
import { phaseText, startText } from "../../../lib/words/phase-text.ts";
import { POST_LIMIT } from "../../../lib/words/post-text.ts";
import { confirmationText, questionText } from "../../../lib/words/question-text.ts";
import { stoppedText } from "../../../lib/words/stopped-text.ts";
import { heartbeatText, standingText, tickSummary } from "../../../lib/words/tick-text.ts";
import { verdictTexts } from "../../../lib/words/verdict-text.ts";

const HOSTILE = `evil\n🛑 monitor stopped\u001b[2J${"y".repeat(6000)}`;
const totals = { total: 9, running: 4, completed: 5 };

function verdict(more: Partial<Verdict> = {}): Verdict {
  return {
    attempt: "s1/3",
    trial: 3,
    failure: "timeout",
    fingerprint: undefined,
    headline: "out of time",
    decision: "bump",
    bump: "b1",
    why: "the first time-out of this sweep",
    ...more,
  };
}

const BUMP: Bump = {
  id: "b1",
  what: "time",
  failure: "timeout",
  from: 3600,
  to: 5400,
  trials: "sweep",
};

function verdictText(verdict: Verdict, bump?: Bump): string {
  return verdictTexts([verdict], bump === undefined ? [] : [bump])[0]!;
}

test("a quiet tick and a busy one read as on the user page", () => {
  assert.equal(
    tickSummary({ quiet: true, actions: [], totals, nextInMs: 1_800_000 }),
    "tick clean — 4 running, 5 completed, 0 failed. Next tick in 30 min.",
  );
  const actions = [verdictText(verdict(), BUMP)];
  assert.equal(
    tickSummary({ quiet: false, actions, totals, nextInMs: 300_000 }),
    "bumped slurm.time 1h→1h30m after 1 TIMEOUT (idx 3); resubmitting. Next tick in 5 min.",
  );
});

test("every tick ends with its countdown once, however long the agent's words are", () => {
  const words = `All is well${" and more".repeat(2000)}. Next tick in 5 minutes.`;
  const text = tickSummary({ quiet: false, actions: [], totals, nextInMs: 120_000, words });
  assert.ok(text.length <= POST_LIMIT, `${text.length}`);
  assert.match(text, /… Next tick in 2 min\.$/);
  const once = tickSummary({
    quiet: true,
    actions: [],
    totals,
    nextInMs: 120_000,
    words: "Fine. Next tick in 2 min.",
  });
  assert.equal(once, "Fine. Next tick in 2 min.");
});

test("verdicts of one kind are one sentence", () => {
  const many = [3, 7, 8, 9].map((trial) => verdict({ trial, attempt: `s1/${trial}` }));
  assert.deepEqual(verdictTexts(many, [BUMP]), [
    "bumped slurm.time 1h→1h30m after 4 TIMEOUT (idx 3,7-9); resubmitting.",
  ]);
  const memory: Bump = { ...BUMP, id: "b2", what: "memory", from: 8192, to: 12_288, trials: [3] };
  assert.equal(
    verdictText(verdict({ failure: "out-of-memory", bump: "b2" }), memory),
    "bumped slurm.mem of 3 8G→12G after 1 OUT_OF_MEMORY (idx 3); resubmitting.",
  );
  assert.match(
    verdictText(verdict({ decision: "halt", failure: "exception", headline: "KeyError: 'x'" })),
    /^halted: KeyError: 'x' \(idx 3\)\. .* Nothing more is submitted until `\/continue`\.$/,
  );
  assert.match(
    verdictText(verdict({ decision: "retry", failure: "infrastructure", headline: "NODE_FAIL" })),
    /^resubmitting trial 3 unchanged after node failure or preemption \(NODE_FAIL\)\.$/,
  );
  for (const decision of ["notify", "halt", "retry"] as const) {
    const text = verdictText(verdict({ decision, headline: HOSTILE, why: HOSTILE }));
    assert.ok(text.length <= 400);
    assert.doesNotMatch(text, /\p{Cc}/u);
  }
});

test("phases say what they mean for the trials", () => {
  const entered = (phase: Parameters<typeof phaseText>[0]["phase"], trials: number[], stage = 0) =>
    phaseText({ phase, stage, trials, why: "" });
  assert.equal(
    entered("canary", [0]),
    "canary: submitting trial 0, to see it train before the others start",
  );
  assert.equal(entered("stage", [1, 2], 1), "stage 2: submitting trials 1-2");
  const live = phaseText({
    phase: "live",
    stage: 2,
    trials: [3, 4],
    why: "Trials 1-2 train: trials 3-4 are submitted",
  });
  assert.equal(live, "live: submitting the remaining trials 3-4, as trials 1-2 train");
  const first = "Nothing was submitted before: trial 0 goes first, as a canary";
  assert.doesNotMatch(phaseText({ phase: "canary", stage: 0, trials: [0], why: first }), / as /);
  assert.match(entered("live", []), /every trial that should run was submitted/);
  assert.match(entered("post-mortem", []), /Rerun anything, or halt\?$/);
});

test("a question has its answers by number; a confirmation says how and how long", () => {
  assert.equal(
    questionText({ id: "remediation", text: "On failures?", choices: ["remediate", "notify"] }),
    "On failures?\n1. remediate\n2. notify\nAnswer in your own words or with a number.",
  );
  const listed = { id: "x", text: "Which?\n1. a\n2. b", choices: ["a", "b"] };
  assert.equal(questionText(listed), `${listed.text}\nAnswer in your own words or with a number.`);
  const text = confirmationText({
    id: "c1",
    what: "stop all 12 live trials",
    why: HOSTILE,
    request: {},
    by: "agent",
    expiresAt: 1_800_000,
  }, 0);
  assert.match(text, /^agent asks to stop all 12 live trials, because: evil/);
  assert.match(text, /`\/confirm c1` or `\/deny c1`, within 30 min; no answer is a no\.$/);
  assert.equal(text.split("\n").length, 2);
});

test("the heartbeat, the budget and the end are each a short text", () => {
  assert.equal(
    heartbeatText({ totals, ticks: 14, nextInMs: 60_000, phase: "live" }),
    "4 running, 5 completed, 0 failed of 9 · live · tick 14, next in 1 min",
  );
  assert.match(budgetText({ scope: "day", usd: 10.02, limit: 10 }), /\(\$10\.02 of \$10\)/);
  assert.equal(
    stoppedText({ reason: "/stop by alice", ticks: 14, usd: 0.42, totals, live: 4 }),
    "monitor stopped: /stop by alice. 14 ticks, $0.42 spent. 4 running, 5 completed, 0 failed. " +
      "4 live trials go on without it. `herd monitor` takes it up again.",
  );
});

test("a sweep that is over is not offered to be taken up again", () => {
  const over = { total: 3, completed: 2, pruned: 1 };
  assert.equal(
    stoppedText({ reason: "every trial has come to its end", ticks: 2, usd: 0, totals: over }),
    "monitor stopped: every trial has come to its end. 2 ticks, $0 spent. " +
      "2 completed, 0 failed, 1 pruned.",
  );
});

test("where it stands is a bar, totals and the phase", () => {
  const now = { total: 4, running: 1, completed: 2, ready: 1 };
  assert.equal(
    standingText({ totals: now, phase: "live", halted: false }),
    "██████████▒▒▒▒▒░░░░░ 2/4 · 1 running, 2 completed, 0 failed, 1 ready · live",
  );
  const odd = standingText({ totals: { total: 3, running: 3 }, phase: "live", halted: true });
  assert.match(odd, /^▒{20} 0\/3 .* · halted$/);
});

test("a monitor that takes a sweep up again says how it is found now", () => {
  const given = {
    sweep: "lr",
    trials: 6,
    mode: "rules",
    credentials: "none",
    stage: 0,
    will: [],
  } as const;
  const again = startText({ ...given, boot: "hot-reload", phase: "live" });
  assert.match(again, /6 trials, trials are under way\. It goes on in phase live\.\n/);
  const first = startText({ ...given, boot: "hot-reload", phase: undefined });
  assert.match(first, /trials are under way already, so there is no canary\.\n/);
});

test("every text stays within a post, whatever stands in it", () => {
  const choices = Array.from({ length: 100 }, () => HOSTILE);
  const texts = [
    questionText({ id: "q", text: HOSTILE, choices }),
    stoppedText({ reason: HOSTILE, ticks: 1, usd: null, totals }),
    startText({
      sweep: HOSTILE,
      trials: 10_000,
      boot: "greenfield",
      mode: "agent",
      credentials: HOSTILE,
      phase: "canary",
      stage: 0,
      will: choices,
    }),
    phaseText({ phase: "live", stage: 3, trials: choices.map((_, i) => i * 2), why: HOSTILE }),
    tickSummary({ quiet: false, actions: choices, totals, nextInMs: 1 }),
    heartbeatText({ totals, ticks: 1, nextInMs: 1, halving: HOSTILE.repeat(2) }),
  ];
  for (const text of texts) assert.ok(text.length <= POST_LIMIT, text.slice(0, 80));
});
