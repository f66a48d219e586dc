import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { openTranscript, type TranscriptLine } from "../../../lib/store/transcript-file.ts";

function path(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "herd-transcript-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, "a", "transcript.jsonl");
}

const line = (turn: number, text: string, role: TranscriptLine["role"] = "person") => ({
  turn,
  role,
  at: turn * 1_000,
  text,
});

test("what was said is there again, whatever it holds", (t) => {
  const file = path(t);
  const said = [line(1, "one\ntwo \u2028 \u0000 \ud83d\ude00"), line(1, "yes", "agent")];
  openTranscript(file).append(said);
  assert.deepEqual(openTranscript(file).read(), said);
});

test("a turn is kept once, also after a restart; a torn line costs that line alone", (t) => {
  const file = path(t);
  openTranscript(file).append([line(1, "one")]);
  openTranscript(file).append([line(1, "one")]);
  appendFileSync(file, '\n{"turn":2,"role":"per');
  const again = openTranscript(file);
  again.append([line(2, "two"), line(2, "answer", "agent")]);
  again.append([line(2, "two")]);
  assert.deepEqual(again.read().map(({ text }) => text), ["one", "two", "answer"]);
});

test("a conversation of years is read from its end, within bounds", (t) => {
  const file = openTranscript(path(t));
  for (let turn = 1; turn <= 60; turn++) {
    file.append(Array.from({ length: 100 }, (_, i) => line(turn, `${turn} ${i}`)));
  }
  const read = file.read();
  assert.ok(read.length <= 5_000);
  assert.equal(read.at(-1)!.text, "60 99");
});
