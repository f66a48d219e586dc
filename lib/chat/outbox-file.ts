import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from "node:fs";

/** A regular file with one name. `mark` changes when it is written to. */
export type Found = { mark: string; bytes: number; inode: bigint };

/** What is there, or why it may not be sent; undefined when it went away meanwhile. */
export function sightFile(path: string): Found | { no: string } | undefined {
  const state = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  if (state === undefined) return undefined;
  if (state.isSymbolicLink()) return { no: "it is a link; copy the file itself" };
  if (state.isDirectory()) return { no: "it is a folder; pack it into one file" };
  if (!state.isFile()) return { no: "it is not a regular file" };
  // A second name may be that of a file outside, which the agent could not read itself.
  if (state.nlink > 1n) return { no: "it has a second name elsewhere; copy the file" };
  const mark = `${state.ino} ${state.size} ${state.mtimeNs}`;
  return { mark, bytes: Number(state.size), inode: state.ino };
}

/** The content of exactly the file that was seen; undefined when it is another or changes. */
export function readFound(path: string, { bytes, inode }: Found): Uint8Array | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const state = fstatSync(file, { bigint: true });
    if (!state.isFile() || state.ino !== inode || state.nlink > 1n) return undefined;
    const content = new Uint8Array(bytes + 1);
    let at = 0;
    for (let got = 1; got > 0 && at < content.length; at += got) {
      got = readSync(file, content, at, content.length - at, null);
    }
    return at === bytes ? content.subarray(0, bytes) : undefined;
  } finally {
    closeSync(file);
  }
}
