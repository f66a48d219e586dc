import { type Mistake, UserError } from "../base/errors.ts";
import type { Notice } from "./config.ts";

/** A place in the configuration: line and column count from 1. */
export interface Spot {
  line: number;
  column: number;
  /** Such as `slurm.mem` or `conditions[2].when`; empty for the whole file. */
  path: string;
}

/** Gathers what is wrong and what is worth saying, so that a user sees all of it at once. */
export interface Report {
  /** Always undefined: `return report.mistake(...)` gives "could not be read". */
  mistake(at: Spot, message: string, hint?: string): undefined;
  /** Notices that share `once` are said once in a file. */
  notice(at: Spot, message: string, once?: string): void;
  /** An unknown key stands in the mapping at `path` where this one was meant. */
  misspelt(path: string, key: string): void;
  /** Then nothing is to be said of its absence. */
  isMisspelt(path: string, key: string): boolean;
  /** How messages call the file. */
  readonly file: string;
  /** In the order of the file. */
  notices(): readonly Notice[];
  /** Throws one UserError with every mistake, in the order of the file, if there is one. */
  settle(): void;
}

export function createReport(file: string): Report {
  const mistakes = new Map<string, Mistake & Spot>();
  const notices = new Map<string, Notice & Spot>();
  const misspelt = new Set<string>();
  return {
    file,
    mistake(at, message, hint) {
      const { line, column, path } = at;
      const key = keyOf(at, message);
      if (mistakes.has(key)) return;
      mistakes.set(
        key,
        {
          file,
          line,
          column,
          ...(path === "" ? {} : { path }),
          message,
          ...(hint === undefined ? {} : { hint }),
        } as Mistake & Spot,
      );
    },
    misspelt: (path, key) => void misspelt.add(`${path}\n${key}`),
    isMisspelt: (path, key) => misspelt.has(`${path}\n${key}`),
    notice(at, message, once) {
      const { line, column, path } = at;
      const key = once ?? keyOf(at, message);
      if (!notices.has(key)) notices.set(key, { message, line, column, path });
    },
    notices: () => [...notices.values()].sort(byPlace),
    settle() {
      const all = [...mistakes.values()].sort(byPlace);
      const first = all[0];
      if (first === undefined) return;
      if (all.length > 1) {
        throw new UserError(`Cannot use "${file}": found ${all.length} mistakes`, {
          mistakes: all,
        });
      }
      throw new UserError(`${file}:${first.line}:${first.column}: ${first.message}`, {
        ...(first.hint === undefined ? {} : { hint: first.hint }),
        mistakes: all,
      });
    },
  };
}

/** An anchor that is used twice is read twice, under two paths; what is wrong with it is one thing. */
function keyOf({ line, column, path }: Spot, message: string): string {
  return `${line}:${column}:${path === "" ? message : message.replaceAll(path, "")}`;
}

function byPlace(a: Spot, b: Spot): number {
  return a.line - b.line || a.column - b.column;
}
