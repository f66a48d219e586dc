import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
} from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { RefusedError } from "../base/errors.ts";
import { codeOf, replaceFile, syncDirectory } from "../base/files.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import { readSweepFile } from "./sweep-file.ts";

/** Larger ones are no configuration and no launcher. Bytes. */
const MOST_BYTES = 256 * 1024;

export interface Changeable {
  /** Its last part, by which a proposal names it. */
  name: string;
  path: string;
  text: string;
}

/** The YAML and the launcher, as far as an agent may propose a change of them, with their texts. */
export function changeableFiles(
  paths: Pick<WorkspacePaths, "root" | "config">,
  launcher: string | undefined,
): Changeable[] {
  const found: Changeable[] = [];
  const all = [paths.config, ...launcher ? [resolve(paths.root, launcher)] : []];
  for (const path of all) {
    const name = basename(path);
    if (found.some((one) => one.name === name)) continue;
    const text = readPlain(paths.root, path);
    if (typeof text === "string") found.push({ name, path, text });
  }
  return found;
}

/** The one of them that has this name, as it is now. Throws RefusedError. */
export function changeableFile(
  paths: Pick<WorkspacePaths, "root" | "config">,
  name: string,
): Changeable {
  const path = name === basename(paths.config) ? paths.config : launcherPath(paths, name);
  if (path === undefined) {
    throw new RefusedError(`Cannot change "${name}": it is neither the YAML nor the launcher`);
  }
  const text = readPlain(paths.root, path);
  if (typeof text === "string") return { name, path, text };
  throw new RefusedError(`Cannot change "${name}": ${text.refused}`);
}

function launcherPath(
  paths: Pick<WorkspacePaths, "root" | "config">,
  name: string,
): string | undefined {
  const path = resolve(paths.root, readSweepFile(paths.config).config.launcher);
  return basename(path) === name ? path : undefined;
}

/** Never through a link, and nothing outside of the workspace: whoever agrees sees a name only. */
function readPlain(root: string, path: string): string | { refused: string } {
  try {
    const real = realpathSync(path);
    const inside = relative(realpathSync(root), real);
    if (lstatSync(path).isSymbolicLink()) return { refused: "it is a link" };
    if (inside === "" || inside.startsWith("..") || resolve(inside) === inside) {
      return { refused: "it is not in the workspace" };
    }
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const stats = fstatSync(file);
      if (!stats.isFile()) return { refused: "it is no plain file" };
      if (stats.size > MOST_BYTES) return { refused: `it has ${stats.size} bytes` };
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
        .decode(readFileSync(file));
      return text.includes("\0") ? { refused: "it is no text" } : text;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return { refused: codeOf(error) ?? "it is no text in UTF-8" };
  }
}

/** Writes it anew with its mode. Throws RefusedError, and what the disk says. */
export function replaceChangeable(
  paths: Pick<WorkspacePaths, "root" | "config">,
  name: string,
  text: string,
): void {
  const { path } = changeableFile(paths, name);
  replaceFile(path, text, lstatSync(path).mode & 0o777);
}

/** Where the files are kept as they were before a change. */
export function changeFolder({ state }: Pick<WorkspacePaths, "state">, change: string): string {
  return join(state, "changes", change);
}

/** `.hyperherd/changes/<change>/<name>`; what is kept there is never written over. */
export function keepBackup(
  { state }: Pick<WorkspacePaths, "state">,
  change: string,
  name: string,
  text: string,
): string {
  const folder = changeFolder({ state }, change);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (let n = 0;; n++) {
    const path = join(folder, n === 0 ? name : `${name}.${n}`);
    const kept = readIfPlain(path);
    if (kept === text) return path;
    if (kept !== undefined) continue;
    replaceFile(path, text, 0o600);
    syncDirectory(folder);
    return path;
  }
}

function readIfPlain(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
