export type Alignment = "left" | "right" | "center";

/** A table of Markdown, each row as wide as its head. Cells are trimmed, escaped pipes are pipes. */
export interface MarkdownTable {
  head: readonly string[];
  rows: readonly (readonly string[])[];
  alignments: readonly Alignment[];
  /** How many lines it takes. */
  lines: number;
}

const RULE = /^ {0,3}\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** The table that begins at line `at`: a head, a rule of the same width, rows with a pipe. */
export function tableAt(lines: readonly string[], at: number): MarkdownTable | undefined {
  const first = lines[at];
  const rule = lines[at + 1];
  if (first === undefined || rule === undefined) return undefined;
  if (!first.includes("|") || !rule.includes("|") || !RULE.test(rule)) return undefined;
  const head = cellsOf(first);
  const marks = cellsOf(rule);
  if (marks.length !== head.length) return undefined;
  const rows: string[][] = [];
  for (let i = at + 2; i < lines.length && isRow(lines[i]!); i++) {
    const cells = cellsOf(lines[i]!);
    // What has more cells than the head would be lost as Markdown has it; here it goes into the last.
    const last = cells.slice(head.length - 1).join(" | ");
    rows.push(head.map((_, column) => column === head.length - 1 ? last : cells[column] ?? ""));
  }
  return { head, rows, alignments: marks.map(alignmentOf), lines: rows.length + 2 };
}

function isRow(line: string): boolean {
  return line.includes("|") && !/^ {0,3}(`{3}|~{3})/.test(line);
}

function alignmentOf(mark: string): Alignment {
  if (mark.startsWith(":") && mark.endsWith(":")) return "center";
  return mark.endsWith(":") ? "right" : "left";
}

/** At pipes that are not escaped; within a code span, too, as GitHub has it. */
function cellsOf(line: string): string[] {
  const cells: string[] = [""];
  for (const part of line.trim().match(/\\[^]|[^\\|]+|[\\|]/g) ?? []) {
    if (part === "|") cells.push("");
    else cells[cells.length - 1] += part === "\\|" ? "|" : part;
  }
  if (cells[0]!.trim() === "" && cells.length > 1) cells.shift();
  if (cells.at(-1)!.trim() === "" && cells.length > 1) cells.pop();
  return cells.map((cell) => cell.trim());
}
