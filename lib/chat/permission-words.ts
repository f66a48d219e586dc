import type { PermissionWord } from "./turn.ts";

/** Words that are kept of one turn. */
const MOST = 5;

/** One more; what was said of many questions in a row in the same breath is one. */
export function withWord(
  words: readonly PermissionWord[] = [],
  word: PermissionWord,
): readonly PermissionWord[] {
  const last = words.at(-1);
  const isSame = last !== undefined && last.answer === word.answer && last.by === word.by &&
    (last.what === word.what || !isPerson(word.by));
  return isSame
    ? [...words.slice(0, -1), { ...last, times: (last.times ?? 1) + 1 }]
    : [...words, word].slice(-MOST);
}

function isPerson(by: string): boolean {
  return by.startsWith("discord:");
}
