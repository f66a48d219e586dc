import assert from "node:assert/strict";
import test from "node:test";
import { dueBetween } from "../../../lib/tasks/schedule-due.ts";

const NIGHTLY = { cron: "30 2 * * *", timeZone: "Europe/Berlin" };
const at = (text: string) => Date.parse(text);
const shown = (times: readonly number[]) =>
  times.map((time) => new Date(time).toISOString().slice(0, 16));

test("a step that comes in time fires once, whatever is done about missed ones", () => {
  const last = at("2026-11-20T01:30Z");
  for (const catchUp of ["none", "last", "all"] as const) {
    const due = (now: string) => dueBetween({ ...NIGHTLY, catchUp }, last, at(now));
    assert.deepEqual(due("2026-11-21T01:29:59Z"), []);
    assert.deepEqual(shown(due("2026-11-21T01:30:00Z")), ["2026-11-21T01:30"]);
    assert.deepEqual(shown(due("2026-11-21T01:30:05Z")), ["2026-11-21T01:30"]);
    const again = dueBetween(
      { ...NIGHTLY, catchUp },
      at("2026-11-21T01:30Z"),
      at("2026-11-21T01:30:05Z"),
    );
    assert.deepEqual(again, []);
  }
});

test("after an absence of four days nothing, the last one or each is due", () => {
  const [last, now] = [at("2026-11-17T01:30Z"), at("2026-11-21T08:00Z")];
  const due = (catchUp: "none" | "last" | "all") =>
    shown(dueBetween({ ...NIGHTLY, catchUp }, last, now));
  assert.deepEqual(due("none"), []);
  assert.deepEqual(due("last"), ["2026-11-21T01:30"]);
  assert.deepEqual(due("all"), [
    "2026-11-18T01:30",
    "2026-11-19T01:30",
    "2026-11-20T01:30",
    "2026-11-21T01:30",
  ]);
});

test("of what was missed for ten years the newest fifty are due, and that is found at once", () => {
  const schedule = { cron: "* * * * *", timeZone: "America/New_York", catchUp: "all" } as const;
  const began = performance.now();
  const due = dueBetween(schedule, at("2016-11-21T08:00Z"), at("2026-11-21T08:00Z"));
  assert.ok(performance.now() - began < 2000);
  assert.equal(due.length, 50);
  assert.equal(due.at(-1), at("2026-11-21T08:00Z"));
  assert.equal(due[0], at("2026-11-21T07:11Z"));
});

test("a schedule that is new has missed nothing, and fires from then on", () => {
  for (const catchUp of ["none", "last", "all"] as const) {
    assert.deepEqual(dueBetween({ ...NIGHTLY, catchUp }, undefined, at("2026-11-21T08:00Z")), []);
    const due = dueBetween({ ...NIGHTLY, catchUp }, undefined, at("2026-11-21T01:30:04Z"));
    assert.deepEqual(shown(due), ["2026-11-21T01:30"]);
  }
});

test("a clock that was set back fires nothing twice", () => {
  const last = at("2026-11-21T01:30Z");
  for (const now of ["2026-11-21T01:29Z", "2026-11-21T01:30Z", "2020-01-01T00:00Z"]) {
    assert.deepEqual(dueBetween({ ...NIGHTLY, catchUp: "all" }, last, at(now)), [], now);
  }
});

test("a time that the clock shows twice is caught up once", () => {
  const due = dueBetween(
    { ...NIGHTLY, catchUp: "all" },
    at("2026-10-24T00:30Z"),
    at("2026-10-25T12:00Z"),
  );
  assert.deepEqual(shown(due), ["2026-10-25T00:30"]);
});

test("what is no schedule is never due", () => {
  assert.deepEqual(
    dueBetween({ ...NIGHTLY, cron: "x", catchUp: "all" }, 0, at("2026-11-21T08:00Z")),
    [],
  );
});
