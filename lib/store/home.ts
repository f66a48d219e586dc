import { realpathSync, statSync } from "node:fs";
import type { BigIntStats } from "node:fs";
import type { Home } from "../sweep/home.ts";
import { workspacePaths } from "./paths.ts";
import type { WorkspacePaths } from "./paths.ts";

/** What a workspace is to the jobs that its journal tells of. */
export type Standing =
  | { kind: "home" }
  /** The same folder under another path; the jobs know only the old one. */
  | { kind: "moved"; from: string }
  /** Another folder than the one that submitted them; `original` when that one is still there. */
  | { kind: "copy"; of: string; original: boolean }
  /** Another folder in the place of the one that submitted them. */
  | { kind: "restored" };

/** Where the workspace is now; undefined when it has no state yet or cannot be looked at. */
export function readHome(paths: Pick<WorkspacePaths, "root" | "state">): Home | undefined {
  const found = look(paths.state);
  try {
    return found && { path: realpathSync(paths.root), inode: `${found.ino}` };
  } catch {
    return undefined;
  }
}

/**
 * Compares where jobs were submitted with where we are. Devices are no help
 * between machines: the same network disk has another number on each.
 */
export function judgeHome(homes: readonly Home[], paths: WorkspacePaths): Standing {
  const here = readHome(paths);
  if (here === undefined) return { kind: "home" };
  let moved: string | undefined;
  for (const { path, inode } of homes) {
    if (path === here.path) {
      if (inode !== here.inode) return { kind: "restored" };
      continue;
    }
    const there = look(workspacePaths(path).state);
    if (inode !== here.inode) {
      return { kind: "copy", of: path, original: there?.ino === BigInt(inode) };
    }
    // One folder can have two names: a bind mount, an automounter's.
    if (there === undefined || there.ino !== BigInt(inode)) moved ??= path;
    // Two file systems may well use the same number.
    else if (there.dev !== look(paths.state)?.dev) {
      return { kind: "copy", of: path, original: true };
    }
  }
  return moved === undefined ? { kind: "home" } : { kind: "moved", from: moved };
}

function look(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}
