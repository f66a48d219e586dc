import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, realpathSync, rmSync, statSync } from "node:fs";
import { constants } from "node:fs";
import { codeOf, replaceFile } from "../base/files.ts";
import { diskError } from "./disk-error.ts";
import type { WorkspacePaths } from "./paths.ts";

export interface UserPrompt {
  /** At most 64 KiB of it. */
  text: string;
  /** Hex, of the whole file. */
  sha256: string;
  /** The file is longer than `text`. */
  cut: boolean;
}

/** MONITOR_PLAN.md and PROMPT.md of a workspace: files that people edit while herd runs. */
export interface MonitorFiles {
  /** Undefined when there is none: then the interview is due. Throws when it is there and cannot be read. */
  readPlan(): string | undefined;
  /** By rename: a reader sees the old plan or the new one. Throws UserError when the disk refuses. */
  writePlan(text: string): void;
  /** So that the interview is held again. */
  removePlan(): void;
  readPrompt(): UserPrompt | undefined;
  writePrompt(text: string): void;
  /** Keeps the hash beside the journal's, for HyperHerd. */
  writeAcknowledged(sha256: string): void;
}

const MOST_TEXT_BYTES = 64 * 1024;
/** Whoever drops a model checkpoint under this name did not mean it as a prompt. */
const MOST_FILE_BYTES = 16 * 1024 * 1024;

export function createMonitorFiles(
  { paths }: { paths: Pick<WorkspacePaths, "monitorPlan" | "prompt" | "userPromptHash"> },
): MonitorFiles {
  return {
    readPlan: () => {
      const bytes = readRegular(paths.monitorPlan);
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    },
    writePlan: (text) => replaceForPeople(paths.monitorPlan, text, 0o600),
    removePlan: () => rmSync(paths.monitorPlan, { force: true }),
    readPrompt: () => {
      const bytes = readRegular(paths.prompt);
      if (bytes === undefined) return undefined;
      return {
        // Cut characters at the end become one sign, which is left out.
        text: new TextDecoder().decode(bytes.subarray(0, MOST_TEXT_BYTES)).replace(
          bytes.length > MOST_TEXT_BYTES ? /\uFFFD+$/ : /(?!)/,
          "",
        ),
        sha256: createHash("sha256").update(bytes).digest("hex"),
        cut: bytes.length > MOST_TEXT_BYTES,
      };
    },
    writePrompt: (text) => replaceForPeople(paths.prompt, text, 0o644),
    writeAcknowledged: (sha256) => replaceForPeople(paths.userPromptHash, sha256, 0o600),
  };
}

/** Undefined for no file and for what is none: a named pipe would hold the daemon for ever. */
function readRegular(path: string): Uint8Array | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR", "ENXIO"].includes(codeOf(error) ?? "")) return undefined;
    throw diskError(error, `Cannot read "${path}"`);
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return undefined;
    const bytes = new Uint8Array(Math.min(stat.size, MOST_FILE_BYTES));
    let filled = 0;
    while (filled < bytes.length) {
      const got = readSync(file, bytes, filled, bytes.length - filled, filled);
      // Cut while we read it.
      if (got === 0) break;
      filled += got;
    }
    return bytes.subarray(0, filled);
  } finally {
    closeSync(file);
  }
}

/** People's links and modes stay: the file behind a link is replaced, not the link. */
function replaceForPeople(path: string, text: string, mode: number): void {
  try {
    const target = whereIs(path);
    replaceFile(target, text, modeOf(target) ?? mode);
  } catch (error) {
    throw diskError(error, `Cannot write "${path}"`);
  }
}

function whereIs(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function modeOf(path: string): number | undefined {
  try {
    return statSync(path).mode & 0o777;
  } catch {
    return undefined;
  }
}
