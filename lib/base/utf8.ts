/** The text of a UTF-8 file without its byte order mark, or the first byte that is none. */
export type Decoded = { text: string } | { badByte: number; line: number; column: number };

const LINE_END = 0x0a;

/** Decodes strictly. Line and column count from 1; a column is a UTF-16 unit, as in strings. */
export function decodeUtf8(bytes: Uint8Array): Decoded {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return firstBad(bytes);
  }
}

/** A line end is never part of a longer sequence, so that each line stands for itself. */
function firstBad(bytes: Uint8Array): Decoded {
  let line = 1;
  for (let start = 0; start <= bytes.length; line++) {
    const found = bytes.indexOf(LINE_END, start);
    const end = found === -1 ? bytes.length : found;
    const bad = badIn(bytes.subarray(start, end));
    if (bad !== undefined) return { badByte: bytes[start + bad.offset]!, line, column: bad.column };
    start = end + 1;
  }
  throw new Error("A text that is not UTF-8 has no bad line");
}

/** Where the first broken sequence of a line begins. */
function badIn(line: Uint8Array): { offset: number; column: number } | undefined {
  if (isValid(line)) return undefined;
  let offset = 0;
  for (;;) {
    const length = sequenceLength(line[offset]!);
    if (!isValid(line.subarray(offset, offset + length))) break;
    offset += length;
  }
  return { offset, column: new TextDecoder().decode(line.subarray(0, offset)).length + 1 };
}

function sequenceLength(first: number): number {
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

function isValid(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
