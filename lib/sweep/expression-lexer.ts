import { ALLOWED, ExpressionError } from "./expression-error.ts";
import { FOREIGN, refusedSign, unknownName } from "./expression-refusal.ts";
import { readString } from "./expression-string.ts";
import { KEYWORDS, matchAt, NAME } from "./expression-word.ts";

/** `text` is as written, but a name in backticks is bare; `column` counts from 1. */
export type Token =
  | { kind: "int" | "float"; value: number; text: string; column: number }
  | { kind: "string"; value: string; text: string; column: number }
  | { kind: "name"; text: string; column: number }
  /** Neither a parameter nor a word of the language; never leaves the lexer. */
  | { kind: "unknown"; text: string; column: number }
  | { kind: "word"; text: string; column: number }
  | { kind: "sign"; text: string; column: number }
  | { kind: "end"; text: ""; column: number };

/** Words with a meaning unless a parameter has that name. */
const SOFT = new Set(["true", "false", "null", "min", "max"]);

const SIGNS = /\*\*|\/\/|==|!=|<=|>=|[-+*/%<>()[\],]/y;
const NUMBER =
  /0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*\.?(?:\d(?:_?\d)*)?|\.\d(?:_?\d)*)(?:[eE][-+]?\d(?:_?\d)*)?/y;
/** `1if x else 2` is Python; `1abc` is not. */
const AFTER_NUMBER = /(?!(?:and|or|not|in|is|if|else)(?![\p{L}\p{N}_]))[\p{L}\p{N}_.`]/uy;

/** Splits an expression; `names` are the parameters that it may use. */
export function tokenize(source: string, names: ReadonlySet<string>): Token[] {
  const tokens: Token[] = [];
  let unknown: Token | undefined;
  let at = skipBlank(source, 0);
  while (at < source.length) {
    const next = readToken(source, at, names);
    if (next.token.kind === "unknown") unknown ??= next.token;
    tokens.push(next.token);
    at = skipBlank(source, next.end);
  }
  // Last: in "[i for i in x]" the comprehension is the mistake, not the "i".
  if (unknown !== undefined) throw unknownName(source, unknown.text, unknown.column, names);
  tokens.push({ kind: "end", text: "", column: source.trimEnd().length + 1 });
  return tokens;
}

function skipBlank(source: string, from: number): number {
  // Line breaks are blanks (YAML folds and keeps them as it likes), comments run to the line's end.
  return from + matchAt(/(?:[ \t\f\r\n]|\\\r?\n|#[^\n]*)*/y, source, from).length;
}

function readToken(
  source: string,
  at: number,
  names: ReadonlySet<string>,
): { token: Token; end: number } {
  const char = source[at]!;
  const column = at + 1;
  if (char === "'" || char === '"') return stringToken(source, at, at, false);
  if (char === "`") return quotedName(source, at, names);
  if (/^\.?\d/.test(source.slice(at, at + 2))) return numberToken(source, at);
  const run = matchAt(NAME, source, at);
  if (run !== "") {
    const after = source[at + run.length];
    if (after === "'" || after === '"') return prefixedString(source, at, run);
    return { token: wordToken(source, run, column, names), end: at + run.length };
  }
  const sign = matchAt(SIGNS, source, at);
  if (sign === "") throw refusedSign(source, at);
  const longer = matchAt(/<<|>>|\*\*=|===|[-+*/%]=/y, source, at);
  if (longer !== "") throw refusedSign(source, at);
  return { token: { kind: "sign", text: sign, column }, end: at + sign.length };
}

function stringToken(source: string, from: number, quoteAt: number, raw: boolean) {
  const { value, end } = readString(source, quoteAt, raw);
  const token: Token = { kind: "string", value, text: source.slice(from, end), column: from + 1 };
  return { token, end };
}

function prefixedString(source: string, at: number, prefix: string) {
  const letters = prefix.toLowerCase();
  if (letters === "r" || letters === "u") {
    return stringToken(source, at, at + prefix.length, letters === "r");
  }
  const what = /^(f|fr|rf)$/.test(letters)
    ? "Formatted strings (f-strings) are"
    : /^(b|br|rb)$/.test(letters)
    ? "Bytes are"
    : `"${prefix}" before a string is`;
  throw new ExpressionError(`${what} not allowed`, at + 1, 'Write a plain string, such as "adam"');
}

function quotedName(source: string, at: number, names: ReadonlySet<string>) {
  const close = source.indexOf("`", at + 1);
  if (close < 0) {
    throw new ExpressionError("The name in backticks is not closed", at + 1, "Close it with `");
  }
  const name = source.slice(at + 1, close);
  if (!names.has(name)) throw unknownName(source, name, at + 1, names);
  const token: Token = { kind: "name", text: name, column: at + 1 };
  return { token, end: close + 1 };
}

function numberToken(source: string, at: number): { token: Token; end: number } {
  const text = matchAt(NUMBER, source, at);
  const column = at + 1;
  const end = at + text.length;
  if (/^[jJ]/.test(source.slice(end))) {
    throw new ExpressionError("Complex numbers are not allowed", column, ALLOWED);
  }
  if (matchAt(AFTER_NUMBER, source, end) !== "" || /^0[\d_]*[1-9]\d*$/.test(text)) {
    const whole = matchAt(/[\p{L}\p{N}_.]+/uy, source, at);
    throw new ExpressionError(`Invalid number "${whole}"`, column, numberHint(whole));
  }
  const based = /^0[xXoObB]/.test(text);
  const value = Number(text.replaceAll("_", ""));
  const float = !based && /[.eE]/.test(text);
  if (float ? !Number.isFinite(value) : !Number.isSafeInteger(value)) {
    const limit = float
      ? "a float can be at most 1.797e308"
      : "an integer can be at most 2**53 - 1";
    throw new ExpressionError(`Number ${shorten(text)} is too large: ${limit}`, column);
  }
  return { token: { kind: float ? "float" : "int", value, text, column }, end };
}

function numberHint(text: string): string {
  return /^0\d+$/.test(text)
    ? `Write ${text.replace(/^0+/, "")}, or 0o${text.replace(/^0+/, "")} for an octal number`
    : "Write a number such as 10, 0.1, 1e-3 or 0xff; a parameter whose name begins with a digit goes in backticks";
}

/** A name, or a word of the language. */
function wordToken(
  source: string,
  run: string,
  column: number,
  names: ReadonlySet<string>,
): Token {
  if (KEYWORDS.has(run)) return { kind: "word", text: run, column };
  if (names.has(run)) return { kind: "name", text: run, column };
  if (SOFT.has(run)) return { kind: "word", text: run, column };
  const call = /^\s*\(/.test(source.slice(column - 1 + run.length));
  if (call) {
    throw new ExpressionError(
      `Function "${run}" is not allowed`,
      column,
      "The functions are min(...) and max(...)",
    );
  }
  const foreign = FOREIGN.get(run);
  if (foreign !== undefined) {
    throw new ExpressionError(`${foreign} not allowed`, column, ALLOWED);
  }
  return { kind: "unknown", text: run, column };
}

function shorten(text: string): string {
  return text.length <= 24 ? text : `${text.slice(0, 21)}...`;
}
