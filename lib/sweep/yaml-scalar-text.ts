import { readPlain } from "./yaml-scalar.ts";

/** How a scalar stands in the file. */
export type Quoting = "plain" | "single" | "double";

/** A word that is text to every version of YAML. */
const WORD = /^[A-Za-z0-9_][A-Za-z0-9._+/@-]*$/;
/** What YAML 1.1 takes for something else: booleans, nulls, dates, numbers with grouped digits. */
const FOREIGN = /^(y|n|yes|no|on|off|true|false|null|none)$|^\d{4}-\d\d?-\d\d?|^[-+]?\d[\d_,.]*$/i;

/** The source of a scalar: quoted as before, and wherever unquoted text could be misread. */
export function scalarText(value: string | number | boolean, before: Quoting = "plain"): string {
  if (typeof value === "number") return numberText(value);
  if (typeof value === "boolean") return String(value);
  if (before === "plain" && isPlain(value)) return value;
  if (before === "single" && /^[\x20-\x7e\u00a1-\u2027]*$/.test(value)) {
    return `'${value.replaceAll("'", "''")}'`;
  }
  // JSON's escapes are YAML's, but JSON lets through what YAML wants escaped.
  return JSON.stringify(value).replace(/[\u007f-\u00a0\u2028\u2029\ufeff\ufffe\uffff]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function isPlain(text: string): boolean {
  const { value, notice, mistake } = readPlain(text);
  return WORD.test(text) && !FOREIGN.test(text) && value === text && notice === undefined &&
    mistake === undefined;
}

/** YAML 1.1 wants a dot in what has an exponent. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`YAML has no number for ${value} here`);
  return String(value).replace(/^(-?\d+)e/, "$1.0e");
}
