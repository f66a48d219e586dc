/** Whether a text is of a pattern's shape; `*` is any number of characters, `?` is one. */
export function matchesPattern(text: string, pattern: string): boolean {
  let [at, here] = [0, 0];
  let star = -1;
  let from = 0;
  while (at < text.length) {
    if (pattern[here] === "*") {
      star = here++;
      from = at;
    } else if (here < pattern.length && (pattern[here] === "?" || pattern[here] === text[at])) {
      at++;
      here++;
    } else if (star >= 0) {
      here = star + 1;
      at = ++from;
    } else return false;
  }
  while (pattern[here] === "*") here++;
  return here === pattern.length;
}

/** At least one pattern fits and none that begins with `!` does. */
export function matchesPatterns(text: string, patterns: readonly string[]): boolean {
  let found = false;
  for (const pattern of patterns) {
    const negated = pattern.startsWith("!");
    if (!matchesPattern(text, negated ? pattern.slice(1) : pattern)) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}
