import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { wordBytes, wordOf } from "../../../lib/base/word-bytes.ts";

test("any bytes become a word and are the same bytes again; what is UTF-8 is that text", () => {
  for (const text of ["", "plain", "ünï 🐑", "\u{feff}bom", "\u{fffd}", "a\nb"]) {
    const bytes = new TextEncoder().encode(text);
    assert.equal(wordOf(bytes), text);
    assert.deepEqual(wordBytes(text), bytes);
  }
  const cases = [[0xe9], [0x63, 0xe9, 0x20], [0xf0, 0x9f], [0xed, 0xb2, 0x80], [0xc0, 0x80]];
  const random = Array.from({ length: 300 }, () => [...randomBytes(12)]);
  for (const bytes of [...cases, ...random].map((one) => Uint8Array.from(one))) {
    assert.deepEqual(wordBytes(wordOf(bytes)), bytes);
  }
});
