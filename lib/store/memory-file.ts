import { randomBytes } from "node:crypto";
import { readIfThere, replaceFile } from "../base/files.ts";

export interface MemoryFileParts<R> {
  path: string;
  /** What the text says; throws for what cannot be used. */
  parse(value: unknown): R;
  /** As it begins, and where the file cannot be read. */
  fresh: R;
  /** What is done when it cannot be read: `… are looked for anew`. */
  otherwise: string;
  onProblem(message: string, error: unknown): void;
}

/** A peripheral's notes: facts are the journal's, what is lost here is found again or said twice. */
export interface MemoryFile<R> {
  read(): R;
  /**
   * On disk when this returns. On a full or failing disk it is kept in memory, told once, and
   * written with the next change.
   */
  write(change: { [K in keyof R]?: R[K] | undefined }): void;
}

export function openMemoryFile<R extends object>(parts: MemoryFileParts<R>): MemoryFile<R> {
  const { path, onProblem } = parts;
  let record = readRecord(parts);
  let failing = false;
  return {
    read: () => record,
    write(change) {
      record = { ...record, ...change } as R;
      try {
        replaceFile(path, `${JSON.stringify(record, null, 2)}\n`, 0o600);
        failing = false;
      } catch (error) {
        if (!failing) {
          onProblem(`Cannot write "${path}": a restart may post some things again`, error);
        }
        failing = true;
      }
    },
  };
}

/** Tells what is one's own on Discord from that of a namesake. */
export function newMark(): string {
  return BigInt(`0x${randomBytes(7).toString("hex")}`).toString(36);
}

function readRecord<R>({ path, parse, fresh, otherwise, onProblem }: MemoryFileParts<R>): R {
  try {
    const text = readIfThere(path);
    return text === undefined ? fresh : parse(JSON.parse(text));
  } catch (error) {
    onProblem(`Cannot read "${path}": ${otherwise}`, error);
    return fresh;
  }
}
