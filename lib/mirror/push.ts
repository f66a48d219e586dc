import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { codeOf } from "../base/files.ts";
import type { RemoteFiles } from "../ssh/remote-files.ts";
import { RemoteFileError } from "../ssh/remote-files.ts";
import type { LocalFile } from "./choose-files.ts";
import { MirrorError } from "./mirror-error.ts";
import { findThere } from "./find-there.ts";
import { hashOfBytes, type Sent, stampOf } from "./sent.ts";
import { sideBySide } from "./side-by-side.ts";

export interface PushParts {
  files: Pick<
    RemoteFiles,
    "stat" | "write" | "rename" | "makeFolder" | "chmod" | "remove" | "list" | "readBytes"
  >;
  /** The workspace there and here. */
  there: string;
  here: string;
  /** What was sent in an earlier life. */
  sent: ReadonlyMap<string, Sent>;
  /** Distinguishes what is on its way from what another herd sends. */
  nonce(): string;
  now(): number;
}

export interface PushReport {
  files: number;
  bytes: number;
  /** Files that somebody had changed there, and what they are called there now. */
  kept: readonly { path: string; as: string }[];
}

export interface PushOptions {
  /** Made first, where they are missing. */
  folders?: readonly string[];
  /** Whether a file that was sent before and is not among these is to go. */
  isOurs?: (path: string) => boolean;
  signal?: AbortSignal;
}

/** Takes files there: what was changed here, each once, and whole or not at all. */
export interface Pusher {
  /** `all`: what is to be there. */
  push(all: readonly LocalFile[], options?: PushOptions): Promise<PushReport>;
  sent(): ReadonlyMap<string, Sent>;
}

const AT_ONCE = 16;
/** A larger file is read in pieces. */
const SMALL = 4 * 1024 * 1024;
/** What is on its way is called so; after so long nobody is at it any more. */
const COMING = /^\.herd-[0-9a-f]{12}\.coming$/;
const LEFT_MS = 60 * 60_000;

/** Rejects with RemoteFileError, SshError or MirrorError; what had been sent by then is known. */
export function createPusher(parts: PushParts): Pusher {
  const { files } = parts;
  const sent = new Map(parts.sent);
  const folders = new Set<string>();
  const swept = new Set<string>();

  const push: Pusher["push"] = async (all, options = {}) => {
    const { folders: empty = [], isOurs = () => true, signal } = options;
    const kept: { path: string; as: string }[] = [];
    const report = { files: 0, bytes: 0, kept };
    const changed = all.filter(({ path, stamp, mode }) => {
      const before = sent.get(path);
      return before?.stamp !== stamp || before.mode !== mode;
    });
    // One after the other: two that make the same folder would be in each other's way.
    for (const path of empty) await makeFolders(path);
    for (const { path } of changed) {
      await makeFolders(dirname(path));
      await sweep(dirname(path));
    }
    await sideBySide(changed, AT_ONCE, async (file) => {
      const before = sent.get(file.path);
      const hash = await readHere(file.path, () => hashOf(join(parts.here, file.path), file.size));
      // What herd tells jobs may be taken back at any time.
      if (hash === undefined) return;
      if (before?.hash === hash && before.mode === file.mode) {
        sent.set(file.path, { ...before, stamp: file.stamp });
        return;
      }
      const found = await findThere(files, { there: parts.there, file, before, hash });
      if (found.kind === "the same") return void sent.set(file.path, found.sent);
      if (found.kind === "kept") kept.push({ path: file.path, as: found.as });
      await send(file, hash, signal);
      report.files++;
      report.bytes += file.size;
    });
    await clear(new Set(all.map(({ path }) => path)), isOurs);
    return report;
  };

  /** What stands there half from a life that was cut off. */
  async function sweep(folder: string): Promise<void> {
    if (swept.has(folder)) return;
    swept.add(folder);
    const whole = join(parts.there, folder);
    for (const { name, modified } of await files.list(whole)) {
      if (!COMING.test(name) || parts.now() - modified < LEFT_MS) continue;
      await files.remove(join(whole, name)).catch(unlessAbsent);
    }
  }

  /** Undefined for one of herd's own that is gone by now. */
  async function readHere<T>(path: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (codeOf(error) === undefined || error instanceof RemoteFileError) throw error;
      if (codeOf(error) === "ENOENT" && path.startsWith(".hyperherd/")) return undefined;
      throw new MirrorError("unusable", `Cannot send "${path}": ${(error as Error).message}`, {
        hint: 'It must be readable here; "!" before a pattern of "sync" leaves files out',
        cause: error,
      });
    }
  }

  async function makeFolders(folder: string): Promise<void> {
    if (folder === "." || folders.has(folder)) return;
    // What herd keeps there is for its owner alone.
    const mode = folder.startsWith(".hyperherd") ? { mode: 0o700 } : {};
    await files.makeFolder(join(parts.there, folder), { parents: true, ...mode });
    folders.add(folder);
  }

  async function send(file: LocalFile, hash: string, signal?: AbortSignal): Promise<void> {
    const { path, size, mode, stamp } = file;
    const whole = join(parts.there, path);
    const coming = join(dirname(whole), `.herd-${parts.nonce()}.coming`);
    const local = join(parts.here, path);
    const bytes = size <= SMALL
      ? await readHere(path, () => readFile(local))
      : createReadStream(local);
    if (bytes === undefined) return;
    const options = { mode, ...(signal === undefined ? {} : { signal }) };
    try {
      await files.write(coming, bytes as Uint8Array | AsyncIterable<Uint8Array>, options);
      // The host's umask may have taken bits.
      await files.chmod(coming, mode);
      await files.rename(coming, whole);
    } catch (error) {
      // On a disk that is full it takes the room that is missing; a new connection is not made for it.
      const isRefused = error instanceof RemoteFileError && error.code !== "LOST";
      if (isRefused) await files.remove(coming).catch(() => {});
      throw error;
    }
    const there = await files.stat(whole);
    sent.set(path, { stamp, mode, hash, there: there === undefined ? "" : stampOf(there) });
  }

  async function clear(
    wanted: ReadonlySet<string>,
    isOurs: (path: string) => boolean,
  ): Promise<void> {
    for (const [path, before] of sent) {
      if (wanted.has(path) || !isOurs(path)) continue;
      const whole = join(parts.there, path);
      const now = await files.stat(whole);
      // Whoever changed it there meanwhile wants it.
      if (now !== undefined && stampOf(now) === before.there) {
        await files.remove(whole).catch(unlessAbsent);
      }
      sent.delete(path);
    }
  }

  return { push, sent: () => sent };
}

function unlessAbsent(error: unknown): void {
  if (!(error instanceof RemoteFileError) || error.code !== "ENOENT") throw error;
}

async function hashOf(path: string, size: number): Promise<string> {
  if (size <= SMALL) return hashOfBytes(readFileSync(path));
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece as Uint8Array);
  return hash.digest("hex");
}
