import assert from "node:assert/strict";
import test from "node:test";
import { seal } from "../../../scripts/seal.ts";

interface Shape {
  machine?: number;
  linker?: string;
  dynamicTag?: number;
  /** Offset of the code in the file and in its page. */
  codeAt?: number;
  before?: number;
}

/** A small ELF file with an interpreter, a dynamic section, read-only data and code. */
function program(shape: Shape = {}): Uint8Array {
  const { machine = 62, linker = "/lib64/ld-linux-x86-64.so.2", codeAt = 0x1200 } = shape;
  const bytes = new Uint8Array(0x2000);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(18, machine, true);
  view.setBigUint64(24, BigInt(0x401000 + (codeAt - 0x1000) + 0x10), true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 4, true);
  const segment = (
    i: number,
    type: number,
    flags: number,
    offset: number,
    address: number,
    size: number,
  ) => {
    const at = 64 + i * 56;
    view.setUint32(at, type, true);
    view.setUint32(at + 4, flags, true);
    for (const [j, value] of [offset, address, address, size, size].entries()) {
      view.setBigUint64(at + 8 + j * 8, BigInt(value), true);
    }
  };
  bytes.set(new TextEncoder().encode(`${linker}\0`), 0x400);
  segment(0, 3, 4, 0x400, 0x400400, linker.length + 1);
  view.setBigUint64(0x500, BigInt(shape.dynamicTag ?? 1), true);
  segment(1, 2, 6, 0x500, 0x400500, 32);
  segment(2, 1, 4, 0, 0x400000, 0x1100);
  segment(3, 1, 5, codeAt, 0x401000 + (codeAt - 0x1000), 0x100);
  if (shape.before !== undefined) bytes[codeAt - 8] = shape.before;
  return bytes;
}

test("the entry moves in front of the code, and the segment grows to hold it", () => {
  const bytes = program();
  seal(bytes);
  const view = new DataView(bytes.buffer);
  const entry = Number(view.getBigUint64(24, true));
  const at = 64 + 3 * 56;
  const grown = 0x1200 - Number(view.getBigUint64(at + 8, true));
  assert.ok(grown > 0 && grown % 16 === 0);
  assert.equal(entry, 0x401200 - grown);
  assert.equal(Number(view.getBigUint64(at + 16, true)), entry);
  assert.equal(Number(view.getBigUint64(at + 32, true)), 0x100 + grown);
  const jump = bytes.indexOf(0xe9, 0x1200 - grown);
  assert.equal(entry + (jump - (0x1200 - grown)) + 5 + view.getInt32(jump + 1, true), 0x401210);
});

test("on AArch64 the last instruction branches to the old entry", () => {
  const bytes = program({ machine: 183, linker: "/lib/ld-linux-aarch64.so.1" });
  seal(bytes);
  const view = new DataView(bytes.buffer);
  const start = Number(view.getBigUint64(24, true));
  const branch = 14 * 4;
  const word = view.getUint32(0x1200 - (0x401200 - start) + branch, true);
  assert.equal(word >>> 26, 0b000101);
  assert.equal(start + branch + (word & 0x3ffffff) * 4, 0x401210);
});

test("nothing but the header fields and the unused bytes changes", () => {
  const before = program();
  const after = program();
  seal(after);
  const changed = [...after.keys()].filter((i) => after[i] !== before[i]);
  const allowed = (i: number) =>
    (i >= 24 && i < 32) || (i >= 64 + 3 * 56 && i < 64 + 4 * 56) || (i >= 0x1100 && i < 0x1200);
  assert.ok(changed.length > 0 && changed.every(allowed), String(changed));
});

test("a file that is not as expected is refused and left alone", () => {
  const cases: [Uint8Array, RegExp][] = [
    [program({ machine: 243 }), /neither x86-64 nor AArch64/],
    [new Uint8Array(100), /no 64-bit ELF/],
    [program({ linker: "/lib/ld-musl-x86_64.so.1" }), /ld-musl/],
    [program({ dynamicTag: 32 }), /code runs before its entry/],
    [program({ before: 1 }), /no 64 unused bytes/],
    [program({ codeAt: 0x1100 }), /no 64 unused bytes/],
  ];
  for (const [bytes, message] of cases) {
    const copy = bytes.slice();
    assert.throws(() => seal(bytes), message);
    assert.deepEqual(bytes, copy);
  }
});
