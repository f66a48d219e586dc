import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelFailure } from "../../../lib/agent/agent.ts";
import { createModelHealth } from "../../../lib/agent/health.ts";
import { failure } from "../../../lib/agent/model-failure.ts";

function heldClock(start = Date.UTC(2026, 10, 21)) {
  let now = start;
  return {
    now: () => now,
    sleep: () => Promise.reject(new Error("nobody sleeps here")),
    pass: (ms: number) => void (now += ms),
  };
}
const OVERLOADED = failure("overloaded", "The model's server is overloaded");
const AUTH = failure("auth", "The key is wrong");

function healthOf(random = 0.5, down?: { since: number }) {
  const clock = heldClock();
  return { clock, health: createModelHealth({ clock, random: () => random, down }) };
}

test("G.5.30: an outage is asked at 15 s, 30 s, 1 min … and then every 30 min, for as long as it lasts", () => {
  const { clock, health } = healthOf();
  const waits: number[] = [];
  for (let i = 0; i < 12; i++) {
    health.failed(OVERLOADED);
    const wait = (health.nextAttemptAt() ?? 0) - clock.now();
    assert.equal(health.mayCall(false), false);
    clock.pass(wait);
    assert.equal(health.mayCall(false), true);
    waits.push(wait / 1000);
  }
  assert.deepEqual(waits, [15, 30, 60, 120, 240, 480, 960, 1800, 1800, 1800, 1800, 1800]);
});

test("jitter stays within a fifth, and never makes it longer than 30 min", () => {
  for (const [random, wait] of [[0, 12_000], [1, 18_000]] as const) {
    const { clock, health } = healthOf(random);
    health.failed(OVERLOADED);
    assert.ok(Math.abs((health.nextAttemptAt() ?? 0) - clock.now() - wait) < 1);
    for (let i = 0; i < 2_000; i++) health.failed(OVERLOADED);
    assert.ok((health.nextAttemptAt() ?? Infinity) - clock.now() <= 30 * 60_000);
  }
});

test("the outage and the recovery are announced once each", () => {
  const { clock, health } = healthOf();
  assert.equal(health.worked().announce, false);
  const first = health.failed(OVERLOADED);
  assert.equal(first.announce, true);
  assert.equal(
    first.text,
    "The model's server is overloaded. The rules go on without the agent, which is asked again in 15 s.",
  );
  assert.equal(health.failed(OVERLOADED).announce, false);
  assert.equal(health.failed(AUTH).announce, false);
  clock.pass(20 * 60_000);
  const back = health.worked();
  assert.deepEqual(back, { announce: true, text: "The agent answers again, after 20 min." });
  assert.equal(health.worked().announce, false);
  assert.equal(health.nextAttemptAt(), undefined);
  assert.equal(health.failed(OVERLOADED).announce, true);
});

test("what cannot get better by itself is asked every 30 min, or when a person writes", () => {
  const hopeless: ModelFailure[] = [AUTH, failure("rejected", "No such model")];
  for (const problem of hopeless) {
    const { clock, health } = healthOf();
    health.failed(problem);
    assert.equal((health.nextAttemptAt() ?? 0) - clock.now(), 30 * 60_000);
    clock.pass(14_999);
    assert.equal(health.mayCall(true), false);
    clock.pass(1);
    assert.equal(health.mayCall(true), true);
    assert.equal(health.mayCall(false), false);
    health.failed(problem);
    assert.equal(health.mayCall(true), false);
  }
});

test("a server that asks for patience gets it, up to 30 min", () => {
  const { clock, health } = healthOf();
  health.failed(failure("rate-limited", "Slow down", { retryAfterMs: 600_000 }));
  assert.equal((health.nextAttemptAt() ?? 0) - clock.now(), 600_000);
  health.failed(failure("rate-limited", "Slow down", { retryAfterMs: 86_400_000 }));
  assert.equal((health.nextAttemptAt() ?? 0) - clock.now(), 30 * 60_000);
});

test("after a restart an outage that was told of is not told again, but its end is", () => {
  const { clock, health } = healthOf(0.5, { since: Date.UTC(2026, 10, 21) - 3_600_000 });
  assert.equal(health.mayCall(false), true);
  assert.equal(health.failed(OVERLOADED).announce, false);
  assert.equal(health.mayCall(false), false);
  clock.pass(15_000);
  assert.equal(health.mayCall(false), true);
  assert.deepEqual(health.worked(), {
    announce: true,
    text: "The agent answers again, after 60 min.",
  });
});
