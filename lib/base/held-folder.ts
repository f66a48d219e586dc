import { closeSync, constants, mkdirSync, openSync } from "node:fs";
import { codeOf } from "./files.ts";

/** A folder that is held open: nobody can put another one, or a link, in its place. */
export interface HeldFolder {
  /** A path that leads into it, whatever happens to its name. */
  base: string;
  [Symbol.dispose](): void;
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY;

/**
 * Opens the folder `name` directly below `root`; a link in its place makes it fail. Undefined when
 * there is none and it is not to be made.
 */
export function holdFolder(
  root: string,
  name: string,
  { create = false }: { create?: boolean } = {},
): HeldFolder | undefined {
  const above = openSync(root, FOLDER);
  try {
    // Linux opens a path through /proc/self/fd as openat would: relative to the open folder.
    const path = `/proc/self/fd/${above}/${name}`;
    if (create) makeFolder(path);
    const fd = openSync(path, FOLDER | constants.O_NOFOLLOW);
    return { base: `/proc/self/fd/${fd}`, [Symbol.dispose]: () => closeSync(fd) };
  } catch (error) {
    if (codeOf(error) === "ENOENT" && !create) return undefined;
    throw error;
  } finally {
    closeSync(above);
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, 0o755);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}
