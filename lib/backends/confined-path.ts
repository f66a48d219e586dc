import { closeSync, constants, mkdirSync, openSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { UserError } from "../base/errors.ts";
import { codeOf } from "../base/files.ts";

/** Where files may be reached. */
export interface Place {
  /** As it was given; what people and models call it. */
  folder: string;
  /** The same without symlinks. */
  root: string;
  /** No confinement: any path of the account's. */
  anywhere: boolean;
}

/** A folder that is held open, so that nobody can put another one in its place. */
export interface OpenFolder {
  /** A path that leads into it, whatever happens to its name. */
  base: string;
  [Symbol.dispose](): void;
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

export function placeIn(folder: string, anywhere = false): Place {
  return { folder, root: realpathSync(folder), anywhere };
}

/**
 * The real path that `path` names, symlinks followed; its last parts need not exist. A path that
 * leads out of the place is a UserError. What was true here may be untrue when the path is used:
 * `openFolder` looks again.
 */
export function resolveIn(place: Place, path: string): string {
  if (path.includes("\0") || path === "") {
    throw new UserError(`Cannot use path ${JSON.stringify(path)}: it is empty or holds NUL`);
  }
  const named = isAbsolute(path) ? throughRoot(place, path) : resolve(place.root, path);
  const real = place.anywhere || isWithin(place.root, named) ? realOf(named) : named;
  if (!place.anywhere && !isWithin(place.root, real)) {
    throw new UserError(
      `Cannot reach ${JSON.stringify(path)}: it is outside the task's folder, ` +
        "and the sandbox allows only paths within it",
    );
  }
  return real;
}

/** The folder itself may stand behind a symlink: both of its names are right. */
function throughRoot({ folder, root }: Place, path: string): string {
  const plain = resolve(path);
  return isWithin(folder, plain) ? join(root, relative(folder, plain)) : plain;
}

function realOf(path: string): string {
  const missing: string[] = [];
  for (let at = path;;) {
    try {
      return join(realpathSync(at), ...missing);
    } catch (error) {
      const up = dirname(at);
      if (codeOf(error) !== "ENOENT" || up === at) throw error;
      missing.unshift(basename(at));
      at = up;
    }
  }
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || (!isAbsolute(way) && way !== ".." && !way.startsWith("../"));
}

/**
 * Opens a folder by a real path, step by step from the root without following symlinks: a part that
 * was swapped for one since `resolveIn` makes it fail. `create` makes the missing ones.
 */
export function openFolder(
  place: Place,
  real: string,
  { create = false }: { create?: boolean } = {},
): OpenFolder {
  if (place.anywhere) {
    if (create) mkdirSync(real, { recursive: true });
    return { base: real, [Symbol.dispose]() {} };
  }
  let fd = openSync(place.root, FOLDER);
  try {
    for (const part of relative(place.root, real).split("/")) {
      if (part === "") continue;
      const next = step(fd, part, create);
      closeSync(fd);
      fd = next;
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { base: `/proc/self/fd/${fd}`, [Symbol.dispose]: () => closeSync(fd) };
}

function step(fd: number, part: string, create: boolean): number {
  // Linux opens a path through /proc/self/fd as openat would: relative to the open folder.
  const path = `/proc/self/fd/${fd}/${part}`;
  try {
    return openSync(path, FOLDER);
  } catch (error) {
    if (!create || codeOf(error) !== "ENOENT") throw error;
  }
  try {
    mkdirSync(path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
  return openSync(path, FOLDER);
}
