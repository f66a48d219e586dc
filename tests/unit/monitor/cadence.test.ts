import assert from "node:assert/strict";
import { test } from "node:test";
import { formatIn, nextLookDelay, nextTickDelay } from "../../../lib/monitor/cadence.ts";
import type { LookInput, TickInput } from "../../../lib/monitor/cadence.ts";

const NOW = 100_000_000;
const MINUTE = 60_000;

function tick(more: Partial<TickInput> = {}): number {
  return nextTickDelay({
    phase: "live",
    now: NOW,
    lastActivityAt: undefined,
    settings: { activeSeconds: 180, steadySeconds: 2700 },
    ...more,
  }).seconds;
}

test("ticks are near during the rollout and after activity, far when all is quiet", () => {
  assert.equal(tick({ phase: "canary" }), 180);
  assert.equal(tick({ phase: "interviewing" }), 180);
  assert.equal(tick({ lastActivityAt: NOW - 9 * MINUTE }), 180);
  assert.equal(tick({ lastActivityAt: NOW - 10 * MINUTE }), 2700);
  assert.equal(tick(), 2700);
});

test("a tick is never later than what is expected, and never sooner than a minute", () => {
  assert.equal(tick({ expected: [NOW + 20 * MINUTE, NOW + 5 * MINUTE] }), 300);
  assert.equal(tick({ expected: [NOW + 1_000] }), 60);
  assert.equal(tick({ expected: [NOW - MINUTE] }), 2700);
});

test("a wish wins within a minute and an hour", () => {
  assert.equal(tick({ wish: 600, expected: [NOW + 2 * MINUTE], phase: "canary" }), 600);
  assert.equal(tick({ wish: 1 }), 60);
  assert.equal(tick({ wish: 1e9 }), 3600);
  assert.equal(tick({ wish: NaN }), 2700);
});

test("odd settings stay within ten seconds and an hour, and short ones are kept", () => {
  assert.equal(tick({ settings: { activeSeconds: 1, steadySeconds: 90_000 } }), 3600);
  assert.equal(tick({ settings: { activeSeconds: 1, steadySeconds: 2 } }), 10);
  assert.equal(tick({ settings: { activeSeconds: 20, steadySeconds: 20 } }), 20);
});

test("durations read as on the user page", () => {
  const said = [
    0,
    45_000,
    59_600,
    30 * MINUTE,
    65 * MINUTE,
    59.6 * MINUTE,
    60 * MINUTE,
    25 * 60 * MINUTE,
    23.99 * 60 * MINUTE,
  ]
    .map(formatIn);
  assert.deepEqual(said, [
    "0 s",
    "45 s",
    "1 min",
    "30 min",
    "1h 5m",
    "1h",
    "1h",
    "1d 1h",
    "23h 59m",
  ]);
  assert.equal(formatIn(-5), "0 s");
});

function look(more: Partial<LookInput> = {}): number {
  return nextLookDelay({
    now: NOW,
    live: 3,
    open: 0,
    lastChangeAt: NOW - 60 * MINUTE,
    recordsTell: true,
    unanswered: 0,
    random: 0.5,
    ...more,
  }) / 1000;
}

test("the cluster is asked within seconds after a submission, each minute when quiet, rarely when idle", () => {
  assert.equal(look({ open: 3, lastChangeAt: NOW }), 5);
  assert.equal(look({ lastChangeAt: NOW - 80_000 }), 20);
  assert.equal(look(), 60);
  assert.equal(look({ recordsTell: false }), 30);
  assert.equal(look({ live: 0 }), 300);
  assert.equal(look({ live: 0, lastChangeAt: undefined }), 300);
});

test("a clock that was put back asks soon, not never", () => {
  assert.equal(look({ lastChangeAt: NOW + 60 * MINUTE }), 5);
});

test("a controller that does not answer is asked half as often each time, with jitter, up to ten minutes", () => {
  const waits = [1, 2, 3, 4, 5, 6, 1000].map((unanswered) =>
    look({ unanswered, random: 0.999999 })
  );
  assert.deepEqual(waits.map(Math.round), [30, 60, 120, 240, 480, 600, 600]);
  assert.equal(look({ unanswered: 3, random: 0 }), 60);
});
