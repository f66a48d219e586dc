/**
 * One record of a file of comma- or tab-separated values as RFC 4180 says it:
 * a cell that holds the separator, a quote or a line break stands in quotes,
 * with its quotes doubled. Cells with spaces at an end are quoted too, since
 * readers cut those off. Without the line's end.
 */
export function delimitedLine(cells: readonly string[], separator: "," | "\t"): string {
  const special = separator === "," ? NEEDS_QUOTES_IN_CSV : NEEDS_QUOTES_IN_TSV;
  return cells.map((cell) => special.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)
    .join(separator);
}

const NEEDS_QUOTES_IN_CSV = /[",\r\n]|^\s|\s$/;
const NEEDS_QUOTES_IN_TSV = /["\t\r\n]|^\s|\s$/;
