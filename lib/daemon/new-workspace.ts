import { Buffer } from "node:buffer";
import { accessSync, constants, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { Stats } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UserError } from "../base/errors.ts";
import { codeOf, replaceFile } from "../base/files.ts";
import { emptyWorkspace, reasonOf, refuseUnsafePath } from "../store/workspace.ts";

const GIVE_ANOTHER = "Give a folder in which you may write";

/** A file of a new workspace. */
export interface NewFile {
  path: string;
  text: string | Uint8Array;
  /** Before the umask. */
  mode: number;
}

/** The file to copy from, and what it holds. Throws UserError when it cannot be read. */
export function readSource(path: string): { bytes: Uint8Array; mode: number } {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) throw new UserError(`Cannot copy "${path}": it is not a file`);
    return { bytes: readFileSync(path), mode: stats.mode & 0o777 };
  } catch (error) {
    if (error instanceof UserError) throw error;
    const state = codeOf(error) === "ENOENT" ? "there is no such file" : codeOf(error);
    throw new UserError(`Cannot copy "${path}": ${state}`, { cause: error });
  }
}

/** The folder that an argument names. Throws UserError for an empty one. */
export function folderFor(argument: string, cwd: string): string {
  if (argument === "") throw emptyWorkspace();
  return resolve(cwd, argument);
}

/** Throws UserError for whatever would keep the files from being written; writes nothing. */
export function checkNewWorkspace(
  directory: string,
  files: readonly { path: string }[],
  { force }: { force: boolean },
): void {
  refuseUnsafePath(directory);
  const found = statOf(directory);
  if (found !== undefined && !found.isDirectory()) {
    throw new UserError(`Cannot make a workspace of "${directory}": it is a file`, {
      hint: "Give a folder; it is made when it does not exist",
    });
  }
  checkWritable(directory);
  const there = files.filter(({ path }) => statOf(path) !== undefined);
  const folder = there.find(({ path }) => statSync(path).isDirectory());
  if (folder !== undefined) {
    throw new UserError(`Cannot write "${folder.path}": it is a folder`);
  }
  if (force || there.length === 0) return;
  throw new UserError(
    `Cannot write ${there.map(({ path }) => `"${path}"`).join(" and ")}: already there`,
    { hint: "--force replaces them and keeps the old ones; another folder keeps both" },
  );
}

/**
 * Writes the files, each as a whole. What they replace is kept beside them; gives
 * back under which names. Throws UserError where the system does not let us.
 */
export function writeNewWorkspace(directory: string, files: readonly NewFile[]): string[] {
  orUserError(`Cannot make the folder "${directory}"`, () => makeFolder(directory));
  return files.flatMap((file) =>
    orUserError(`Cannot write "${file.path}"`, () => writeNewFile(file))
  );
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    // So answer /proc and automounters: the folder above is there, and takes no new one.
    throw new UserError(`Cannot make the folder "${path}": no folder can be made there`, {
      hint: GIVE_ANOTHER,
      cause: error,
    });
  }
}

/** What it replaced is kept under the name that is given back. */
function writeNewFile({ path, text, mode }: NewFile): string[] {
  makeFolder(dirname(path));
  const differs = statOf(path) !== undefined && !readFileSync(path).equals(Buffer.from(text));
  const kept = differs ? [keep(path)] : [];
  replaceFile(path, text, mode);
  return kept;
}

function orUserError<T>(cannot: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${cannot}: ${reasonOf(error)}`, { hint: GIVE_ANOTHER, cause: error });
  }
}

/** Copies a file to a name that is free, so that the file itself is there at every moment. */
function keep(path: string): string {
  for (let n = 1;; n++) {
    const copy = `${path}.before-init${n === 1 ? "" : `-${n}`}`;
    try {
      writeFileSync(copy, readFileSync(path), { flag: "wx", mode: statSync(path).mode & 0o777 });
      return copy;
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
  }
}

/** Whether a sweep lives in the folder already. */
export function isWorkspace(directory: string): boolean {
  return statOf(join(directory, "hyperherd.yaml"))?.isFile() ?? false;
}

/** The folder, or the nearest one above it that exists, must take new files. */
function checkWritable(directory: string): void {
  let folder = directory;
  while (statOf(folder) === undefined && dirname(folder) !== folder) {
    folder = dirname(folder);
  }
  if (!statSync(folder).isDirectory()) {
    throw new UserError(`Cannot make "${directory}": "${folder}" is a file`);
  }
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new UserError(`Cannot write into "${folder}": ${reasonOf(error)}`, { cause: error });
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}
