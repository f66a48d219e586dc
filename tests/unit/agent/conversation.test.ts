import assert from "node:assert/strict";
import { test } from "node:test";
import {
  blocksOf,
  closed,
  conversationFrom,
  modelBlocks,
  type ModelMessage,
  plainConversation,
  withFewPictures,
  withoutThoughts,
} from "../../../lib/agent/conversation.ts";
import { shortenConversation } from "../../../lib/agent/shorten-conversation.ts";

const picture = (data: string) => ({ type: "image", mimeType: "image/png", data }) as const;
const person = (...texts: string[]): ModelMessage => ({
  role: "user",
  content: modelBlocks(texts.map((text) => ({ type: "text", text }))),
});
const model = (text: string): ModelMessage => ({ role: "assistant", content: text });
const call = (id: string): ModelMessage => ({
  role: "assistant",
  content: [{ type: "tool_use", id, name: "shell", input: {} }],
});
const result = (id: string, text: string): ModelMessage => ({
  role: "user",
  content: [{ type: "tool_result", tool_use_id: id, content: text }],
});

test("a conversation from a record takes turns, begins with a person and ends with an answer", () => {
  const all = conversationFrom([
    { role: "agent", text: "Hi" },
    { role: "person", text: " " },
    { role: "person", text: "a" },
    { role: "person", text: "b" },
  ]);
  assert.deepEqual(all.map(({ role }) => role), ["user", "assistant", "user", "assistant"]);
  assert.deepEqual(conversationFrom([]), []);
  assert.deepEqual(closed([model("x")], "never"), [model("x")]);
});

test("of many pictures the newest stay, within a number and a size", () => {
  const many = Array.from({ length: 5 }, (_, i): ModelMessage => ({
    role: "user",
    content: modelBlocks([{ type: "text", text: `p${i}` }, picture("x".repeat(10)), picture("yy")]),
  }));
  const kinds = (most: { count: number; units: number }) =>
    withFewPictures(many, most).map((one) =>
      blocksOf(one).map(({ type }) => type === "image" ? "i" : "t").join("")
    );
  assert.deepEqual(kinds({ count: 3, units: 100 }), ["ttt", "ttt", "ttt", "tti", "tii"]);
  assert.deepEqual(kinds({ count: 9, units: 13 }), ["ttt", "ttt", "ttt", "ttt", "tii"]);
});

test("words alone are left of tools, pictures and thoughts", () => {
  const all: ModelMessage[] = [
    { role: "user", content: modelBlocks([{ type: "text", text: "see" }, picture("x")]) },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "hm", signature: "s" },
        { type: "text", text: "I look." },
        { type: "tool_use", id: "1", name: "shell", input: {} },
      ],
    },
    result("1", "secret result"),
    model("Done."),
  ];
  assert.deepEqual(plainConversation(all).map((one) => [one.role, blocksOf(one).length]), [
    ["user", 1],
    ["assistant", 2],
  ]);
  assert.ok(!JSON.stringify(plainConversation(all)).includes("secret result"));
  assert.deepEqual(blocksOf(withoutThoughts(all)[1]!).map(({ type }) => type), [
    "text",
    "tool_use",
  ]);
});

test("a shorter conversation begins with a turn and keeps each call with its result", () => {
  const turns = Array.from({ length: 6 }, (_, i) => [
    person(`question ${i}`),
    call(`${i}`),
    result(`${i}`, "r".repeat(1_000)),
    model("answer"),
  ]).flat();
  const count = (messages: readonly ModelMessage[], kind: string) =>
    messages.flatMap((one) => [...blocksOf(one)]).filter(({ type }) => type === kind).length;
  let now: ModelMessage[] | undefined = [...turns, person("the last")];
  let size = JSON.stringify(now).length;
  for (let rounds = 0; now !== undefined; rounds++) {
    assert.ok(rounds < 10);
    const first = blocksOf(now[0]!);
    assert.ok(now[0]!.role === "user" && first.every(({ type }) => type === "text"));
    assert.equal(count(now, "tool_use"), count(now, "tool_result"));
    assert.match(JSON.stringify(now.at(-1)), /the last/);
    now = shortenConversation(now);
    if (now === undefined) break;
    assert.ok(JSON.stringify(now).length < size);
    size = JSON.stringify(now).length;
  }
  assert.equal(shortenConversation([person("one")]), undefined);
});

test("of a long turn of its own the oldest results go first, and what was said in between stays", () => {
  const turn = [
    person("go"),
    call("1"),
    result("1", "a".repeat(5_000)),
    call("2"),
    {
      ...result("2", "b".repeat(4_000)),
      content: [
        ...blocksOf(result("2", "b".repeat(4_000))),
        ...modelBlocks([{ type: "text", text: "and hurry" }]),
      ],
    } as ModelMessage,
  ];
  const shorter = JSON.stringify(shortenConversation(turn));
  assert.ok(!shorter.includes("aaaa") && shorter.includes("bbbb") && shorter.includes("and hurry"));
  assert.ok(shorter.includes('"tool_use_id":"1"'));
});
