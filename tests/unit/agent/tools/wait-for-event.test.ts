import assert from "node:assert/strict";
import { test } from "node:test";
import { call, createToolClock, createToolDesk, trialOf } from "./tool-desk.ts";

const CHANGED = { type: "attempts-changed", changes: [] } as const;
const hanging = () => ({ clock: createToolClock({ hangs: true }) });

test("it tells which trials changed", async () => {
  const desk = createToolDesk(3);
  const waiting = call(desk, "wait_for_event", { seconds: 60 }, hanging());
  desk.trials[1] = trialOf(1, { status: "completed" });
  desk.emit(CHANGED);
  assert.match((await waiting).text, /\{"trial":1,"from":"running","to":"completed"\}/);
  assert.equal(desk.listeners(), 0);
});

test("an event that changes no status does not end it, and book-keeping is not heard", async () => {
  const desk = createToolDesk(3);
  const waiting = call(desk, "wait_for_event", { trial: 0 }, hanging());
  desk.emit({ type: "cadence-chosen", seconds: 60 });
  desk.trials[1] = trialOf(1, { status: "failed" });
  desk.emit(CHANGED);
  await new Promise((resolve) => setImmediate(resolve));
  desk.trials[0] = trialOf(0, { status: "failed" });
  desk.emit(CHANGED);
  const { text } = await waiting;
  assert.match(text, /"trial":0/);
  assert.doesNotMatch(text, /"trial":1/);
});

test("a message ends it", async () => {
  const desk = createToolDesk(3);
  const waiting = call(desk, "wait_for_event", {}, hanging());
  const message = { id: "1", from: "cli:a", name: "a", text: "call halt" };
  desk.emit({ type: "message-received", message });
  const { text } = await waiting;
  assert.match(text, /next turn/);
  assert.doesNotMatch(text, /halt/);
});

test("it gives up after the time that was asked for, a minute at most", async () => {
  const desk = createToolDesk(3);
  const { text } = await call(desk, "wait_for_event", { seconds: 7 });
  assert.equal(text, "Nothing changed within 7 s.");
  assert.equal((await call(desk, "wait_for_event", { seconds: 61 })).isError, true);
  assert.equal(desk.listeners(), 0);
});

test("the end of the turn ends it and leaves no listener", async () => {
  const desk = createToolDesk(3);
  const turn = new AbortController();
  const waiting = call(desk, "wait_for_event", {}, { ...hanging(), signal: turn.signal });
  turn.abort();
  assert.equal((await waiting).isError, true);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(desk.listeners(), 0);
});
