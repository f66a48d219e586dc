/** One line of an ssh config: its keyword in small letters, and what follows it as it stands. */
export interface ConfigLine {
  keyword: string;
  rest: string;
}

/** Undefined for an empty line and a comment. One `=` may stand between keyword and value. */
export function splitLine(line: string): ConfigLine | undefined {
  const found = /^[ \t\r\f]*([^ \t\r=#"]+)[ \t\r]*=?[ \t\r]*(.*?)[ \t\r\f\n]*$/.exec(line);
  if (found === null) return undefined;
  return { keyword: found[1]!.toLowerCase(), rest: found[2]! };
}

/**
 * The words of a value as OpenSSH splits them: quotes of both kinds, a backslash before
 * a quote, a backslash or a space; a `#` at the start of a word ends them. Undefined
 * when a quote is not closed.
 */
export function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  for (let at = 0; at < text.length;) {
    if (text[at] === " " || text[at] === "\t") {
      at++;
      continue;
    }
    if (text[at] === "#") break;
    const taken = takeWord(text, at);
    if (taken === undefined) return undefined;
    words.push(taken.word);
    at = taken.end;
  }
  return words;
}

function takeWord(text: string, start: number): { word: string; end: number } | undefined {
  let word = "";
  let quote = "";
  let at = start;
  for (; at < text.length; at++) {
    const here = text[at]!;
    const next = text[at + 1];
    if (here === "\\" && next !== undefined && isEscaped(next, quote)) {
      word += next;
      at++;
    } else if (quote === "" && (here === " " || here === "\t")) break;
    else if (quote === "" && (here === '"' || here === "'")) quote = here;
    else if (here === quote) quote = "";
    else word += here;
  }
  return quote === "" ? { word, end: at } : undefined;
}

function isEscaped(next: string, quote: string): boolean {
  return next === "'" || next === '"' || next === "\\" || (quote === "" && next === " ");
}
