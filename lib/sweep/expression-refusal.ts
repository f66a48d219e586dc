import { nearest } from "../base/text.ts";
import { ALLOWED, ExpressionError } from "./expression-error.ts";
import { KEYWORDS, matchAt, NAME } from "./expression-word.ts";

/** What Python has and this language does not, each with a word on what to write instead. */
export const FOREIGN: ReadonlyMap<string, string> = new Map([
  ["lambda", "Lambdas are"],
  ["for", "Comprehensions are"],
  ["async", "Comprehensions are"],
  ["await", '"await" is'],
  ["yield", '"yield" is'],
]);

export function unknownName(
  source: string,
  name: string,
  column: number,
  names: ReadonlySet<string>,
): ExpressionError {
  const near = nearest(name, names);
  const quotable = longestAt(source, column - 1, names);
  const owner = name.slice(0, name.lastIndexOf("."));
  const advice = quotable !== undefined && quotable !== name
    ? `Write \`${quotable}\` in backticks`
    : near !== undefined
    ? `Did you mean ${spelled(near)}`
    : names.has(owner)
    ? `Attributes are not allowed, and "${owner}" is a parameter`
    : undefined;
  const hint = [...(advice === undefined ? [] : [advice]), available(names)].join("; ");
  return new ExpressionError(`Unknown name "${name}"`, column, hint);
}

/** The longest declared name that stands at a place but is no plain name: `weight-decay`. */
function longestAt(source: string, at: number, names: ReadonlySet<string>): string | undefined {
  let best: string | undefined;
  for (const name of names) {
    if (name.length > (best?.length ?? 0) && source.startsWith(name, at)) best = name;
  }
  return best === undefined || matchAt(NAME, best, 0) === best ? undefined : best;
}

function spelled(name: string): string {
  return matchAt(NAME, name, 0) === name && !KEYWORDS.has(name) ? `"${name}"` : `\`${name}\``;
}

function available(names: ReadonlySet<string>): string {
  const sorted = [...names].sort();
  const shown = sorted.slice(0, 12).map(spelled).join(", ");
  const more = sorted.length > 12 ? ` and ${sorted.length - 12} more` : "";
  return sorted.length === 0 ? "there are no parameters" : `available are ${shown}${more}`;
}

const REFUSED: readonly (readonly [string, string, string])[] = [
  ["...", '"..." (Ellipsis) is', ALLOWED],
  ["&&", '"&&" is', 'Write "and"'],
  ["||", '"||" is', 'Write "or"'],
  ["===", '"===" is', 'Write "=="'],
  [":=", 'Assignments (":=") are', ALLOWED],
  ["**=", 'Assignments ("**=") are', ALLOWED],
  ["+=", 'Assignments ("+=") are', ALLOWED],
  ["-=", 'Assignments ("-=") are', ALLOWED],
  ["*=", 'Assignments ("*=") are', ALLOWED],
  ["/=", 'Assignments ("/=") are', ALLOWED],
  ["%=", 'Assignments ("%=") are', ALLOWED],
  ["=", '"=" is', 'Write "==" to compare; keyword arguments are not allowed'],
  ["!", '"!" is', 'Write "not", or "!=" to compare'],
  ["?", '"?" is', 'Write "A if B else C"'],
  ["^", 'Bitwise operators ("^") are', 'Write "**" for a power'],
  ["<<", 'Bitwise operators ("<<") are', ALLOWED],
  [">>", 'Bitwise operators (">>") are', ALLOWED],
  ["&", 'Bitwise operators ("&") are', 'Write "and"'],
  ["|", 'Bitwise operators ("|") are', 'Write "or"'],
  ["~", 'Bitwise operators ("~") are', 'Write "not"'],
  ["@", 'Matrix products ("@") are', ALLOWED],
  ["{", "Dictionaries and sets are", ALLOWED],
  [".", "Attributes are", ALLOWED],
  ["$", '"$" is', "Write a parameter's plain name"],
];

export function refusedSign(source: string, at: number): ExpressionError {
  for (const [sign, what, hint] of REFUSED) {
    if (source.startsWith(sign, at)) {
      return new ExpressionError(`${what} not allowed`, at + 1, hint);
    }
  }
  const char = String.fromCodePoint(source.codePointAt(at)!);
  return new ExpressionError(`Unexpected character ${JSON.stringify(char)}`, at + 1, ALLOWED);
}
