import { readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "../base/files.ts";
import type { LocalFile } from "./choose-files.ts";

/** What herd itself writes for jobs: their scripts and tables, and what running ones are told. */
export interface WaitingFiles {
  files: readonly LocalFile[];
  /** Where jobs write; they do not make them. */
  folders: readonly string[];
}

/** `state`: the workspace's `.hyperherd`. */
export function waitingFiles(state: string): WaitingFiles {
  const submissions = namesIn(join(state, "submissions"));
  const files = [
    ...submissions.flatMap((id) =>
      namesIn(join(state, "submissions", id)).map((name) => `submissions/${id}/${name}`)
    ),
    ...namesIn(join(state, "results")).map((trial) => `results/${trial}/_signal`),
  ].flatMap((path) => fileAt(state, path));
  const folders = ["events", "logs", "results", ...submissions.map((id) => `events/${id}`)];
  return { files, folders: folders.map((name) => `.hyperherd/${name}`) };
}

function fileAt(state: string, path: string): LocalFile[] {
  const stats = statOf(join(state, path));
  if (stats?.isFile() !== true) return [];
  const { size, mode, mtimeMs, ino } = stats;
  return [{
    path: `.hyperherd/${path}`,
    size,
    mode: mode & 0o777,
    stamp: `${ino} ${size} ${mtimeMs}`,
  }];
}

/** Undefined also below a file: beside a trial's folder of results lies its `0.json`. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return [];
    throw error;
  }
}
