import assert from "node:assert/strict";
import { test } from "node:test";
import { splitText } from "../../../lib/base/split-text.ts";
import { randomText, seeded } from "../../support/random-text.ts";

const bare = (text: string) => text.replace(/^```[\w+-]*\s*$/gm, "").replace(/\s+/g, "");

test("no piece is over the limit, cut inside a fence or a character, and nothing is lost", () => {
  for (let seed = 0; seed < 400; seed++) {
    const text = randomText(seeded(seed));
    for (const most of [200, 2000]) {
      const pieces = splitText(text, most);
      for (const piece of pieces) {
        assert.ok(piece.length <= most, `seed ${seed}: ${piece.length} of ${most}`);
        assert.ok(piece.trim() !== "", `seed ${seed}: an empty piece`);
        const fences = piece.split("\n").filter((line) => /^```[\w+-]*\s*$/.test(line)).length;
        assert.equal(fences % 2, 0, `seed ${seed}: half a fence\n${piece}`);
        assert.ok(piece.isWellFormed(), `seed ${seed}: half a character`);
      }
      assert.equal(bare(pieces.join("\n")), bare(text), `seed ${seed}`);
    }
  }
});

test("a short text is one piece, unchanged", () => {
  assert.deepEqual(splitText("one\n\ntwo", 2000), ["one\n\ntwo"]);
  assert.deepEqual(splitText("  \n", 2000), []);
});

test("it is cut between paragraphs where there are some, and code goes on in its language", () => {
  const [first, second] = splitText(`${"a ".repeat(60)}\n\n${"b ".repeat(60)}`, 200);
  assert.match(first!, /^[a ]+$/);
  assert.match(second!, /^[b ]+$/);
  const pieces = splitText(`\`\`\`python\n${"print(1)\n".repeat(40)}\`\`\``, 200);
  assert.ok(pieces.length > 1);
  for (const piece of pieces) assert.match(piece, /^```python\n(print\(1\)\n)+```$/);
});
