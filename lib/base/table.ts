import { displayWidth, fit, visible } from "./width.ts";

export interface Column {
  title: string;
  align?: "left" | "right";
  /**
   * Fewest cells to which the column may be cut when the table is too wide;
   * a column without it is never cut.
   */
  shrinkTo?: number;
  /** Most cells of the column, whatever the terminal's width. */
  atMost?: number;
}

/** A text, or one with a colour; the colour is put on after the text was cut to size. */
export type Cell = string | { text: string; paint: (text: string) => string };

export interface TableOptions {
  /** Cells per line; Infinity when nobody looks. */
  width: number;
  paintTitle?: (text: string) => string;
}

const GAP = "  ";

/** The table's lines: the titles, then one per row. Control characters in cells are made visible. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions,
): string[] {
  const texts = rows.map((row) => columns.map((_, i) => visible(textOf(row[i] ?? ""))));
  const widths = shrink(columns, naturalWidths(columns, texts), options.width);
  const titles = columns.map((column, i) =>
    pad(column, column.title, widths[i]!, options.paintTitle)
  );
  const lines = [titles.join(GAP).trimEnd()];
  for (const [at, row] of rows.entries()) {
    const cells = columns.map((column, i) => {
      const cell = row[i] ?? "";
      return pad(
        column,
        texts[at]![i]!,
        widths[i]!,
        typeof cell === "string" ? undefined : cell.paint,
      );
    });
    lines.push(cells.join(GAP).trimEnd());
  }
  return lines;
}

function textOf(cell: Cell): string {
  return typeof cell === "string" ? cell : cell.text;
}

function naturalWidths(
  columns: readonly Column[],
  texts: readonly (readonly string[])[],
): number[] {
  return columns.map((column, i) => {
    let widest = displayWidth(column.title);
    for (const row of texts) widest = Math.max(widest, displayWidth(row[i]!));
    return Math.min(widest, column.atMost ?? Infinity);
  });
}

/** Takes cells from the widest column that may shrink until the line fits, or nothing may shrink. */
function shrink(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  const gaps = GAP.length * (columns.length - 1);
  let over = widths.reduce((sum, one) => sum + one, gaps) - width;
  while (over > 0) {
    let widest = -1;
    for (const [i, column] of columns.entries()) {
      const mayShrink = widths[i]! > (column.shrinkTo ?? Infinity);
      if (mayShrink && (widest < 0 || widths[i]! > widths[widest]!)) widest = i;
    }
    if (widest < 0) break;
    widths[widest]!--;
    over--;
  }
  return widths;
}

function pad(
  column: Column,
  text: string,
  width: number,
  paint?: (text: string) => string,
): string {
  const cut = fit(text, width);
  const space = " ".repeat(Math.max(0, width - displayWidth(cut)));
  const painted = paint === undefined || cut === "" ? cut : paint(cut);
  return column.align === "right" ? space + painted : painted + space;
}
