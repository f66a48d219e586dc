import { UserError } from "../base/errors.ts";

export interface Cell {
  /** Without quotes; spaces around an unquoted cell are cut off. */
  text: string;
  quoted: boolean;
  /** Where the cell begins; both count from 1. */
  line: number;
  column: number;
}

/**
 * The rows of a comma-separated file as RFC 4180 describes it: quoted cells may
 * hold commas, line ends and doubled quotes; LF, CR LF or CR ends a line. A byte
 * order mark and blank lines are skipped. Throws UserError with the place.
 */
export function parseCells(text: string, file: string): Cell[][] {
  const rows: Cell[][] = [];
  let row: Cell[] = [];
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  let line = 1;
  let lineStart = at;

  while (at < text.length || row.length > 0) {
    const cell = readCell();
    row.push(cell);
    const next = text[at];
    if (next === ",") {
      at++;
      continue;
    }
    if (row.length > 1 || cell.quoted || cell.text !== "") rows.push(row);
    row = [];
    if (next === undefined) break;
    skipLineEnd();
  }
  return rows;

  function readCell(): Cell {
    const place = { line, column: at - lineStart + 1 };
    while (text[at] === " " || text[at] === "\t") at++;
    if (text[at] === '"') return { text: readQuoted(), quoted: true, ...place };
    const start = at;
    while (at < text.length && !",\r\n".includes(text[at]!)) {
      if (text[at] === '"') throw mistake("a quote stands inside an unquoted cell", line);
      at++;
    }
    return { text: text.slice(start, at).trim(), quoted: false, ...place };
  }

  function readQuoted(): string {
    const opened = line;
    let content = "";
    at++;
    for (;;) {
      const character = text[at];
      if (character === undefined) throw mistake("a quote is not closed", opened, false);
      if (character === "\r" || character === "\n") {
        const start = at;
        skipLineEnd();
        content += text.slice(start, at);
        continue;
      }
      at++;
      if (character !== '"') content += character;
      else if (text[at] === '"') content += text[at++];
      else break;
    }
    while (text[at] === " " || text[at] === "\t") at++;
    if (at < text.length && !",\r\n".includes(text[at]!)) {
      throw mistake("there is more text after a closing quote", line);
    }
    return content;
  }

  function skipLineEnd(): void {
    at += text[at] === "\r" && text[at + 1] === "\n" ? 2 : 1;
    line++;
    lineStart = at;
  }

  function mistake(what: string, where: number, here = true): UserError {
    const message = `Cannot read "${file}": ${what} in line ${where}`;
    const hint = 'Put the whole cell in quotes and write a quote in it twice: "say ""hello"""';
    const place = { file, line: where, ...(here ? { column: at - lineStart + 1 } : {}) };
    return new UserError(message, { hint, mistakes: [{ message, hint, ...place }] });
  }
}
