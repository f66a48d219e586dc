import type { Listed } from "./listing.ts";

/** A file as it was when it was last fetched. */
export interface Fetched {
  size: number;
  modified: string;
  inode: string;
}

/** What is to be fetched of a file: all of it, or what was written behind `from`. */
export interface Wanted {
  file: Listed;
  /** Bytes that are here already and stay. */
  from: number;
  length: number;
}

/** A smaller file is fetched whole where it is not known what of it is here. */
const SMALL = 1024 * 1024;
/** Of one file in one round: a log of gigabytes keeps nothing else waiting. */
const MOST_OF_ONE = 8 * 1024 * 1024;

/** Endings are heard first, then values, then logs. */
const ORDER = ["events", "results", "logs"];

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

function ofOne(
  file: Listed,
  known: Fetched | undefined,
  here: number | undefined,
): Wanted | undefined {
  const has = known?.size === here ? known : undefined;
  if (has?.inode === file.inode) {
    if (has.size < file.size) return part(file, has.size);
    if (has.size > file.size) return part(file, 0);
    // A heartbeat only touches the record; whatever else was touched may have been rewritten.
    return has.modified === file.modified || isRecord(file) ? undefined : part(file, 0);
  }
  // herd ended before it wrote down what it had fetched: what is large is taken for its beginning.
  const isBeginning = known === undefined && here !== undefined && here <= file.size &&
    here > SMALL;
  return part(file, isBeginning ? here : 0);
}

function part(file: Listed, from: number): Wanted {
  return { file, from, length: Math.min(file.size - from, MOST_OF_ONE) };
}

export function isRecord({ path }: Listed): boolean {
  return path.startsWith("events/");
}

function rankOf({ file }: Wanted): number {
  return ORDER.indexOf(file.path.slice(0, file.path.indexOf("/")));
}
