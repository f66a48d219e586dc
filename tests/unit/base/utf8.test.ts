import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeUtf8 } from "../../../lib/base/utf8.ts";

function bytes(...parts: (string | number)[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) => typeof part === "string" ? Buffer.from(part) : Buffer.of(part)),
  );
}

test("valid text is decoded, without a byte order mark", () => {
  for (const text of ["", "a\nb", "ü€😀\uFFFD\n"]) {
    assert.deepEqual(decodeUtf8(bytes(text)), { text });
    assert.deepEqual(decodeUtf8(bytes("\uFEFF", text)), { text });
  }
});

test("the first broken byte is named with its line and column", () => {
  const at = (badByte: number, line: number, column: number) => ({ badByte, line, column });
  assert.deepEqual(decodeUtf8(bytes(0xe9)), at(0xe9, 1, 1));
  assert.deepEqual(decodeUtf8(bytes("ok\nü😀: caf", 0xe9, "\n", 0xff)), at(0xe9, 2, 9));
  assert.deepEqual(decodeUtf8(bytes("a\r\n\nx", 0xc3, "\n")), at(0xc3, 3, 2), "cut at a line end");
  assert.deepEqual(decodeUtf8(bytes("xy", 0xf0, 0x9f, 0x98)), at(0xf0, 1, 3), "cut at the end");
  assert.deepEqual(decodeUtf8(bytes("x", 0x80)), at(0x80, 1, 2), "a rest without a beginning");
  assert.deepEqual(decodeUtf8(bytes("x", 0xed, 0xa0, 0x80)), at(0xed, 1, 2), "a surrogate");
  assert.deepEqual(decodeUtf8(bytes("x", 0xc0, 0xaf)), at(0xc0, 1, 2), "too long a form");
  assert.deepEqual(decodeUtf8(Buffer.from("\uFEFFname: x\n", "utf16le")), at(0xff, 1, 1));
  assert.deepEqual(decodeUtf8(bytes("\uFEFFab", 0xe9)), at(0xe9, 1, 3), "after a mark");
});

test("a long line is searched in no time", () => {
  const begun = performance.now();
  const found = decodeUtf8(bytes("ü".repeat(300_000), 0xe9, "x"));
  assert.deepEqual(found, { badByte: 0xe9, line: 1, column: 300_001 });
  assert.ok(performance.now() - begun < 5000);
});
