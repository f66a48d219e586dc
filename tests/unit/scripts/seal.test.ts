import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { removeTree } from "../../support/remove-tree.ts";
import { seal } from "../../../scripts/seal.ts";

const withoutGcc = process.arch !== "x64" || spawnSync("gcc", ["--version"]).status !== 0
  ? "there is no gcc for x86-64 here"
  : false;

/** Prints its environment and then the size of a page, which it looks for as musl's start-up does. */
const WALKER = `
static long say(const char *text) {
  long length = 0, done;
  while (text[length]) length++;
  __asm__ volatile("syscall" : "=a"(done) : "a"(1L), "D"(1L), "S"(text), "d"(length)
    : "rcx", "r11", "memory");
  return done;
}
__attribute__((used)) void walk(long *stack) {
  char **one = (char **)(stack + stack[0] + 2);
  for (; *one; one++) { say(*one); say("\\n"); }
  for (long *pair = (long *)(one + 1); pair[0] && pair[0] < 100; pair += 2)
    if (pair[0] == 6 && pair[1] == 4096) say("page 4096\\n");
  __asm__ volatile("syscall" :: "a"(60L), "D"(0L));
}
__asm__(".globl _start\\n_start: mov %rsp,%rdi\\nand $-16,%rsp\\ncall walk\\n");
`;

/** A true program that is started by a linker of that name, which is this machine's own. */
function walker(folder: string, linker: string): string {
  const link = join(folder, linker);
  symlinkSync("/lib64/ld-linux-x86-64.so.2", link);
  writeFileSync(join(folder, "walker.c"), WALKER);
  const file = join(folder, `walker-${linker}`);
  execFileSync("gcc", [
    ...["-O1", "-fno-stack-protector", "-nostartfiles", "-no-pie", "-o", file],
    join(folder, "walker.c"),
    ...[`-Wl,--dynamic-linker=${link}`, "-Wl,--no-as-needed", "-Wl,-z,max-page-size=4096"],
    // Room in front of the code, as in Bun's program.
    "-Wl,--section-start=.text=0x404400",
  ]);
  return file;
}

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

test("a sealed program finds its environment without BUN_, and the vector behind it", {
  skip: withoutGcc,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), "herd-seal-"));
  try {
    for (const linker of ["ld-linux-x86-64.so.2", "ld-musl-x86_64.so.1"]) {
      const file = walker(folder, linker);
      const bytes = readFileSync(file);
      seal(bytes);
      writeFileSync(`${file}-sealed`, bytes, { mode: 0o755 });
      for (
        const words of ["A=1", "BUN_A=1 A=1", "A=1 BUN_B=1 BUN_C=1 BUN_D=1 B=2", "BUN_A=1", ""]
      ) {
        const env = words.split(" ").filter((word) => word !== "");
        const kept = env.filter((word) => !word.startsWith("BUN_"));
        const printed = execFileSync("env", ["-i", ...env, `${file}-sealed`, "a word"]);
        // Only musl looks for the vector there; for glibc it has kept its own place.
        const isThere = linker.includes("musl") || kept.length === env.length;
        assert.deepEqual(
          new TextDecoder().decode(printed).trimEnd().split("\n"),
          isThere ? [...kept, "page 4096"] : kept.length === 0 ? [""] : kept,
          `${linker}: ${words}`,
        );
      }
    }
  } finally {
    removeTree(folder);
  }
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
    [program({ linker: "/lib/ld-musl-aarch64.so.1", machine: 183 }), /for AArch64 and musl/],
    [program({ linker: "/libexec/ld-elf.so.1" }), /its linker is "\/libexec/],
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
