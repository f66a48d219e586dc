import assert from "node:assert/strict";
import { test } from "node:test";
import { exportTranscript } from "../../../lib/chat/export-transcript.ts";
import { piecesOf } from "../../../lib/chat/transcript-pieces.ts";

test("a conversation goes on with what was said in others until then, oldest first", () => {
  const attached = { c: { from: "b", at: 20 }, b: { from: "a", at: 10 } };
  assert.deepEqual(piecesOf({ attached }, "c"), [
    { conversation: "a", until: 10 },
    { conversation: "b", until: 20 },
    { conversation: "c", until: Infinity },
  ]);
  assert.deepEqual(piecesOf({ attached }, "a"), [{ conversation: "a", until: Infinity }]);
  // What b went on with later is not what c was told of.
  const later = { c: { from: "b", at: 20 }, b: { from: "a", at: 30 } };
  assert.deepEqual(piecesOf({ attached: later }, "c").map(({ conversation }) => conversation), [
    "b",
    "c",
  ]);
});

test("two that continue each other, or themselves, come to an end", () => {
  for (
    const attached of [
      { a: { from: "b", at: 10 }, b: { from: "a", at: 10 } },
      { a: { from: "b", at: 10 }, b: { from: "a", at: 20 } },
      { a: { from: "a", at: 10 } },
    ]
  ) assert.ok(piecesOf({ attached }, "a").length <= 3);
});

test("an export keeps the newest words where not all have room, and says so", () => {
  const said = Array.from({ length: 12 }, (_, i) => ({
    role: "agent" as const,
    at: i,
    text: `${i} ${"é".repeat(500_000)}`,
  }));
  const { text } = exportTranscript("Title\nof it", said, 0);
  assert.ok(new TextEncoder().encode(text).length < 10 * 1024 * 1024);
  assert.match(
    text,
    /^# Title of it\n[^]{1,60}\n\n\(3 older entries have no room here\.\)\n\n## Agent/,
  );
  assert.ok(text.includes("\n11 é") && !text.includes("\n2 é"));
});
