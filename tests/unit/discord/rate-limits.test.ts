import assert from "node:assert/strict";
import { test } from "node:test";
import { createLanes } from "../../../lib/discord/lanes.ts";
import { createRateLimits } from "../../../lib/discord/rate-limits.ts";
import { majorOf, routeKey } from "../../../lib/discord/route-key.ts";
import { createSteppedClock } from "../../support/stepped-clock.ts";

test("routes are limited by method, shape and channel, reactions together", () => {
  const key = (route: string) => routeKey("GET", route);
  assert.equal(key("/channels/1/messages/2"), key("/channels/1/messages/3?x=1"));
  assert.notEqual(key("/channels/1/messages/2"), key("/channels/2/messages/2"));
  assert.notEqual(key("/channels/1/messages"), routeKey("POST", "/channels/1/messages"));
  assert.equal(
    routeKey("PUT", "/channels/1/messages/2/reactions/a/@me"),
    routeKey("DELETE", "/channels/1/messages/3/reactions/b/@me"),
  );
  assert.notEqual(key("/webhooks/1/a"), key("/webhooks/1/b"));
  assert.equal(key("/users/@me"), "GET /users/@me");
  assert.deepEqual([majorOf("/channels/1/x"), majorOf("/webhooks/1/t"), majorOf("/users/@me")], [
    "1",
    "1/t",
    "",
  ]);
});

test("what is remembered of limits does not grow with the number of routes", () => {
  const clock = createSteppedClock();
  const limits = createRateLimits(clock);
  for (let at = 0; at < 10_000; at++) {
    const headers = new Headers({
      "x-ratelimit-bucket": "b",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset-after": "1",
    });
    limits.learn(`POST /webhooks/1/t${at}`, `1/t${at}`, headers);
    clock.advance(100);
  }
  assert.ok(limits.size() <= 80, String(limits.size()));
});

test("odd headers limit nothing", () => {
  const limits = createRateLimits(createSteppedClock());
  for (const odd of ["x", "-1", "", "Infinity"]) {
    const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset-after": odd };
    limits.learn("k", "", new Headers(headers));
    assert.equal(limits.wait("k"), 0, odd);
  }
});

test("a lane that is idle is gone, and one that gave up waiting lets nobody pass", async () => {
  const lanes = createLanes();
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const stop = new AbortController();
  const never = new AbortController().signal;
  const runs = [
    lanes.run("k", never, async () => {
      order.push("first");
      await first.promise;
      order.push("first ends");
    }),
    lanes.run("k", stop.signal, () => Promise.resolve(order.push("second"))),
    lanes.run("k", never, () => Promise.resolve(order.push("third"))),
  ];
  stop.abort(new Error("enough"));
  await assert.rejects(runs[1]!, /enough/);
  assert.equal(lanes.size(), 1);
  first.resolve();
  await Promise.all([runs[0], runs[2]]);
  assert.deepEqual(order, ["first", "first ends", "third"]);
  await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(lanes.size(), 0);
});

test("a task that fails does not stop those behind it", async () => {
  const lanes = createLanes();
  const { signal } = new AbortController();
  const bad = lanes.run("k", signal, () => Promise.reject(new Error("no")));
  const good = lanes.run("k", signal, () => Promise.resolve("yes"));
  await assert.rejects(bad, /no/);
  assert.equal(await good, "yes");
});
