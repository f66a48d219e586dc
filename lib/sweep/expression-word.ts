/** Words that are never names, whatever the parameters are called; backticks reach such a parameter. */
export const KEYWORDS: ReadonlySet<string> = new Set(
  ["and", "or", "not", "in", "is", "if", "else", "True", "False", "None"],
);

/** A name as Python spells it, or several joined by dots: `model.layers.0`. */
export const NAME = /[\p{L}_][\p{L}\p{N}\p{M}_]*(?:\.[\p{L}\p{N}\p{M}_]+)*/uy;

/** The text that a sticky pattern matches at a place (0-based); empty when it does not. */
export function matchAt(pattern: RegExp, source: string, at: number): string {
  // A copy: a sticky pattern keeps its place in itself.
  const sticky = new RegExp(pattern);
  sticky.lastIndex = at;
  return sticky.exec(source)?.[0] ?? "";
}
