import { lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
import type { Stats } from "node:fs";
import { join, matchesGlob, relative, sep } from "node:path";
import { codeOf } from "../base/files.ts";
import { count } from "../base/text.ts";
import { MirrorError } from "./mirror-error.ts";

/** A file of the workspace that goes to the host. */
export interface LocalFile {
  /** Below the workspace, with `/`. */
  path: string;
  size: number;
  /** Changes whenever the file is written to. */
  stamp: string;
  /** Permission bits. */
  mode: number;
}

export interface FilesWish {
  /** The YAML, the launcher and the like: an error where one is missing. */
  needed: readonly string[];
  /** The list `sync` of the YAML. */
  patterns: readonly string[];
}

export interface ChosenFiles {
  files: readonly LocalFile[];
  /** What was left out although it was named. */
  notices: readonly string[];
}

/** Left out of folders; who wants one of them names it. */
const USUAL = new Set([
  ".git",
  ".hyperherd",
  ".env",
  ".venv",
  "node_modules",
  "__pycache__",
  ".ipynb_checkpoints",
  ".mypy_cache",
  ".pytest_cache",
  ".DS_Store",
]);
/** herd's own files, and secrets: never, whatever is named. */
const STAYS = new Set([".hyperherd", ".env"]);

const MOST_FILES = 20_000;
const MOST_BYTES = 2 * 1024 ** 3;

/**
 * The files that a sweep's jobs need, each once, in the order of their paths. A link is sent as what
 * it leads to, within the workspace only. Throws MirrorError where a needed one, or anything that a
 * pattern without `*` names, is missing, and where it is more than a home folder should get.
 */
export function chooseFiles(root: string, { needed, patterns }: FilesWish): ChosenFiles {
  const out = patterns.flatMap((one) => one.startsWith("!") ? [one.slice(1)] : []);
  const wanted = patterns.filter((one) => !one.startsWith("!"));
  const found = new Map<string, LocalFile>();
  const notices: string[] = [];
  const isOut = (path: string) =>
    out.some((one) => path === one || path.startsWith(`${one}/`) || matchesGlob(path, one));

  function add(path: string, isNamed: boolean): void {
    if (STAYS.has(path.split("/")[0]!)) return;
    const entry = follow(path);
    if (entry === undefined) return;
    if (entry.isDirectory()) {
      for (const name of readdirSync(join(root, path)).toSorted()) {
        const below = `${path}/${name}`;
        if (isUnnamed(below)) continue;
        if (!USUAL.has(name) && !isOut(below)) add(below, false);
      }
    } else if (entry.isFile()) keep(path, entry);
    else if (isNamed) notices.push(`"${path}" is neither a file nor a folder, and is not sent`);
  }

  /** Node gives a sign in place of bytes that are no UTF-8: by that name nothing can be opened. */
  function isUnnamed(path: string): boolean {
    const isLost = path.includes("\uFFFD") && !isThere(join(root, path));
    if (isLost) notices.push(`The name of "${path}" is no UTF-8: it is not sent`);
    return isLost;
  }

  /** What is there; undefined, with a word, for a link that leads out or nowhere. */
  function follow(path: string): Stats | undefined {
    const whole = join(root, path);
    const own = lstatSync(whole);
    if (!own.isSymbolicLink()) return own;
    const target = realOf(whole);
    const [top = ""] = target === undefined ? [] : relative(realpathSync(root), target).split(sep);
    if (target === undefined) notices.push(`"${path}" is a link to nothing, and is not sent`);
    else if (!target.startsWith(realpathSync(root) + sep)) {
      notices.push(`"${path}" leads out of the workspace to "${target}", and is not sent`);
    } else if (STAYS.has(top)) {
      notices.push(`"${path}" leads to "${top}", which stays here, and is not sent`);
    } else if (statSync(whole).isDirectory()) {
      notices.push(`"${path}" is a link to a folder, and is not sent: name "${target}"`);
    } else return statSync(whole);
    return undefined;
  }

  function keep(path: string, { size, mode, mtimeMs, ino }: Stats): void {
    found.set(path, { path, size, mode: mode & 0o777, stamp: `${ino} ${size} ${mtimeMs}` });
    if (found.size > MOST_FILES) throw tooMuch(found, `more than ${count(MOST_FILES, "file")}`);
  }

  for (const path of needed) {
    if (path.split("/")[0] === "..") throw outside(path);
    if (!isThere(join(root, path))) throw missing(path, "the jobs need it");
    add(path, true);
  }
  for (const pattern of wanted) {
    if (!/[*?[{]/.test(pattern)) {
      if (!isThere(join(root, pattern))) throw missing(pattern, '"sync" names it');
      add(pattern, true);
      continue;
    }
    const before = found.size;
    for (const path of walk(root, fixedPart(pattern))) {
      if (matchesGlob(path, pattern) && !isOut(path) && !isUnnamed(path)) add(path, false);
    }
    if (found.size === before) notices.push(`Nothing new matches "${pattern}" of "sync"`);
  }
  const bytes = [...found.values()].reduce((sum, { size }) => sum + size, 0);
  if (bytes > MOST_BYTES) throw tooMuch(found, `${(bytes / 1024 ** 3).toFixed(1)} GiB`);
  const files = [...found.values()].toSorted((a, b) => a.path < b.path ? -1 : 1);
  return { files, notices };
}

/** The folders of a pattern before its first `*`. */
function fixedPart(pattern: string): string {
  const segments = pattern.split("/");
  const first = segments.findIndex((one) => /[*?[{]/.test(one));
  return segments.slice(0, first).join("/");
}

function* walk(root: string, folder: string): Generator<string> {
  const whole = join(root, folder);
  if (!isThere(whole)) return;
  for (const entry of readdirSync(whole, { withFileTypes: true })) {
    if (USUAL.has(entry.name)) continue;
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* walk(root, path);
    else yield path;
  }
}

function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return false;
    throw error;
  }
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** Where it would go there, something else may be. */
function outside(path: string): MirrorError {
  return new MirrorError("unusable", `Cannot send "${path}": it lies outside the workspace`, {
    hint: "Put it into the folder of the YAML, or name the absolute path that it has on the host",
  });
}

function missing(path: string, why: string): MirrorError {
  return new MirrorError("unusable", `Cannot send "${path}": there is no such file, and ${why}`, {
    hint: "Paths are relative to the folder of the YAML",
  });
}

function tooMuch(found: ReadonlyMap<string, LocalFile>, what: string): MirrorError {
  const sums = new Map<string, number>();
  for (const { path, size } of found.values()) {
    const [top = ""] = path.split("/");
    sums.set(top, (sums.get(top) ?? 0) + size);
  }
  const [largest] = [...sums].toSorted(([, a], [, b]) => b - a);
  return new MirrorError("unusable", `Cannot send the files of "sync": they are ${what}`, {
    hint:
      `The largest is "${largest?.[0]}"; data belongs on the cluster's own disks: leave it out ` +
      `with "!${largest?.[0]}", or name only the code`,
  });
}
