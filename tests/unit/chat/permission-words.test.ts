import assert from "node:assert/strict";
import { test } from "node:test";
import { withWord } from "../../../lib/chat/permission-words.ts";
import type { PermissionWord } from "../../../lib/chat/turn.ts";

const word = (what: string, by: string): PermissionWord => ({ what, answer: "deny", by });

test("the same word about the same is one with a number; a person's about something else is its own", () => {
  const said = ["a", "a", "b", "b"].reduce(
    (words: readonly PermissionWord[], what) => withWord(words, word(what, "discord:7")),
    [],
  );
  assert.deepEqual(said, [
    { ...word("a", "discord:7"), times: 2 },
    { ...word("b", "discord:7"), times: 2 },
  ]);
});

test("what nobody said about many things is one, so that it hides no person's word", () => {
  let words = withWord([], word("first", "discord:7"));
  for (let i = 0; i < 180; i++) words = withWord(words, word(`step ${i}`, "silence"));
  assert.deepEqual(words, [
    word("first", "discord:7"),
    { ...word("step 0", "silence"), times: 180 },
  ]);
});

test("the newest few are kept", () => {
  let words: readonly PermissionWord[] = [];
  for (let i = 0; i < 20; i++) words = withWord(words, word(`step ${i}`, "discord:7"));
  assert.deepEqual(words.map(({ what }) => what), [15, 16, 17, 18, 19].map((i) => `step ${i}`));
});
