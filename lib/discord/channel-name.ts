const MOST = 100;

/**
 * Names for a sweep's channel as Discord keeps them: lower case, hyphens for blanks, letters,
 * digits and emoji of any script, at most 100 characters; then the same with -2, -3, …
 */
export function* channelNames(wanted: string): Generator<string> {
  const base = channelName(wanted);
  yield base;
  for (let n = 2; n < 1_000; n++) {
    const tail = `-${n}`;
    yield `${cut(base, MOST - tail.length)}${tail}`;
  }
}

export function channelName(wanted: string): string {
  const name = wanted.normalize("NFC").toLowerCase()
    .replace(/[\s./\\:,;|]+/gu, "-")
    .replace(/[^\p{L}\p{M}\p{N}\p{Extended_Pictographic}_-]/gu, "")
    .replace(/-{2,}/g, "-");
  const trimmed = cut(name, MOST).replace(/^-+|-+$/g, "");
  return trimmed === "" ? "herd" : trimmed;
}

function cut(name: string, most: number): string {
  let kept = "";
  for (const sign of name) {
    if (kept.length + sign.length > most) break;
    kept += sign;
  }
  return kept.replace(/-+$/, "");
}
