import assert from "node:assert/strict";
import { test } from "node:test";
import { fenceAtEnd } from "../../../lib/base/fences.ts";
import { liveTail } from "../../../lib/chat/live-tail.ts";
import { randomText, seeded } from "../../support/random-text.ts";

test("a short text is shown as it is, and an open code block is closed", () => {
  assert.equal(liveTail("one\ntwo", 100), "one\ntwo");
  assert.equal(liveTail("```py\nx = 1", 100), "```py\nx = 1\n```");
});

test("B.93: of a long text exactly its last 1,900 units follow the sign that it was cut", () => {
  const text = "0123456789".repeat(1_000);
  assert.equal(liveTail(text, 1_901), `…${text.slice(-1_900)}`);
});

test("a code block that was open where it is cut is opened again in its language", () => {
  const tail = liveTail(`\`\`\`python\n${"print(1)\n".repeat(400)}`, 500);
  assert.match(tail, /^…\n```python\n.*\n(print\(1\)\n)+```$/);
  const tilde = liveTail(`~~~~sh\n${"echo hi\n".repeat(400)}`, 500);
  assert.match(tilde, /^…\n```sh\n.*\n(echo hi\n)+```$/);
});

test("every growing text stays within its limit, with whole fences and whole characters", () => {
  for (let seed = 0; seed < 150; seed++) {
    const random = seeded(seed);
    const text = randomText(random, 120);
    for (let end = 0; end <= text.length; end += 1 + Math.floor(random() * 900)) {
      const tail = liveTail(text.slice(0, end).toWellFormed(), 1_901);
      assert.ok(tail.length <= 1_901, `seed ${seed} at ${end}: ${tail.length}`);
      assert.equal(fenceAtEnd(tail), undefined, `seed ${seed} at ${end}: half a fence\n${tail}`);
      assert.ok(tail.isWellFormed(), `seed ${seed} at ${end}`);
      assert.ok(tail.endsWith("```") || text.slice(0, end).toWellFormed().endsWith(tail.slice(-1)));
    }
  }
});
