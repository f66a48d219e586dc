import { ExpressionError, MAX_SIZE } from "./expression-error.ts";
import { describe, isTuple, numeric } from "./expression-operand.ts";
import type { Operand } from "./expression-operand.ts";
import { fixedText, generalText, scientificText } from "./expression-float-text.ts";
import { reprText, strText } from "./expression-text.ts";

/** Far beyond what a name needs. */
const MAX_WIDTH = 1_000;
const MAX_PRECISION = 80;

const SPEC = /%(\([^)]*\))?([-+ #0]*)(\*|\d*)(?:\.(\*|\d*))?[hlL]?([\s\S])?/uy;
const KINDS = "Allowed are %d %i %u %f %F %e %E %g %G %x %X %o %s %r and %%";

interface Spec {
  flags: string;
  width: number;
  precision: number | undefined;
  kind: string;
}

/**
 * Python's `template % values`: a tuple has one value for each specifier, anything
 * else is the value of the only one. Throws ExpressionError where Python raises,
 * and at a limit.
 */
export function formatText(template: string, values: Operand, column: number): string {
  const args: readonly Operand[] = isTuple(values) ? values : [values];
  let used = 0;
  let text = "";

  function next(what: string): Operand {
    const value = args[used++];
    if (value !== undefined) return value;
    throw new ExpressionError(
      `There are not enough values for ${JSON.stringify(template)}: ${what} gets none`,
      column,
      'Give one for each in round brackets: "%s-%d" % (a, b)',
    );
  }

  for (let at = 0; at < template.length;) {
    const start = template.indexOf("%", at);
    if (start < 0) {
      text += template.slice(at);
      break;
    }
    text += template.slice(at, start);
    const found = specAt(template, start, column);
    at = start + found[0].length;
    const shown = JSON.stringify(found[0]);
    let flags = found[2]!;
    let width = found[3] === "*" ? sizeOf(next(shown), column) : Number(found[3]);
    if (width < 0) [flags, width] = [`${flags}-`, -width];
    const given = found[4] === "*" ? sizeOf(next(shown), column) : found[4];
    const precision = given === undefined ? undefined : Math.max(0, Number(given));
    const spec = { flags, width, precision, kind: found[5]! };
    checkLimits(spec, shown, column);
    text += spec.kind === "%" ? "%" : padded(spec, next(shown), shown, column);
    if (text.length > MAX_SIZE) {
      throw new ExpressionError(
        `The result is too large: at most ${MAX_SIZE} characters are allowed`,
        column,
      );
    }
  }
  // A list or a map may go unused, as in Python: it could have been asked for by key.
  const mayRest = !isTuple(values) && typeof values === "object" && values !== null;
  if (used < args.length && !mayRest) {
    throw new ExpressionError(
      `There are more values than ${JSON.stringify(template)} has places for`,
      column,
      'Write one "%s" for each value, and "%%" for a percent sign',
    );
  }
  return text;
}

function specAt(template: string, start: number, column: number): RegExpExecArray {
  const pattern = new RegExp(SPEC);
  pattern.lastIndex = start;
  const found = pattern.exec(template)!;
  if (found[5] === undefined) {
    const text = JSON.stringify(template);
    throw new ExpressionError(`The format ${text} ends inside a "%"`, column, KINDS);
  }
  if (found[1] !== undefined) {
    throw new ExpressionError(
      `Keys in a format, as in ${JSON.stringify(found[0])}, are not allowed`,
      column,
      'Give the values in order: "%s-%d" % (a, b)',
    );
  }
  if (!"diufFeEgGxXosr%".includes(found[5])) {
    throw new ExpressionError(`Unknown format ${JSON.stringify(found[0])}`, column, KINDS);
  }
  return found;
}

function sizeOf(value: Operand, column: number): number {
  const size = numeric(value);
  if (typeof size === "bigint") return Number(size);
  throw new ExpressionError(
    `A "*" in a format needs a whole number, found ${describe(value)}`,
    column,
  );
}

function checkLimits({ width, precision = 0, kind }: Spec, shown: string, column: number): void {
  const most = kind === "s" || kind === "r" ? MAX_SIZE : MAX_PRECISION;
  if (width <= MAX_WIDTH && precision <= most) return;
  throw new ExpressionError(
    `The format ${shown} asks for too much: the width is at most ${MAX_WIDTH}, ` +
      `the precision at most ${most}`,
    column,
  );
}

function padded(spec: Spec, value: Operand, shown: string, column: number): string {
  const { flags, width, kind } = spec;
  const left = flags.includes("-");
  if (kind === "s" || kind === "r") {
    const points = [...(kind === "s" ? strText(value) : reprText(value))];
    const cut = spec.precision === undefined ? points : points.slice(0, spec.precision);
    const blanks = " ".repeat(Math.max(0, width - cut.length));
    return left ? cut.join("") + blanks : blanks + cut.join("");
  }
  const { sign, prefix, digits } = numberParts(spec, value, shown, column);
  const head = (sign || (flags.includes("+") ? "+" : flags.includes(" ") ? " " : "")) + prefix;
  const missing = Math.max(0, width - head.length - digits.length);
  if (left) return head + digits + " ".repeat(missing);
  return flags.includes("0")
    ? head + "0".repeat(missing) + digits
    : " ".repeat(missing) + head + digits;
}

interface Parts {
  sign: string;
  /** `0x` and `0o` with the flag `#`. */
  prefix: string;
  digits: string;
}

function numberParts(spec: Spec, value: Operand, shown: string, column: number): Parts {
  const { kind } = spec;
  const number = numeric(value);
  const whole = "diuxXo".includes(kind);
  if (number === undefined || ("xXo".includes(kind) && typeof number !== "bigint")) {
    throw new ExpressionError(
      `${shown} needs a ${"xXo".includes(kind) ? "whole " : ""}number, found ${describe(value)}`,
      column,
      number === undefined ? "Write %s for text" : undefined,
    );
  }
  if (whole) {
    if (typeof number === "number" && !Number.isFinite(number)) {
      throw new ExpressionError(`${shown} needs a finite number, found ${number}`, column);
    }
    return wholeParts(spec, typeof number === "bigint" ? number : BigInt(Math.trunc(number)));
  }
  return floatParts(spec, Number(number));
}

function wholeParts({ flags, precision = 0, kind }: Spec, number: bigint): Parts {
  const base = kind === "o" ? 8 : kind === "x" || kind === "X" ? 16 : 10;
  const size = number < 0n ? -number : number;
  const text = size.toString(base).padStart(precision, "0");
  const prefix = base !== 10 && flags.includes("#") ? (base === 8 ? "0o" : "0x") : "";
  const upper = kind === "X";
  return {
    sign: number < 0n ? "-" : "",
    prefix: upper ? prefix.toUpperCase() : prefix,
    digits: upper ? text.toUpperCase() : text,
  };
}

function floatParts({ flags, precision = 6, kind }: Spec, number: number): Parts {
  const isNegative = number < 0 || Object.is(number, -0);
  const size = Math.abs(number);
  const keep = flags.includes("#");
  const lower = kind.toLowerCase();
  const text = !Number.isFinite(number)
    ? Number.isNaN(number) ? "nan" : "inf"
    : lower === "f"
    ? fixedText(size, precision, keep)
    : lower === "e"
    ? scientificText(size, precision, keep)
    : generalText(size, precision, keep);
  const digits = kind === lower ? text : text.toUpperCase();
  return { sign: isNegative ? "-" : "", prefix: "", digits };
}
