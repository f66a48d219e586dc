import assert from "node:assert/strict";
import { test } from "node:test";
import { fenceAtEnd } from "../../../lib/base/fences.ts";
import { chunksOf } from "../../../lib/chat/chunks.ts";
import { randomText, seeded } from "../../support/random-text.ts";

const LINE = "print('one more line of code')\n";

test("A.17.15, B.94, C.8: whatever is said, it is at most four messages, each within the limit and with whole fences", () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = seeded(seed);
    const tail = random() < 0.5 ? "-# small print" : "";
    const text = randomText(random, 150);
    const { messages, file } = chunksOf(text, { tail });
    assert.ok(messages.length <= 4, `seed ${seed}: ${messages.length}`);
    for (const message of messages) {
      assert.ok(message.length <= 2_000 && message.trim() !== "", `seed ${seed}`);
      assert.equal(fenceAtEnd(message), undefined, `seed ${seed}: half a fence\n${message}`);
      assert.ok(message.isWellFormed(), `seed ${seed}`);
    }
    if (file !== undefined) assert.equal(file.text, text);
    if (tail !== "") assert.ok(messages.at(-1)!.endsWith(tail), `seed ${seed}`);
  }
});

test("an answer of 30,000 characters is its beginning and a file with all of it", () => {
  const text = `# Title\n\n${"A sentence of an answer. ".repeat(1_200)}\n\`\`\`\n${
    LINE.repeat(50)
  }\`\`\``;
  const { messages, file } = chunksOf(text, { tail: "-# $1" });
  assert.equal(messages.length, 1);
  assert.match(messages[0]!, /^# Title[^]*the whole answer is in the file `answer\.md`\n-# \$1$/);
  assert.deepEqual(file, { name: "answer.md", text });
});

test("a code block that fits into a message is not cut, though the text before leaves less room", () => {
  const block = `\`\`\`python\n${LINE.repeat(50)}\`\`\``;
  const { messages } = chunksOf(`${"Some words. ".repeat(100)}\n${block}\nThe end.`);
  assert.equal(messages.length, 2);
  assert.ok(messages[1]!.startsWith(block), messages[1]);
});

test("a table that stays Markdown is not cut either", () => {
  const table = `| a | b |\n|---|---|\n${"| 1 | 2 |\n".repeat(100)}`.trimEnd();
  const { messages } = chunksOf(`${"Some words. ".repeat(100)}\n${table}`);
  assert.deepEqual(messages.slice(1), [table]);
});

test("blocks are cut rather than sent as a file when that saves messages", () => {
  const block = `\`\`\`\n${LINE.repeat(38)}\`\`\`\n`;
  const { messages, file } = chunksOf(block.repeat(6));
  assert.equal(file, undefined);
  assert.equal(messages.length, 4);
});

test("tildes and longer fences become what chat programs know, and nested fences end nothing", () => {
  const { messages } = chunksOf("~~~js\nlet a;\n~~~\n````md\n```py\nx\n```\n````");
  const [shown] = messages;
  assert.equal(shown!.match(/```/g)!.length, 4, shown);
  assert.match(shown!, /^```js\nlet a;\n```\n```md\n/);
});

test("nothing is no message, and small print alone is one", () => {
  assert.deepEqual(chunksOf(" \n ").messages, []);
  assert.deepEqual(chunksOf("", { tail: "-# a" }).messages, ["-# a"]);
});

test("hostile fences neither hang nor break a message", () => {
  for (
    const text of [
      "`".repeat(9_000),
      "~".repeat(9_000),
      `${"`".repeat(32)}\n${"x".repeat(9_000)}`,
      "```\n".repeat(4_000),
      `\`\`\`${"l".repeat(5_000)}\ncode`,
      "````\n```\n".repeat(2_000),
      "\u200b".repeat(9_000),
      "👨‍👩‍👧‍👦".repeat(3_000),
      "e" + "\u0301".repeat(9_000),
    ]
  ) {
    const { messages } = chunksOf(text);
    for (const message of messages) {
      assert.ok(message.length <= 2_000);
      assert.equal(fenceAtEnd(message), undefined);
    }
  }
});
