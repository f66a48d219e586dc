import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, mkdirSync, openSync, readSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { replaceFile } from "../base/files.ts";
import type { MailedFile } from "../tasks/mailbox.ts";
import type { AttemptReport } from "../tasks/task.ts";

/** What one message takes without a boosted server: 10 files, 10 MiB. */
const MOST_FILES = 10;
const MOST_BYTES = 8 * 1024 * 1024;

/** The files of a last word that one message has room for, the first ones first, as they were named. */
export function collectFiles({ folder, files }: AttemptReport): MailedFile[] {
  const found: MailedFile[] = [];
  let room = MOST_BYTES;
  for (const { path, bytes, sha256 } of files) {
    if (found.length === MOST_FILES) break;
    // Discord takes no empty file.
    if (bytes === 0 || bytes > room || !isInside(path)) continue;
    const content = readPlain(join(folder, path), bytes);
    if (content === undefined || digestOf(content) !== sha256) continue;
    room -= bytes;
    found.push({ name: basename(path), bytes: content });
  }
  return found;
}

/**
 * Keeps what a worker sent of an attempt below `folder`: only what its last word names, with that
 * size and content. What Discord calls a file does not matter. Answers how many were kept.
 */
export function keepFiles(
  folder: string,
  { files }: Pick<AttemptReport, "files">,
  mailed: readonly MailedFile[],
): number {
  const byContent = new Map(mailed.map(({ bytes }) => [digestOf(bytes), bytes]));
  let kept = 0;
  for (const { path, bytes, sha256 } of files) {
    const content = byContent.get(sha256);
    if (content === undefined || content.length !== bytes || !isInside(path)) continue;
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    replaceFile(target, content, 0o600);
    kept++;
  }
  return kept;
}

/** A path that somebody else named: it must lead nowhere else. */
function isInside(path: string): boolean {
  return !/[\\\0]/.test(path) &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

function readPlain(path: string, size: number): Uint8Array | undefined {
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const stats = fstatSync(file);
      if (!stats.isFile() || stats.size !== size) return undefined;
      const bytes = new Uint8Array(size);
      for (let got = 0; got < size;) {
        const more = readSync(file, bytes, got, size - got, got);
        if (more === 0) return undefined;
        got += more;
      }
      return bytes;
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
