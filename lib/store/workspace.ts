import { lstatSync, mkdirSync, readdirSync, readlinkSync, statSync } from "node:fs";
import type { Stats } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { UserError } from "../base/errors.ts";
import { codeOf } from "../base/files.ts";
import { nearest } from "../base/text.ts";
import { workspacePaths } from "./paths.ts";
import type { WorkspacePaths } from "./paths.ts";

/** Name of the configuration in a workspace that is given as a folder. */
export const CONFIG_NAME = "hyperherd.yaml";

/** Only their owner may look into these; what lies beside them follows the umask and may be shared. */
const PRIVATE = ["lease", "events", "submissions", "local"] as const;
const SHAREABLE = ["results", "logs"] as const;

/**
 * The workspace that an argument names: a folder with `hyperherd.yaml`, or the
 * path of the YAML itself, whatever it is called. Throws UserError saying what
 * was found instead.
 */
export function findWorkspace(argument: string): WorkspacePaths {
  if (argument === "") throw emptyWorkspace();
  const path = resolve(argument);
  refuseUnsafePath(path);
  const found = statOf(path, argument);
  if (found.isFile()) {
    if (!isYaml(path)) throw notYaml(path, argument);
    return workspacePaths(dirname(path), path);
  }
  if (!found.isDirectory()) {
    throw new UserError(
      `Cannot use "${argument}" as a workspace: it is ${kindOf(found)}`,
      { hint: `Give a folder that holds ${CONFIG_NAME}, or the path of the YAML file` },
    );
  }
  const config = join(path, CONFIG_NAME);
  if (isFile(config)) return workspacePaths(path, config);
  const paths = workspacePaths(path, config);
  // The YAML went, by a rename or another branch: what runs must still be seen and stopped.
  const others = yamlIn(path).filter((name) => name !== CONFIG_NAME);
  if (isFile(paths.journal) && others.length === 0) return paths;
  refuseOddConfig(config);
  throw noConfig(path, argument);
}

/** Nobody types it: a script's variable was not set, and that must not mean the current folder. */
export function emptyWorkspace(): UserError {
  return new UserError("Cannot use an empty argument as a workspace", {
    hint: 'Is a variable of a script not set? "." is the current folder',
  });
}

/**
 * Makes the folders that are missing. `.hyperherd` itself is created private
 * (0700); whoever wants to share results opens it with chmod, and then journal,
 * lease and scripts still are private. Existing folders keep their modes.
 */
export function createState(paths: WorkspacePaths): void {
  refuseForeignOwner(paths);
  try {
    mkdirSync(paths.state, { mode: 0o700, recursive: true });
    for (const name of PRIVATE) mkdirSync(paths[name], { mode: 0o700, recursive: true });
    for (const name of SHAREABLE) mkdirSync(paths[name], { recursive: true });
  } catch (error) {
    throw new UserError(`Cannot create "${paths.state}": ${reasonOf(error)}`, {
      hint: "Check the permissions of the folder and the space left for you on its disk",
      cause: error,
    });
  }
}

/**
 * Two accounts in one workspace would race each other's jobs and read each
 * other's secrets, so only its owner (and root) may change it.
 * `uid` is the acting user; undefined where the system has no such notion.
 */
export function refuseForeignOwner(
  paths: WorkspacePaths,
  uid: number | undefined = process.getuid?.(),
): void {
  if (uid === undefined || uid === 0) return;
  for (const path of [paths.state, paths.root]) {
    const owner = ownerOf(path);
    if (owner === undefined) continue;
    if (owner === uid) return;
    throw new UserError(
      `Cannot change workspace "${paths.root}": "${path}" belongs to user ${owner}, you are user ${uid}`,
      { hint: "Copy the YAML and the launcher to a folder of your own and run herd there" },
    );
  }
}

/**
 * Whether the files are this user's own. Not so for root in another's workspace,
 * who may change it, but whose mere look must leave no file behind that its owner cannot replace.
 */
export function isOwn(
  paths: WorkspacePaths,
  uid: number | undefined = process.getuid?.(),
): boolean {
  const owner = ownerOf(paths.state) ?? ownerOf(paths.root);
  return uid === undefined || owner === undefined || owner === uid;
}

/** Such a path would break batch scripts, side tables and terminals, so it is refused before anything is made. */
export function refuseUnsafePath(path: string): void {
  const bad = /[\p{Cc}\u2028\u2029\ufffd]/u.exec(path);
  if (bad === null) return;
  const code = bad[0].codePointAt(0) ?? 0;
  const what = code === 0xfffd
    ? "bytes that are not UTF-8"
    : `the control character ${named(code)}`;
  throw new UserError(`Cannot use workspace ${JSON.stringify(path)}: its path holds ${what}`, {
    hint: "Rename the folder; spaces, quotes, % and letters of any language are fine",
  });
}

function named(code: number): string {
  if (code === 10) return "newline";
  if (code === 9) return "tab";
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

function statOf(path: string, argument: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw new UserError(`Cannot find workspace "${argument}": ${reasonOf(error)}`, {
      hint: codeOf(error) === "ENOENT"
        ? `Create it with "herd init ${argument}", or give a folder that holds ${CONFIG_NAME}`
        : "Check the path and its permissions",
      cause: error,
    });
  }
}

function notYaml(path: string, argument: string): UserError {
  const folder = dirname(path);
  const hint = isFile(join(folder, CONFIG_NAME))
    ? `Give the folder: "${folder}"`
    : `Give a folder that holds ${CONFIG_NAME}, or a file whose name ends in .yaml or .yml`;
  return new UserError(
    `Cannot use "${argument}" as a workspace: "${basename(path)}" is no YAML file`,
    { hint },
  );
}

/** A name that is taken by something else says more than that there is no file. */
function refuseOddConfig(config: string): void {
  const found = lstatSync(config, { throwIfNoEntry: false });
  if (found === undefined) return;
  const hint = `Give the path of the YAML file, or remove what has the name ${CONFIG_NAME}`;
  const what = found.isSymbolicLink() ? linkTo(config) : `${kindOf(found)}, not a file`;
  throw new UserError(`Cannot use "${config}": it is ${what}`, { hint });
}

function linkTo(path: string): string {
  const where = `a link to "${readlinkSync(path)}"`;
  try {
    return `${where}, which is ${kindOf(statSync(path))}, not a file`;
  } catch (error) {
    const why = codeOf(error) === "ENOENT" ? "which does not exist" : reasonOf(error);
    return `${where}, ${why}`;
  }
}

function noConfig(path: string, argument: string): UserError {
  const names = namesIn(path);
  const yaml = yamlIn(path);
  const found = names.length === 0
    ? "the folder is empty"
    : yaml.length === 0
    ? "there is no YAML file in it"
    : `found ${yaml.slice(0, 5).map((name) => `"${name}"`).join(", ")}`;
  const guess = nearest(CONFIG_NAME, yaml) ?? yaml[0];
  const hint = basename(path) === ".hyperherd"
    ? `Give the folder above it: "${dirname(path)}"`
    : guess === undefined
    ? `Create one with "herd init ${argument}"`
    : `Give the file itself: "${join(argument, guess)}"`;
  return new UserError(`Cannot find "${CONFIG_NAME}" in "${argument}": ${found}`, { hint });
}

function yamlIn(path: string): string[] {
  return namesIn(path).filter(isYaml).sort();
}

function isYaml(name: string): boolean {
  return /\.ya?ml$/i.test(name);
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    throw new UserError(`Cannot look into workspace "${path}": ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function ownerOf(path: string): number | undefined {
  try {
    return statSync(path).uid;
  } catch {
    return undefined;
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a folder";
  if (stats.isSocket()) return "a socket";
  if (stats.isFIFO()) return "a named pipe";
  return "a device";
}

/** In words, where the failure is one of the usual ones of files. */
export function reasonOf(error: unknown): string {
  const reasons: Record<string, string> = {
    ENOENT: "there is no such file or folder",
    ENOTDIR: "a part of the path is a file, not a folder",
    EACCES: "permission denied",
    ENAMETOOLONG: "the path is too long",
    ELOOP: "it is a link to itself",
    EISDIR: "it is a folder",
    EEXIST: "a file is in the way",
    EIO: "the disk or network file system failed",
    EPERM: "the system does not permit it",
    ESTALE: "the network file system lost it",
    EROFS: "the file system is read-only",
    ENOSPC: "no space left on the disk",
    EDQUOT: "your disk quota is used up",
  };
  return reasons[codeOf(error) ?? ""] ?? (error as Error).message;
}
