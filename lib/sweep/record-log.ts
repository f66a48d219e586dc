/**
 * The framing of a W&B transaction log (`run-<id>.wandb`): LevelDB's log format
 * (https://github.com/google/leveldb/blob/main/doc/log_format.md) with a header of
 * 7 bytes in front and zlib's CRC-32 in place of a masked CRC-32C.
 */
const BLOCK = 32 * 1024;
const HEADER = 7;
/** ":W&B", 0xBEE1 in little-endian order, version 0. */
const FILE_HEADER = [0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0x00];

const FULL = 1;
const FIRST = 2;
const MIDDLE = 3;
const LAST = 4;

export interface RecordsRead {
  records: Uint8Array[];
  /** Where to read on: the beginning of what is not whole yet. Bytes from the start of the file. */
  next: number;
  /** Places that were passed over because they are damaged. */
  damaged: number;
  /** The file is none of W&B's, or of a version that is not known here. */
  foreign: boolean;
}

/**
 * The whole records in `bytes`, a piece of the file that begins at `from` (0, or a
 * `next` of before) and, with `last`, goes to its present end. What a writer has
 * not finished is left for the next time; damage costs the rest of its block.
 */
export function readRecords(
  bytes: Uint8Array,
  { from, last = true }: { from: number; last?: boolean },
): RecordsRead {
  const read: RecordsRead = { records: [], next: from, damaged: 0, foreign: false };
  if (from === 0) {
    if (FILE_HEADER.some((byte, i) => i < bytes.length && bytes[i] !== byte)) {
      return { ...read, foreign: true };
    }
    if (bytes.length < HEADER) return read;
    read.next = HEADER;
  }
  const end = from + bytes.length;
  let pieces: Uint8Array[] | undefined;
  let at = read.next;
  while (true) {
    const left = BLOCK - at % BLOCK;
    if (left < HEADER) {
      if (at + left > end) return read;
      at += left;
      if (pieces === undefined) read.next = at;
      continue;
    }
    const chunk = chunkAt(bytes, at - from, left);
    if (chunk === "unfinished" && at + left > end) return read;
    // With the following block in view nobody is going to finish this one. Before that it may
    // be half of what a writer on another machine has sent.
    const broken = typeof chunk === "string" || misplaced(chunk.type, pieces !== undefined);
    if (broken && at + left >= end && last && typeof chunk === "string") return read;
    if (broken) {
      read.damaged += 1;
      pieces = undefined;
      // A good chunk in the wrong place begins anew, or is the rest of what was lost.
      if (typeof chunk === "string") {
        if (at + left > end) return read;
        at += left;
        read.next = at;
        continue;
      }
      if (chunk.type === MIDDLE || chunk.type === LAST) {
        at += HEADER + chunk.data.length;
        read.next = at;
        continue;
      }
      read.next = at;
    }
    const { type, data } = chunk as Chunk;
    at += HEADER + data.length;
    if (type === FULL || type === LAST) {
      read.records.push(type === FULL ? data : joined([...pieces!, data]));
      pieces = undefined;
      read.next = at;
    } else if (type === FIRST) {
      pieces = [data];
    } else {
      pieces!.push(data);
    }
  }
}

interface Chunk {
  type: number;
  data: Uint8Array;
}

function chunkAt(bytes: Uint8Array, at: number, left: number): Chunk | "unfinished" | "damaged" {
  if (at + HEADER > bytes.length) return "unfinished";
  const length = bytes[at + 4]! + bytes[at + 5]! * 256;
  const type = bytes[at + 6]!;
  if (HEADER + length > left || type < FULL || type > LAST) return "damaged";
  const end = at + HEADER + length;
  if (end > bytes.length) return "unfinished";
  const checksum =
    (bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24) >>> 0;
  if (checksum !== crc32(bytes.subarray(at + 6, end))) return "damaged";
  return { type, data: bytes.subarray(at + HEADER, end) };
}

function misplaced(type: number, within: boolean): boolean {
  return within ? type === FULL || type === FIRST : type === MIDDLE || type === LAST;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const CRC_TABLE: readonly number[] = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

/** CRC-32 as zlib and IEEE 802.3 have it. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = CRC_TABLE[(crc ^ bytes[i]!) & 0xff]! ^ crc >>> 8;
  return (crc ^ 0xffffffff) >>> 0;
}
