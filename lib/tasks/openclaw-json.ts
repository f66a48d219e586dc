/** An object of a file that somebody else wrote: nothing in it is sure. */
export type Json = Readonly<Record<string, unknown>>;

/** Empty when there is none. */
export function recordAt(owner: Json, key: string): Json {
  const value = Object.hasOwn(owner, key) ? owner[key] : undefined;
  return isRecord(value) ? value : {};
}

export function listAt(owner: Json, key: string): readonly unknown[] {
  const value = Object.hasOwn(owner, key) ? owner[key] : undefined;
  return Array.isArray(value) ? value : [];
}

/** One line of text. */
export function textAt(owner: Json, key: string): string | undefined {
  const value = Object.hasOwn(owner, key) ? owner[key] : undefined;
  return typeof value === "string" && value !== "" && value.length <= 1000 &&
      !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(value)
    ? value
    : undefined;
}

export function numberAt(owner: Json, key: string): number | undefined {
  const value = Object.hasOwn(owner, key) ? owner[key] : undefined;
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

export function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
