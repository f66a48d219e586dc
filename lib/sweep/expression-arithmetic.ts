import { ExpressionError, MAX_SIZE } from "./expression-error.ts";
import { formatText } from "./expression-format.ts";
import { asTuple, describe, isList, isTuple, numeric } from "./expression-operand.ts";
import type { Operand } from "./expression-operand.ts";
import type { Arithmetic } from "./expression-tree.ts";

const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);

/** One binary operator with Python's rules. Throws ExpressionError where Python raises, and at a limit. */
export function arithmetic(
  operator: Arithmetic,
  left: Operand,
  right: Operand,
  column: number,
): Operand {
  const a = numeric(left);
  const b = numeric(right);
  if (a !== undefined && b !== undefined) {
    return typeof a === "bigint" && typeof b === "bigint"
      ? integers(operator, a, b, column)
      : floats(operator, Number(a), Number(b), column);
  }
  const sequence = operator === "+"
    ? concatenate(left, right, column)
    : operator === "*"
    ? repeat(left, right, column)
    : operator === "%" && typeof left === "string"
    ? formatText(left, right, column)
    : undefined;
  if (sequence !== undefined) return sequence;
  const hint = operator === "+" && (typeof left === "string" || typeof right === "string")
    ? 'Text and numbers are joined by a format: "run_%d" % n'
    : undefined;
  throw new ExpressionError(
    `Cannot calculate ${describe(left)} ${operator} ${describe(right)}`,
    column,
    hint,
  );
}

export function negate(number: bigint | number): bigint | number {
  return -number;
}

function integers(operator: Arithmetic, a: bigint, b: bigint, column: number): bigint | number {
  switch (operator) {
    case "+":
      return checkedInt(a + b, column);
    case "-":
      return checkedInt(a - b, column);
    case "*":
      return checkedInt(a * b, column);
    case "/":
      // Both are exact as floats, so the quotient is rounded once, as Python's is.
      return checkedFloat(Number(a) / Number(nonZero(b, column)), column);
    case "//":
      return (a - modulo(a, nonZero(b, column))) / b;
    case "%":
      return modulo(a, nonZero(b, column));
    case "**":
      return b < 0n ? powerOfFloats(Number(a), Number(b), column) : powerOfInts(a, b, column);
  }
}

function nonZero<T extends bigint | number>(divisor: T, column: number): T {
  if (Number(divisor) === 0) throw new ExpressionError("Division by zero", column);
  return divisor;
}

/** The remainder with the divisor's sign. */
function modulo(a: bigint, b: bigint): bigint {
  const rest = a % b;
  return rest !== 0n && (rest < 0n) !== (b < 0n) ? rest + b : rest;
}

function powerOfInts(base: bigint, exponent: bigint, column: number): bigint {
  const size = Math.abs(Number(base));
  // Judged before it is calculated: 9**9**9 would fill the memory.
  if (size > 1 && Number(exponent) * Math.log2(size) > 54) throw tooLarge(column);
  if (size <= 1) {
    return exponent === 0n || exponent % 2n === 0n ? (exponent ? base * base : 1n) : base;
  }
  return checkedInt(base ** exponent, column);
}

function checkedInt(result: bigint, column: number): bigint {
  if (result > LARGEST || result < -LARGEST) throw tooLarge(column);
  return result;
}

function tooLarge(column: number): ExpressionError {
  return new ExpressionError(
    "The integer result is too large: at most 2**53 - 1 is exact",
    column,
    "Write one of the numbers as a float, such as 2.0, when a float will do",
  );
}

function floats(operator: Arithmetic, a: number, b: number, column: number): number {
  switch (operator) {
    case "+":
      return checkedFloat(a + b, column);
    case "-":
      return checkedFloat(a - b, column);
    case "*":
      return checkedFloat(a * b, column);
    case "/":
      return checkedFloat(a / nonZero(b, column), column);
    case "//":
      return checkedFloat(floorDivide(a, nonZero(b, column)), column);
    case "%":
      return checkedFloat(floatModulo(a, nonZero(b, column)), column);
    case "**":
      return powerOfFloats(a, b, column);
  }
}

/** The remainder with the divisor's sign; exact, as JavaScript's % is C's fmod. */
function floatModulo(a: number, b: number): number {
  const rest = a % b;
  if (rest === 0) return b < 0 ? -0 : 0;
  return (rest < 0) !== (b < 0) ? rest + b : rest;
}

/** As CPython divides: through the remainder, because Math.floor(a / b) is off by one for 1 // 0.1. */
function floorDivide(a: number, b: number): number {
  const rest = a % b;
  let quotient = (a - rest) / b;
  if (rest !== 0 && (rest < 0) !== (b < 0)) quotient -= 1;
  if (quotient === 0) return a / b < 0 ? -0 : 0;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

function powerOfFloats(a: number, b: number, column: number): number {
  if (a === 0 && b < 0) throw new ExpressionError("Zero has no negative power", column);
  if (a < 0 && !Number.isInteger(b)) {
    throw new ExpressionError("A negative number has no fractional power", column);
  }
  return checkedFloat(a ** b, column);
}

function checkedFloat(result: number, column: number): number {
  if (!Number.isFinite(result)) {
    throw new ExpressionError("The result is not a finite number", column);
  }
  return result;
}

function concatenate(left: Operand, right: Operand, column: number): Operand | undefined {
  const strings = typeof left === "string" && typeof right === "string";
  if (!strings && !(Array.isArray(left) && Array.isArray(right))) return undefined;
  checkSize(sizeOf(left, MAX_SIZE) + sizeOf(right, MAX_SIZE), column);
  if (strings) return left + right;
  const items = [...left as Operand[], ...right as Operand[]];
  return isTuple(left) && isTuple(right) ? asTuple(items) : items;
}

function repeat(left: Operand, right: Operand, column: number): Operand | undefined {
  const [sequence, times] = typeof left === "string" || Array.isArray(left)
    ? [left, numeric(right)]
    : [right, numeric(left)];
  if (typeof times !== "bigint") return undefined;
  const copies = Math.max(0, Number(times));
  if (typeof sequence === "string") {
    checkSize(sequence.length * copies, column);
    return sequence.repeat(sequence === "" ? 0 : copies);
  }
  if (!Array.isArray(sequence)) return undefined;
  checkSize(sizeOf(sequence, MAX_SIZE) * copies, column);
  const copied: Operand[] = [];
  for (let i = 0; i < copies && sequence.length > 0; i++) copied.push(...sequence);
  return isTuple(sequence) ? asTuple(copied) : copied;
}

/** Characters and items in an operand, lists in lists included; counting stops beyond `limit`. */
function sizeOf(operand: Operand, limit: number): number {
  if (typeof operand === "string") return operand.length;
  if (typeof operand !== "object" || operand === null) return 0;
  const items = isList(operand) ? operand : Object.values(operand);
  let size = items.length;
  for (const item of items) {
    if (size > limit) break;
    size += sizeOf(item, limit);
  }
  return size;
}

function checkSize(size: number, column: number): void {
  if (size > MAX_SIZE) {
    throw new ExpressionError(
      `The result is too large: at most ${MAX_SIZE} characters or items are allowed`,
      column,
    );
  }
}
