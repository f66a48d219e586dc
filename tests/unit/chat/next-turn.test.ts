import assert from "node:assert/strict";
import { test } from "node:test";
import type { Waiting } from "../../../lib/chat/chat-state.ts";
import { type BatchLimits, nextBatch } from "../../../lib/chat/next-turn.ts";
import { arrival, chatScene } from "../../support/chat-scene.ts";

const LIMITS: BatchLimits = { mode: "per-thread", messages: 10, tokens: 24_000 };

function said(id: string, content: string, author = "7", images = 0): Waiting {
  const { author: alice } = arrival("0", "");
  return {
    arrival: arrival(id, content, {
      author: { ...alice, id: author },
      attachments: Array.from({ length: images }, (_, i) => ({
        ...{ id: `${i}`, name: "a.png", url: "", bytes: 9 },
        contentType: "image/png",
      })),
    }),
    tries: 0,
    deaths: 0,
  };
}

const ids = (waiting: readonly Waiting[], limits: Partial<BatchLimits> = {}) =>
  nextBatch(waiting, { ...LIMITS, ...limits }).map(({ arrival }) => arrival.id);

/** All turns that come of it, one after the other. */
function turns(waiting: readonly Waiting[], limits: Partial<BatchLimits>): string[][] {
  const batch = nextBatch(waiting, { ...LIMITS, ...limits });
  if (batch.length === 0) return [];
  const rest = waiting.filter((one) => !batch.includes(one));
  return [batch.map(({ arrival }) => arrival.id), ...turns(rest, limits)];
}

const talk = [said("1", "a"), said("2", "b", "8"), said("3", "c"), said("4", "d", "8")];

test("B.69: per-message, each message is a turn of its own, in order", () => {
  assert.deepEqual(turns(talk, { mode: "per-message" }), [["1"], ["2"], ["3"], ["4"]]);
});

test("B.70: per-thread, all that waits is the next turn, whoever said it", () => {
  assert.deepEqual(turns(talk, {}), [["1", "2", "3", "4"]]);
  assert.deepEqual(ids([]), []);
});

test("B.71: per-lane, each person's messages are a turn, and lanes take turns by their oldest", () => {
  assert.deepEqual(turns(talk, { mode: "per-lane" }), [["1", "3"], ["2", "4"]]);
  assert.deepEqual(turns(talk, { mode: "per-lane", messages: 1 }), [["1"], ["2"], ["3"], ["4"]]);
});

test("B.72: what goes beyond the messages or tokens of one turn begins the next, and nothing overtakes it", () => {
  const many = Array.from({ length: 25 }, (_, i) => said(`${i}`, "x"));
  assert.deepEqual(turns(many, {}).map(({ length }) => length), [10, 10, 5]);
  const long = [said("1", "x".repeat(400)), said("2", "x".repeat(400)), said("3", "x")];
  assert.deepEqual(turns(long, { tokens: 150 }), [["1"], ["2", "3"]]);
  const pictures = [said("1", "x"), said("2", "x", "7", 2), said("3", "x")];
  assert.deepEqual(turns(pictures, { tokens: 1_020 }), [["1"], ["2"], ["3"]]);
});

test("B.72: a message larger than all limits is a turn of its own and no hindrance", () => {
  const huge = [said("1", "x".repeat(100_000)), said("2", "x")];
  assert.deepEqual(turns(huge, { tokens: 10 }), [["1"], ["2"]]);
});

test("B.73: however much is said in whatever mode, each message is in exactly one turn", () => {
  const waiting = Array.from(
    { length: 200 },
    (_, i) => said(`${i}`, "x".repeat((i * 37) % 500), `${i % 3}`, i % 5 === 0 ? 1 : 0),
  );
  for (const mode of ["per-message", "per-thread", "per-lane"] as const) {
    const all = turns(waiting, { mode, messages: 7, tokens: 900 }).flat();
    assert.equal(all.length, 200);
    assert.equal(new Set(all).size, 200);
  }
});

test("B.72, B.73: the first message waits for nothing; what comes while a turn runs is stored at once and lost by no limit", async (t) => {
  const scene = chatScene(t, { batch: () => ({ ...LIMITS, messages: 2 }) });
  scene.hear("m0", "first");
  await scene.until("it is asked", () => scene.prompts.length === 1);
  for (let i = 1; i <= 5; i++) assert.equal(scene.hear(`m${i}`, `${i}`), true);
  assert.equal(scene.journal.filter(({ type }) => type === "message-heard").length, 6);
  const asked: string[] = [];
  for (let i = 0; i < 4; i++) {
    await scene.until("the next is asked", () => scene.prompts.length === i + 1);
    asked.push(scene.prompts[i]!.text);
    scene.prompts[i]!.end({ kind: "done", text: "ok" });
  }
  assert.deepEqual(asked, ["first", "1\n2", "3\n4", "5"]);
});
