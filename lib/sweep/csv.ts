import { UserError } from "../base/errors.ts";
import type { Mistake } from "../base/errors.ts";
import type { Notice } from "./config.ts";
import { parseCells } from "./csv-cells.ts";
import type { Cell } from "./csv-cells.ts";
import { bareName } from "./parameter-name.ts";
import type { Value } from "./value.ts";
import { readPlain } from "./yaml-scalar.ts";

/** One explicit trial: values by column, in the order of the header. */
export interface Row {
  line: number;
  cells: ReadonlyMap<string, Value>;
  /** Cells that are read in a way worth saying. */
  notices: readonly Notice[];
}

/**
 * The trials that a CSV file lists: the header names parameters, cells are read
 * like unquoted YAML scalars (empty is null), cells in quotes are text. Throws
 * UserError that lists every mistake with its line.
 */
export function parseCsv(text: string, file: string): Row[] {
  const [header, ...records] = parseCells(text, file);
  if (header === undefined) {
    throw new UserError(`Cannot read "${file}": it is empty`, {
      hint: "The first line names the parameters, each further line is one trial",
    });
  }
  const mistakes = headerMistakes(header, file);
  if (mistakes.length > 0) throw refused(file, mistakes);

  const rows: Row[] = [];
  for (const record of records) {
    if (record.length !== header.length) {
      mistakes.push(mistakeAt(file, record[0]!, raggedText(record.length, header.length)));
      continue;
    }
    const cells = new Map<string, Value>();
    const notices: Notice[] = [];
    for (const [i, cell] of record.entries()) {
      const read = cell.quoted ? { value: cell.text } : readPlain(cell.text);
      if (read.mistake !== undefined) mistakes.push(mistakeAt(file, cell, read.mistake));
      if (read.notice !== undefined) {
        notices.push({ message: `${file}: ${read.notice}`, line: cell.line, column: cell.column });
      }
      cells.set(header[i]!.text, read.value);
    }
    rows.push({ line: record[0]!.line, cells, notices });
  }
  if (mistakes.length > 0) throw refused(file, mistakes);
  return rows;
}

/** What the header of a CSV file names, right or wrong. */
export function csvColumns(text: string, file: string): string[] {
  return parseCells(text, file)[0]?.map((cell) => cell.text) ?? [];
}

function headerMistakes(header: readonly Cell[], file: string): Mistake[] {
  const mistakes: Mistake[] = [];
  const seen = new Map<string, string>();
  for (const cell of header) {
    const name = cell.text;
    const earlier = seen.get(bareName(name));
    if (name === "") {
      mistakes.push(mistakeAt(file, cell, "a column has no name"));
    } else if (!isUsable(name)) {
      mistakes.push({
        ...mistakeAt(file, cell, `column ${JSON.stringify(name)} cannot name a parameter`),
        hint: header.length === 1 && /[;\t]/.test(name)
          ? "Separate columns by commas"
          : "Quotes, backticks, =, backslashes, spaces and control characters are not allowed",
      });
    } else if (earlier !== undefined) {
      mistakes.push(mistakeAt(file, cell, `columns "${earlier}" and "${name}" are one parameter`));
    }
    seen.set(bareName(name), name);
  }
  return mistakes;
}

function isUsable(name: string): boolean {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  return bareName(name) !== "" && !/["'`=\\;\s\u0000-\u001f\u007f]/.test(name);
}

function raggedText(found: number, wanted: number): string {
  return `found ${found} ${found === 1 ? "cell" : "cells"}, the header has ${wanted}`;
}

function mistakeAt(file: string, cell: Cell, what: string): Mistake {
  return { file, line: cell.line, column: cell.column, message: `Line ${cell.line}: ${what}` };
}

function refused(file: string, mistakes: readonly Mistake[]): UserError {
  const first = mistakes[0]!;
  if (mistakes.length > 1) {
    return new UserError(`Cannot read "${file}": found ${mistakes.length} mistakes`, { mistakes });
  }
  const message = `Cannot read "${file}": ${first.message.replace(/^L/, "l")}`;
  return new UserError(message, {
    mistakes: [{ ...first, message }],
    ...(first.hint === undefined ? {} : { hint: first.hint }),
  });
}
