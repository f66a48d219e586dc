import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyMonitorState } from "../../../lib/sweep/monitor-state.ts";
import type { MonitorState } from "../../../lib/sweep/monitor-state.ts";
import { monitorNotes } from "../../../lib/words/monitor-notes.ts";

const NOW = 10_000_000;
const RUNNING = { since: 0, host: "login1", pid: 1, mode: "rules", version: "1" } as const;

function notes(more: Partial<MonitorState>): string[] {
  return monitorNotes({ ...emptyMonitorState(), running: RUNNING, ...more }, NOW);
}

test("a monitor at work without trouble needs no word", () => {
  assert.deepEqual(notes({}), []);
  const model = { ok: true, since: 0, detail: "" };
  assert.deepEqual(notes({ model, peripherals: { discord: { ...model } } }), []);
});

test("what holds it up, what it asks and what is out is told, with since when", () => {
  const told = notes({
    halted: { why: "KeyError in trials 1, 2", at: 0, by: "monitor" },
    question: { id: "objective", text: "What are you\noptimizing?", choices: [] },
    model: { ok: false, since: NOW - 120_000, detail: "overloaded" },
    peripherals: {
      discord: { ok: false, since: NOW - 3_600_000, detail: "Cannot see the server" },
    },
  });
  assert.equal(told.length, 4);
  assert.match(told[0]!, /halted: KeyError in trials 1, 2; \/continue/);
  assert.match(told[1]!, /asks: What are you optimizing\?$/);
  assert.match(told[2]!, /does not answer, for 2 min: overloaded/);
  assert.match(told[3]!, /^Discord has been out for 60 min|^Discord has been out for 1 h/);
});

test("of a monitor that has ended only its halt still matters", () => {
  const told = notes({
    running: undefined,
    halted: { why: "a bug", at: 0, by: "monitor" },
    model: { ok: false, since: 0, detail: "overloaded" },
  });
  assert.equal(told.length, 1);
  assert.match(told[0]!, /a bug/);
});
