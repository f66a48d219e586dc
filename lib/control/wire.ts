import { NothingError, RefusedError, SchedulerError, UserError } from "../base/errors.ts";
import type { Mistake } from "../base/errors.ts";

/**
 * JSON in which Map, Set, undefined, NaN, the infinities, -0, bigint, Date, bytes
 * and our errors survive. What JSON can say itself stays as it is; anything else is
 * an object whose one marker is the key `$`.
 */
const TAG = "$";

/** Deeper is no action of ours but somebody's attempt to exhaust the stack. */
const DEEPEST = 200;

type Tagged = Readonly<Record<string, unknown>>;

/** Plain JSON for a value. Throws TypeError for what has no form here: functions, symbols, circles. */
export function encodeWire(value: unknown, depth = 0): unknown {
  if (depth > DEEPEST) throw new TypeError("Cannot encode a value: it is nested too deep");
  const inner = (one: unknown) => encodeWire(one, depth + 1);
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { [TAG]: "number", v: Object.is(value, -0) ? "-0" : String(value) };
    case "undefined":
      return { [TAG]: "undefined" };
    case "bigint":
      return { [TAG]: "bigint", v: String(value) };
    case "object":
      return value === null ? null : encodeObject(value, inner);
    default:
      throw new TypeError(`Cannot encode a ${typeof value}`);
  }
}

function encodeObject(value: object, inner: (one: unknown) => unknown): unknown {
  // Array.from: holes become undefined, which map() would leave as holes.
  if (Array.isArray(value)) return Array.from(value, inner);
  if (value instanceof Map) {
    return { [TAG]: "map", v: [...value].map(([key, one]) => [inner(key), inner(one)]) };
  }
  if (value instanceof Set) return { [TAG]: "set", v: [...value].map(inner) };
  if (value instanceof Date) return { [TAG]: "date", v: inner(value.getTime()) };
  if (value instanceof Uint8Array) {
    return { [TAG]: "bytes", v: Buffer.from(value).toString("base64") };
  }
  if (value instanceof Error) return { [TAG]: "error", ...encodeError(value, inner) };
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`Cannot encode an object of class "${value.constructor?.name}"`);
  }
  const entries = Object.entries(value);
  if (Object.hasOwn(value, TAG)) {
    return { [TAG]: "object", v: entries.map(([key, one]) => [key, inner(one)]) };
  }
  return Object.fromEntries(entries.map(([key, one]) => [key, inner(one)]));
}

function encodeError(error: Error, inner: (one: unknown) => unknown): Tagged {
  const message = error.message;
  if (error instanceof UserError) {
    return { kind: "mistake", message, hint: inner(error.hint), mistakes: inner(error.mistakes) };
  }
  if (error instanceof RefusedError) {
    return { kind: "refused", message, hint: inner(error.hint), facts: inner(error.facts) };
  }
  if (error instanceof NothingError) return { kind: "nothing", message, hint: inner(error.hint) };
  if (error instanceof SchedulerError) {
    return { kind: error.kind, message, detail: inner(error.detail) };
  }
  return { kind: "unexpected", message, name: error.name };
}

/**
 * The value that was encoded. Throws UserError for text of unknown form, nested too
 * deep, or with a key that could change a prototype.
 */
export function decodeWire(value: unknown, depth = 0): unknown {
  if (depth > DEEPEST) throw unreadable("it is nested too deep");
  if (typeof value !== "object" || value === null) return value;
  const inner = (one: unknown) => decodeWire(one, depth + 1);
  if (Array.isArray(value)) return value.map(inner);
  if (Object.hasOwn(value, TAG)) return decodeTagged(value as Tagged, inner);
  return objectOf(Object.entries(value).map(([key, one]) => [key, inner(one)]));
}

function decodeTagged(tagged: Tagged, inner: (one: unknown) => unknown): unknown {
  const { v } = tagged;
  switch (tagged[TAG]) {
    case "undefined":
      return undefined;
    case "number":
      if (v === "NaN" || v === "Infinity" || v === "-Infinity" || v === "-0") return Number(v);
      throw unreadable("it has an odd number");
    case "bigint":
      if (typeof v === "string" && /^-?\d{1,1000}$/.test(v)) return BigInt(v);
      throw unreadable("it has an odd bigint");
    case "map":
      return new Map(pairs(v).map(([key, one]) => [inner(key), inner(one)]));
    case "set":
      return new Set(list(v).map(inner));
    case "date":
      return new Date(Number(inner(v)));
    case "bytes":
      return new Uint8Array(Buffer.from(textOf(v), "base64"));
    case "object":
      return objectOf(pairs(v).map(([key, one]) => [textOf(key), inner(one)]));
    case "error":
      return errorOf(tagged, inner);
    default:
      throw unreadable("it has an unknown mark");
  }
}

/** Without ever running the setter of `__proto__`. */
function objectOf(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  if (entries.some(([key]) => key === "__proto__")) throw unreadable('it has a key "__proto__"');
  return Object.fromEntries(entries);
}

function errorOf(tagged: Tagged, inner: (one: unknown) => unknown): Error {
  const message = textOf(tagged["message"]);
  const told = inner(tagged["hint"] ?? { [TAG]: "undefined" });
  const hint = typeof told === "string" ? { hint: told } : {};
  const { kind } = tagged;
  switch (kind) {
    case "mistake":
      return new UserError(message, {
        ...hint,
        mistakes: list(inner(tagged["mistakes"] ?? [])) as readonly Mistake[],
      });
    case "refused":
      return new RefusedError(message, {
        ...hint,
        facts: inner(tagged["facts"] ?? {}) as Readonly<Record<string, unknown>>,
      });
    case "nothing":
      return new NothingError(message, hint);
    case "unreachable":
    case "rejected":
    case "unreadable": {
      const detail = inner(tagged["detail"] ?? { [TAG]: "undefined" });
      return new SchedulerError(kind, message, typeof detail === "string" ? { detail } : {});
    }
    default:
      return Object.assign(new Error(message), { name: textOf(tagged["name"] ?? "Error") });
  }
}

function pairs(value: unknown): [unknown, unknown][] {
  return list(value).map((pair) => {
    if (Array.isArray(pair) && pair.length === 2) return [pair[0], pair[1]];
    throw unreadable("a pair in it has not two parts");
  });
}

function list(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw unreadable("a list in it is none");
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  throw unreadable("a text in it is none");
}

function unreadable(why: string): UserError {
  return new UserError(`Cannot read the body: ${why}`, {
    hint: "Both ends should be the same version of herd",
  });
}
