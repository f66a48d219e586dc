import type { Listed } from "./listing.ts";

/** A file as it was when it was last fetched. */
export interface Fetched {
  /** Bytes at the beginning of the copy that other places wrote before; none when absent. */
  base?: number;
  /** Of the file there. */
  size: number;
  modified: string;
  inode: string;
}

/** What is to be fetched of a file: all of it, or what was written behind `from`. */
export interface Wanted {
  file: Listed;
  /** Bytes at the beginning of the copy that are not of this file, and stay. */
  base: number;
  /** Bytes behind them that are here already and stay, if they are what the file begins with. */
  from: number;
  length: number;
}

/** Of one file at a time: a log of gigabytes keeps nothing else waiting. */
const MOST_OF_ONE = 8 * 1024 * 1024;

/** Endings are heard first, then values, then logs. */
const ORDER = ["events", "results", "logs"];

/** In `results` these grow at their end; everything else there is written anew as a whole. */
const GROWING = /\.(jsonl|csv|tsv|txt|log)$/;

/**
 * What to fetch of the files that were listed. Records and logs grow at their end; a file that is
 * shorter than before, or another one under the same name, is fetched anew. `sizeHere`: of the copy.
 */
export function wantedOf(
  listed: readonly Listed[],
  known: ReadonlyMap<string, Fetched>,
  sizeHere: (path: string) => number | undefined,
): Wanted[] {
  return listed.flatMap((file) => {
    const wanted = ofOne(file, known.get(file.path), sizeHere(file.path));
    return wanted === undefined ? [] : [wanted];
  }).sort((a, b) => rankOf(a) - rankOf(b));
}

/** A file from its beginning, whatever of it was thought to be here behind the first `base` bytes. */
export function anew(file: Listed, base: number): Wanted {
  return part(file, base, 0);
}

function ofOne(
  file: Listed,
  known: Fetched | undefined,
  size: number | undefined,
): Wanted | undefined {
  // A copy that lost what other places wrote is one of this place alone.
  const base = size === undefined || size < (known?.base ?? 0) ? 0 : known?.base ?? 0;
  const here = size === undefined ? undefined : size - base;
  const isSame = known?.inode === file.inode && here !== undefined;
  if (isSame && here === known.size && known.size === file.size) {
    // A heartbeat only touches the record; whatever else was touched may have been rewritten.
    return known.modified === file.modified || isRecord(file) ? undefined : anew(file, base);
  }
  const isUnderWay = isSame && known.modified === file.modified;
  if (here === undefined || !(isUnderWay || grows(file))) return anew(file, 0);
  // More is here than is known where herd was killed before it wrote that down.
  const from = known === undefined ? here : isSame && here >= known.size ? known.size : 0;
  if (from <= file.size) return part(file, base, from);
  return anew(file, known === undefined ? here : base);
}

function part(file: Listed, base: number, from: number): Wanted {
  return { file, base, from, length: Math.min(file.size - from, MOST_OF_ONE) };
}

/** Whether jobs only add to it. */
export function grows({ path }: Pick<Listed, "path">): boolean {
  return !path.startsWith("results/") || GROWING.test(path);
}

export function isRecord({ path }: Listed): boolean {
  return path.startsWith("events/");
}

function rankOf({ file }: Wanted): number {
  return ORDER.indexOf(file.path.slice(0, file.path.indexOf("/")));
}
