import { isList, isTuple } from "./expression-operand.ts";
import type { Operand } from "./expression-operand.ts";
import { shortestText } from "./number-text.ts";

/** Python's `str()`. */
export function strText(operand: Operand): string {
  return typeof operand === "string" ? operand : reprText(operand);
}

/** Python's `repr()`. */
export function reprText(operand: Operand): string {
  switch (typeof operand) {
    case "string":
      return quoted(operand);
    case "bigint":
      return operand.toString();
    case "number":
      return floatText(operand);
    case "boolean":
      return operand ? "True" : "False";
    default:
      break;
  }
  if (operand === null) return "None";
  if (!isList(operand)) {
    const entries = Object.entries(operand);
    return `{${entries.map(([key, item]) => `${quoted(key)}: ${reprText(item)}`).join(", ")}}`;
  }
  const items = operand.map(reprText).join(", ");
  if (!isTuple(operand)) return `[${items}]`;
  return operand.length === 1 ? `(${items},)` : `(${items})`;
}

function floatText(number: number): string {
  const text = shortestText(number);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  // What Python does not take for printable: controls, separators other than the space, lone surrogates.
  const inner = text.replace(/[\\\p{C}\p{Z}'"]/gu, (point) => {
    if (point === " ") return point;
    if (point === "'" || point === '"') return point === quote ? `\\${point}` : point;
    return point === "\\" ? "\\\\" : ESCAPES[point] ?? escaped(point.codePointAt(0)!);
  });
  return quote + inner + quote;
}

function escaped(code: number): string {
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}
