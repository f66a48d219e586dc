/**
 * Makes a compiled binary deaf to the runtime's own variables.
 *
 * Bun looks at `BUN_BE_BUN`, `BUN_OPTIONS`, `BUN_JSC_*`, `BUN_INSPECT` and some
 * hundred more before any line of ours runs, and no build option turns that off
 * (1.4.5). So the binary gets a new entry point: a few instructions that drop
 * every variable beginning with `BUN_` from the environment, as unsetenv(3)
 * would, and then jump to where the program began before. They lie in the
 * unused bytes in front of the code, so nothing else moves.
 */
const BUN_PREFIX = [0x42, 0x55, 0x4e, 0x5f];

interface Stub {
  code: Uint8Array;
  /** Puts the jump's target, relative to the start of the stub, into the code. */
  aim(code: DataView, distance: number): void;
}

/**
 * musl's start-up walks past the environment to find the auxiliary vector, so that moves up behind
 * a shorter environment; glibc's has kept its place, so there it stays.
 */
type Library = "glibc" | "musl";

/** Instructions for x86-64; rdx (the dynamic linker's exit function) stays as it is. */
function x64Stub(library: Library): Stub {
  const code = Uint8Array.from([
    ...[0x48, 0x8b, 0x04, 0x24], //       mov  rax, [rsp]           argc
    ...[0x48, 0x8d, 0x74, 0xc4, 0x10], // lea  rsi, [rsp+rax*8+16]  environment, read
    ...[0x48, 0x89, 0xf7], //             mov  rdi, rsi             environment, written
    ...[0x48, 0x8b, 0x06], //       next: mov  rax, [rsi]
    ...[0x48, 0x83, 0xc6, 0x08], //       add  rsi, 8
    ...[0x48, 0x85, 0xc0], //             test rax, rax
    ...[0x74, 0x11], //                   je   done
    ...[0x81, 0x38, ...BUN_PREFIX], //    cmp  dword [rax], "BUN_"
    ...[0x74, 0xec], //                   je   next
    ...[0x48, 0x89, 0x07], //             mov  [rdi], rax
    ...[0x48, 0x83, 0xc7, 0x08], //       add  rdi, 8
    ...[0xeb, 0xe3], //                   jmp  next
    ...[0x48, 0x89, 0x07], //       done: mov  [rdi], rax           the closing null
    ...(library === "musl" ? X64_VECTOR : []),
    ...[0xe9, 0, 0, 0, 0], //             jmp  entry
  ]);
  return {
    code,
    aim: (view, distance) => view.setInt32(code.length - 4, distance - code.length, true),
  };
}

const X64_VECTOR = [
  ...[0x48, 0x83, 0xc7, 0x08], //       add  rdi, 8
  ...[0x48, 0x8b, 0x06], //       pair: mov  rax, [rsi]
  ...[0x48, 0x8b, 0x4e, 0x08], //       mov  rcx, [rsi+8]
  ...[0x48, 0x89, 0x07], //             mov  [rdi], rax
  ...[0x48, 0x89, 0x4f, 0x08], //       mov  [rdi+8], rcx
  ...[0x48, 0x83, 0xc6, 0x10], //       add  rsi, 16
  ...[0x48, 0x83, 0xc7, 0x10], //       add  rdi, 16
  ...[0x48, 0x85, 0xc0], //             test rax, rax             the pair of AT_NULL is the last
  ...[0x75, 0xe5], //                   jne  pair
];

/** The same for AArch64 and glibc; x0 stays as it is. */
function arm64Stub(): Stub {
  const words = [
    0xf94003e1, //       ldr  x1, [sp]              argc
    0x8b216fe1, //       add  x1, sp, x1, uxtx #3
    0x91004021, //       add  x1, x1, #16           environment, read
    0xaa0103e2, //       mov  x2, x1                environment, written
    0x528aa844, //       mov  w4, #0x5542           "BU"
    0x72abe9c4, //       movk w4, #0x5f4e, lsl 16   "N_"
    0xf8408423, // next: ldr  x3, [x1], #8
    0xb40000c3, //       cbz  x3, done
    0xb9400065, //       ldr  w5, [x3]
    0x6b0400bf, //       cmp  w5, w4
    0x54ffff80, //       b.eq next
    0xf8008443, //       str  x3, [x2], #8
    0x17fffffa, //       b    next
    0xf900005f, // done: str  xzr, [x2]             the closing null
    0x14000000, //       b    entry
  ];
  const code = new Uint8Array(new Uint32Array(words).buffer);
  const at = code.length - 4;
  return {
    code,
    aim: (view, distance) =>
      view.setUint32(at, 0x14000000 | (((distance - at) / 4) & 0x3ffffff), true),
  };
}

/** Bun's program for AArch64 and musl has no unused bytes in front of its code: there is none for it. */
const STUBS: Readonly<Record<number, Partial<Record<Library, () => Stub>>>> = {
  62: { glibc: () => x64Stub("glibc"), musl: () => x64Stub("musl") },
  183: { glibc: arm64Stub },
};

const LOAD = 1, DYNAMIC = 2, INTERPRETER = 3, EXECUTABLE = 1, PREINIT_ARRAY = 32n, PAGE = 4096n;

interface Segment {
  /** Where its header stands in the file. */
  at: number;
  type: number;
  flags: number;
  offset: bigint;
  address: bigint;
  fileSize: bigint;
  memorySize: bigint;
}

/** Changes the bytes of a 64-bit ELF program in place; throws when they are not as expected. */
export function seal(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stubs = STUBS[machineOf(view)];
  if (stubs === undefined) throw new Error("Cannot seal the binary: neither x86-64 nor AArch64");
  const segments = readSegments(view);
  const library = libraryOf(view, segments);
  const stub = stubs[library]?.();
  if (stub === undefined) {
    throw new Error(`Cannot seal the binary: it is for AArch64 and ${library}`);
  }
  const entry = view.getBigUint64(24, true);
  const code = segments.find((one) =>
    one.type === LOAD && (one.flags & EXECUTABLE) !== 0 &&
    entry >= one.address && entry < one.address + one.fileSize
  );
  if (code === undefined) throw new Error("Cannot seal the binary: its entry is in no segment");
  const size = BigInt(stub.code.length + 15) & ~15n;
  const offset = code.offset - size;
  requireUnused(bytes, segments, code, size);
  const start = code.address - size;
  stub.aim(new DataView(stub.code.buffer), Number(entry - start));
  bytes.set(stub.code, Number(offset));
  view.setBigUint64(code.at + 8, offset, true);
  view.setBigUint64(code.at + 16, start, true);
  view.setBigUint64(code.at + 24, start, true);
  view.setBigUint64(code.at + 32, code.fileSize + size, true);
  view.setBigUint64(code.at + 40, code.memorySize + size, true);
  view.setBigUint64(24, start, true);
}

function machineOf(view: DataView): number {
  const elf64LittleEndian = view.getUint32(0) === 0x7f454c46 && view.getUint16(4) === 0x0201;
  if (!elf64LittleEndian) throw new Error("Cannot seal the binary: it is no 64-bit ELF file");
  return view.getUint16(18, true);
}

function readSegments(view: DataView): Segment[] {
  const first = Number(view.getBigUint64(32, true));
  const size = view.getUint16(54, true);
  return Array.from({ length: view.getUint16(56, true) }, (_, i) => {
    const at = first + i * size;
    return {
      at,
      type: view.getUint32(at, true),
      flags: view.getUint32(at + 4, true),
      offset: view.getBigUint64(at + 8, true),
      address: view.getBigUint64(at + 16, true),
      fileSize: view.getBigUint64(at + 32, true),
      memorySize: view.getBigUint64(at + 40, true),
    };
  });
}

/** The new entry must be the program's first instruction, and a start-up that we know must follow it. */
function libraryOf(view: DataView, segments: readonly Segment[]): Library {
  const dynamic = segments.find((one) => one.type === DYNAMIC);
  const interpreter = segments.find((one) => one.type === INTERPRETER);
  if (dynamic === undefined || interpreter === undefined) {
    throw new Error("Cannot seal the binary: it is linked statically");
  }
  const name = new TextDecoder().decode(
    new Uint8Array(
      view.buffer,
      view.byteOffset + Number(interpreter.offset),
      Number(interpreter.fileSize),
    ),
  );
  const library = /\/ld-(linux|musl)-/.exec(name)?.[1];
  if (library === undefined) throw new Error(`Cannot seal the binary: its linker is "${name}"`);
  for (let at = Number(dynamic.offset); at < Number(dynamic.offset + dynamic.fileSize); at += 16) {
    const tag = view.getBigUint64(at, true);
    if (tag === 0n) break;
    if (tag === PREINIT_ARRAY) {
      throw new Error("Cannot seal the binary: code runs before its entry");
    }
  }
  return library === "musl" ? "musl" : "glibc";
}

function requireUnused(
  bytes: Uint8Array,
  segments: readonly Segment[],
  code: Segment,
  size: bigint,
): void {
  const from = code.offset - size;
  const taken = segments.some((one) =>
    one !== code && one.offset < code.offset && one.offset + one.fileSize > from
  );
  const zero = bytes.subarray(Number(from), Number(code.offset)).every((byte) => byte === 0);
  // On the same page nothing but the already mapped bytes of the file comes into memory.
  const samePage = (code.address - size) / PAGE === code.address / PAGE;
  if (taken || !zero || !samePage) {
    throw new Error(`Cannot seal the binary: no ${size} unused bytes in front of its code`);
  }
}
