import { type Fence, fenceAfter } from "../base/fences.ts";
import { type Alignment, type MarkdownTable, tableAt } from "../base/markdown-table.ts";
import { displayWidth } from "../base/width.ts";

/** How tables of Markdown are shown where nothing draws them. */
export type TableStyle = "code" | "bullets" | "off";

/** A line of a chat window on a desktop; what is wider wraps, and is read better as a list. */
const WIDEST = 110;

/** A text with its tables turned into aligned code, or into lists; those within code blocks stay. */
export function convertTables(text: string, style: TableStyle): string {
  if (style === "off" || !text.includes("|")) return text;
  const lines = text.split("\n");
  const out: string[] = [];
  let fence: Fence | undefined;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    fence = fenceAfter(line, fence);
    const table = fence === undefined ? tableAt(lines, i) : undefined;
    if (table === undefined) {
      out.push(line);
      continue;
    }
    out.push(...show(table, style));
    i += table.lines - 1;
  }
  return out.join("\n");
}

function show(table: MarkdownTable, style: "code" | "bullets"): string[] {
  const code = style === "code" ? codeLines(table) : undefined;
  return code === undefined || code.some((line) => displayWidth(line) > WIDEST)
    ? bulletLines(table)
    : ["```", ...code, "```"];
}

function codeLines({ head, rows, alignments }: MarkdownTable): string[] {
  const all = [head, ...rows].map((row) => row.map(plainCell));
  const widths = head.map((_, column) =>
    Math.max(...all.map((row) => displayWidth(row[column] ?? "")), 1)
  );
  const [first, ...others] = all.map((row) =>
    row.map((cell, column) => padded(cell, widths[column]!, alignments[column]!)).join("  ")
      .trimEnd()
  );
  return [first!, widths.map((width) => "─".repeat(width)).join("  "), ...others];
}

function padded(cell: string, width: number, alignment: Alignment): string {
  const missing = Math.max(0, width - displayWidth(cell));
  const before = alignment === "right"
    ? missing
    : alignment === "center"
    ? Math.floor(missing / 2)
    : 0;
  return " ".repeat(before) + cell + " ".repeat(missing - before);
}

/** In code, Markdown is only noise; and three backticks would end the block. */
function plainCell(cell: string): string {
  return cell.replace(/<br\s*\/?>/gi, " ")
    .replace(/(\*\*|__)(?=\S)(.*?\S)\1/g, "$2")
    .replace(/`+([^`]*)`+/g, "$1")
    .replace(/\\([\\`*_{}[\]()#+.!~>-])/g, "$1")
    .replace(/`(?=``)/g, "'");
}

function bulletLines({ head, rows }: MarkdownTable): string[] {
  if (rows.length === 0) return [`- ${head.join(", ")}`];
  return rows.map((row) => {
    const [name = "", ...values] = row;
    const named = values.map((value, i) => value === "" ? "" : `${head[i + 1]}: ${value}`)
      .filter((one) => one !== "");
    const title = name === "" ? "" : /[*_`]/.test(name) ? name : `**${name}**`;
    return `- ${[title, named.join(", ")].filter((one) => one !== "").join(": ")}`;
  });
}
