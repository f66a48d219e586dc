import { readFileSync } from "node:fs";
import { wordOf } from "../lib/base/word-bytes.ts";

/**
 * The last words of this command line byte for byte. The runtime puts U+FFFD where bytes are no UTF-8;
 * the system still has them.
 */
export function typedWords(words: readonly string[]): readonly string[] {
  if (!words.some((word) => word.includes("\u{fffd}"))) return words;
  try {
    const typed = wordsOf(readFileSync("/proc/self/cmdline")).slice(-words.length);
    const isSame = typed.length === words.length &&
      typed.every((bytes, index) => bytes.toString() === words[index]);
    return isSame ? typed.map(wordOf) : words;
  } catch {
    return words;
  }
}

/** Each ends with a zero byte. */
function wordsOf(line: Buffer): Buffer[] {
  const words: Buffer[] = [];
  for (let at = 0; at < line.length;) {
    const end = line.indexOf(0, at);
    words.push(line.subarray(at, end));
    at = end + 1;
  }
  return words;
}
