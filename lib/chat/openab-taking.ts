import { UserError } from "../base/errors.ts";
import { isRecord, type Json } from "./openab-source.ts";

const ID = /^\d{1,20}$/;
const VARIABLE = /\$\{[A-Za-z_]\w*\}/;

/**
 * Takes settings out of a section one by one. What nobody took is told at the end, by its key: a
 * value may be a secret.
 */
export interface Taking {
  text(key: string): string | undefined;
  number(key: string, range: { least: number; most: number }): number | undefined;
  yes(key: string): boolean | undefined;
  /** Ids as text; throws UserError for one that has lost digits, or is none. */
  ids(key: string): string[];
  texts(key: string): string[];
  section(key: string): Taking;
  list(key: string): Taking[];
  has(key: string): boolean;
  /** Taken, whatever it is. */
  skip(key: string): void;
  /** Paths of what is left. */
  left(): string[];
}

/** `path`: how messages call the section. */
export function createTaking(owner: Json, path: string, bot: string): Taking {
  const taken = new Set<string>();
  const inner: Taking[] = [];
  const at = (key: string) => path === "" ? key : `${path}.${key}`;
  const take = (key: string) => {
    taken.add(key);
    return Object.hasOwn(owner, key) ? owner[key] : undefined;
  };
  const wrong = (key: string, expected: string, hint?: string): never => {
    throw new UserError(
      `Cannot import "${at(key)}" of "${bot}": expected ${expected}`,
      hint === undefined ? {} : { hint },
    );
  };

  function id(key: string, value: unknown): string {
    if (typeof value === "bigint" || Number.isSafeInteger(value)) return `${value}`;
    if (typeof value === "number") {
      return wrong(
        key,
        "ids in quotes",
        "Its last digits may be lost: copy it from Discord and quote it",
      );
    }
    const text = typeof value === "string" ? value.trim() : "";
    return ID.test(text) || VARIABLE.test(text)
      ? text
      : wrong(key, 'ids such as "1234567890123456789"');
  }

  function listAt(key: string): readonly unknown[] {
    const value = take(key);
    if (value === undefined || value === null) return [];
    return Array.isArray(value) ? value : wrong(key, "a list");
  }

  function below(key: string, value: unknown): Taking {
    const one = createTaking(isRecord(value) ? value : {}, key, bot);
    inner.push(one);
    return one;
  }

  return {
    text(key) {
      const value = take(key);
      if (value === undefined || value === null || value === "") return undefined;
      return typeof value === "string" ? value : wrong(key, "a text");
    },
    number(key, { least, most }) {
      const value = take(key);
      if (value === undefined || value === null) return undefined;
      return typeof value === "number" && value >= least && value <= most
        ? value
        : wrong(key, `a number from ${least} to ${most}`);
    },
    yes(key) {
      const value = take(key);
      if (value === undefined || value === null) return undefined;
      return typeof value === "boolean" ? value : wrong(key, "true or false");
    },
    ids: (key) => listAt(key).map((value) => id(key, value)),
    texts: (key) =>
      listAt(key).map((value) => typeof value === "string" ? value : wrong(key, "a list of texts")),
    section: (key) => below(at(key), take(key)),
    list: (key) => listAt(key).map((value, i) => below(`${at(key)}[${i}]`, value)),
    has: (key) => Object.hasOwn(owner, key) && owner[key] !== null,
    skip: (key) => void take(key),
    left: () => [
      ...Object.keys(owner).filter((key) => !taken.has(key)).map(at),
      ...inner.flatMap((one) => one.left()),
    ],
  };
}

export function hasVariable(text: string): boolean {
  return VARIABLE.test(text);
}
