/**
 * The bytes of a word for a program. Bytes that are no UTF-8, as in names of files from older
 * systems, stand in the word as U+DC80 to U+DCFF, which no text has.
 */
export function wordBytes(word: string): Uint8Array {
  const bytes: number[] = [];
  for (const sign of word) {
    const code = sign.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
    else bytes.push(...new TextEncoder().encode(sign));
  }
  return Uint8Array.from(bytes);
}

/** The word for such bytes, whatever they are. */
export function wordOf(bytes: Uint8Array): string {
  let word = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceAt(bytes, at);
    const part = bytes.subarray(at, at + Math.max(1, length));
    word += length === 0
      ? String.fromCharCode(0xdc00 + bytes[at]!)
      : new TextDecoder("utf-8", { ignoreBOM: true }).decode(part);
    at += part.length;
  }
  return word;
}

/** How many bytes the character has that begins there; 0 where none does. */
function sequenceAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}
