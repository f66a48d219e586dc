import { ExpressionError } from "./expression-error.ts";

const SIMPLE: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\n": "",
};

/**
 * Reads a Python string literal whose opening quote stands at `start` (0-based).
 * `end` is the position after the closing quote.
 */
export function readString(
  source: string,
  start: number,
  raw: boolean,
): { value: string; end: number } {
  const quote = source[start]!;
  const triple = source.startsWith(quote.repeat(3), start);
  const close = triple ? quote.repeat(3) : quote;
  let at = start + close.length;
  let value = "";
  while (!source.startsWith(close, at)) {
    const char = source[at];
    if (char === undefined || (char === "\n" && !triple)) {
      throw new ExpressionError("The string is not closed", start + 1, `Close it with ${close}`);
    }
    if (char !== "\\") {
      value += char;
      at += 1;
    } else if (raw) {
      // In a raw string a backslash stays, and still keeps a quote from closing it.
      value += source.slice(at, at + 2);
      at += 2;
    } else {
      const escape = readEscape(source, at);
      value += escape.value;
      at = escape.end;
    }
  }
  return { value, end: at + close.length };
}

function readEscape(source: string, at: number): { value: string; end: number } {
  const letter = source[at + 1] ?? "";
  const simple = Object.hasOwn(SIMPLE, letter) ? SIMPLE[letter] : undefined;
  if (simple !== undefined) return { value: simple, end: at + 2 };
  const octal = /^[0-7]{1,3}/.exec(source.slice(at + 1, at + 4));
  if (octal) {
    return { value: String.fromCharCode(parseInt(octal[0], 8)), end: at + 1 + octal[0].length };
  }
  const digits = letter === "x" ? 2 : letter === "u" ? 4 : letter === "U" ? 8 : 0;
  if (digits > 0) return readHex(source, at, digits);
  if (letter === "N") {
    throw new ExpressionError("Named characters (\\N{...}) are not allowed", at + 1, "Use \\u....");
  }
  // Python keeps the backslash of an escape that it does not know.
  return { value: "\\" + letter, end: at + 1 + letter.length };
}

function readHex(source: string, at: number, digits: number): { value: string; end: number } {
  const hex = source.slice(at + 2, at + 2 + digits);
  const code = /^[0-9a-fA-F]+$/.test(hex) && hex.length === digits ? parseInt(hex, 16) : Infinity;
  if (code > 0x10ffff) {
    throw new ExpressionError(
      `Invalid escape "${source.slice(at, at + 2 + digits)}"`,
      at + 1,
      `After \\${source[at + 1]} come ${digits} hexadecimal digits of a character`,
    );
  }
  return { value: String.fromCodePoint(code), end: at + 2 + digits };
}
