import { statSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../lib/base/errors.ts";

/** What the positionals of `herd tail [WORKSPACE] INDEX` and its like mean. */
export interface SmartWorkspace {
  /** As typed; `.` when it was left out. */
  workspace: string;
  index: number | undefined;
}

/**
 * Reads `[WORKSPACE] [INDEX]`: a lone whole number that is no folder is the
 * index, and the workspace is then the current folder.
 */
export function smartWorkspace(positionals: readonly string[], cwd: string): SmartWorkspace {
  const [first, second] = positionals;
  if (first === undefined) return { workspace: ".", index: undefined };
  if (second !== undefined) return { workspace: first, index: readIndex(second) };
  return isIndex(first, cwd)
    ? { workspace: ".", index: readIndex(first) }
    : { workspace: first, index: undefined };
}

/** Reads `[WORKSPACE] [INDEX...]`: a whole number that comes first and is no folder is an index. */
export function workspaceAndIndices(
  positionals: readonly string[],
  cwd: string,
): { workspace: string; indices: readonly number[] } {
  const [first, ...rest] = positionals;
  if (first === undefined) return { workspace: ".", indices: [] };
  return isIndex(first, cwd)
    ? { workspace: ".", indices: positionals.map(readIndex) }
    : { workspace: first, indices: rest.map(readIndex) };
}

function isIndex(word: string, cwd: string): boolean {
  return /^-?\d+$/.test(word) && !isFolder(resolve(cwd, word));
}

function readIndex(text: string): number {
  const index = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(index)) return index;
  throw new UserError(`Cannot read trial index "${text}": wanted is a whole number of at least 0`, {
    hint: "The workspace comes first, then the index",
  });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
