import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import {
  type ChatState,
  type Conversation,
  emptyChat,
  type TurnRecord,
} from "../../../lib/chat/chat-state.ts";
import { createBotTranscripts } from "../../../lib/daemon/bot-transcripts.ts";
import { arrival } from "../../support/chat-scene.ts";

function scene(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "herd-transcripts-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const state: ChatState = emptyChat();
  const conversation = (id: string, forgot = 0) =>
    void state.conversations.set(id, { id, forgot } as Conversation);
  const open = () => createBotTranscripts(folder);
  return { folder, state, conversation, open };
}

function turn(conversation: string, number: number, said: string, answer: string): TurnRecord {
  const one = arrival(`${conversation}${number}`, said, { at: number * 1_000 });
  return {
    id: `${conversation}-${number}`,
    begunAt: number * 1_000,
    messages: [{ arrival: one, tries: 0, deaths: 0 }],
    steered: [],
    ending: { end: "done", text: answer, tookMs: 500 },
  };
}

test("what people and the agent said is there in order, once, also in the next life", (t) => {
  const { open, state, conversation } = scene(t);
  conversation("a");
  const transcripts = open();
  transcripts.keep("a", turn("a", 1, "hello", "hi"));
  transcripts.keep("a", turn("a", 2, "and?", ""));
  const later = open();
  later.keep("a", turn("a", 2, "and?", ""));
  assert.deepEqual(later.said(state, "a"), [
    { role: "person", at: 1_000, text: "Alice (7): hello" },
    { role: "agent", at: 1_500, text: "hi" },
    { role: "person", at: 2_000, text: "Alice (7): and?" },
  ]);
  assert.ok(existsSync(later.pathOf("a")));
});

test("what was forgotten by a reset is kept in the file and not told again", (t) => {
  const { open, state, conversation } = scene(t);
  conversation("a", 1);
  const transcripts = open();
  transcripts.keep("a", turn("a", 1, "a secret", "noted"));
  transcripts.keep("a", turn("a", 2, "anew", "yes"));
  assert.deepEqual(transcripts.said(state, "a").map(({ text }) => text), [
    "Alice (7): anew",
    "yes",
  ]);
});

test("a conversation that goes on with another has its words up to then", (t) => {
  const { open, state, conversation } = scene(t);
  conversation("a");
  conversation("b");
  state.attached["b"] = { from: "a", at: 1_700 };
  const transcripts = open();
  transcripts.keep("a", turn("a", 1, "before", "yes"));
  transcripts.keep("a", turn("a", 2, "after", "no"));
  transcripts.keep("b", turn("b", 3, "here", "here, too"));
  assert.deepEqual(transcripts.said(state, "b").map(({ text }) => text), [
    "Alice (7): before",
    "yes",
    "Alice (7): here",
    "here, too",
  ]);
});

test("a conversation without a word has none, and one of many is found again", (t) => {
  const { open, state, conversation } = scene(t);
  const transcripts = open();
  for (let n = 0; n < 510; n++) {
    conversation(`c${n}`);
    transcripts.keep(`c${n}`, turn(`c${n}`, 1, `word ${n}`, ""));
  }
  assert.deepEqual(transcripts.said(state, "c0").map(({ text }) => text), ["Alice (7): word 0"]);
  conversation("none");
  assert.deepEqual(transcripts.said(state, "none"), []);
});
