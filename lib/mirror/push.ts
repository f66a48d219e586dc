import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RemoteFiles, RemoteStat } from "../ssh/remote-files.ts";
import { RemoteFileError } from "../ssh/remote-files.ts";
import type { LocalFile } from "./choose-files.ts";
import { sideBySide } from "./side-by-side.ts";

/** A file as it was when it was last sent. */
export interface Sent {
  /** Of the file here. */
  stamp: string;
  mode: number;
  /** SHA-256, hexadecimal. */
  hash: string;
  /** Of the file there, right after. */
  there: string;
}

export interface PushParts {
  files: Pick<RemoteFiles, "stat" | "write" | "rename" | "makeFolder" | "chmod" | "remove">;
  /** The workspace there and here. */
  there: string;
  here: string;
  /** What was sent in an earlier life. */
  sent: ReadonlyMap<string, Sent>;
  /** Distinguishes what is on its way from what another herd sends. */
  nonce(): string;
}

export interface PushReport {
  files: number;
  bytes: number;
  /** Files that somebody had changed there; what they were is kept beside them. */
  kept: readonly string[];
}

/** Takes files there: what was changed here, each once, and whole or not at all. */
export interface Pusher {
  /**
   * `all`: what is to be there; what was sent before and is not among them goes. `folders`: made
   * first, where they are missing.
   */
  push(
    all: readonly LocalFile[],
    options?: { folders?: readonly string[]; signal?: AbortSignal },
  ): Promise<PushReport>;
  sent(): ReadonlyMap<string, Sent>;
}

const AT_ONCE = 16;
/** A larger file is read in pieces. */
const SMALL = 4 * 1024 * 1024;

/** Rejects with RemoteFileError or SshError; what had been sent by then is known. */
export function createPusher(parts: PushParts): Pusher {
  const { files } = parts;
  const sent = new Map(parts.sent);
  const folders = new Set<string>();

  const push: Pusher["push"] = async (all, { folders: empty = [], signal } = {}) => {
    const kept: string[] = [];
    const report = { files: 0, bytes: 0, kept };
    const changed = all.filter(({ path, stamp, mode }) => {
      const before = sent.get(path);
      return before?.stamp !== stamp || before.mode !== mode;
    });
    // One after the other: two that make the same folder would be in each other's way.
    for (const path of empty) await makeFolders(path);
    for (const { path } of changed) await makeFolders(dirname(path));
    await sideBySide(changed, AT_ONCE, async (file) => {
      const before = sent.get(file.path);
      const hash = await hashOf(join(parts.here, file.path), file.size);
      if (before?.hash === hash && before.mode === file.mode) {
        sent.set(file.path, { ...before, stamp: file.stamp });
        return;
      }
      const aside = await keepTheirs(file.path, before, hash);
      if (aside !== undefined) kept.push(aside);
      await send(file, hash, signal);
      report.files++;
      report.bytes += file.size;
    });
    await clear(new Set(all.map(({ path }) => path)));
    return report;
  };

  async function makeFolders(folder: string): Promise<void> {
    if (folder === "." || folders.has(folder)) return;
    // What herd keeps there is for its owner alone.
    const mode = folder.startsWith(".hyperherd") ? { mode: 0o700 } : {};
    await files.makeFolder(join(parts.there, folder), { parents: true, ...mode });
    folders.add(folder);
  }

  /** What another hand wrote there is not written over: it is renamed, and told. */
  async function keepTheirs(
    path: string,
    before: Sent | undefined,
    hash: string,
  ): Promise<string | undefined> {
    if (path.startsWith(".hyperherd/") || before?.hash === hash) return undefined;
    const whole = join(parts.there, path);
    const now = await files.stat(whole);
    if (now === undefined || now.kind !== "file") return undefined;
    if (before !== undefined && before.there === stampOf(now)) return undefined;
    await files.rename(whole, `${whole}.there`);
    return path;
  }

  async function send(file: LocalFile, hash: string, signal?: AbortSignal): Promise<void> {
    const { path, size, mode, stamp } = file;
    const whole = join(parts.there, path);
    const coming = join(dirname(whole), `.herd-${parts.nonce()}.coming`);
    const bytes = size <= SMALL
      ? readFileSync(join(parts.here, path))
      : createReadStream(join(parts.here, path));
    const options = { mode, ...(signal === undefined ? {} : { signal }) };
    await files.write(coming, bytes as Uint8Array | AsyncIterable<Uint8Array>, options);
    // The host's umask may have taken bits.
    await files.chmod(coming, mode);
    await files.rename(coming, whole);
    const there = await files.stat(whole);
    sent.set(path, { stamp, mode, hash, there: there === undefined ? "" : stampOf(there) });
  }

  async function clear(wanted: ReadonlySet<string>): Promise<void> {
    for (const [path, before] of sent) {
      if (wanted.has(path)) continue;
      const whole = join(parts.there, path);
      const now = await files.stat(whole);
      // Whoever changed it there meanwhile wants it.
      if (now !== undefined && stampOf(now) === before.there) {
        await files.remove(whole).catch((error: unknown) => {
          if (!(error instanceof RemoteFileError) || error.code !== "ENOENT") throw error;
        });
      }
      sent.delete(path);
    }
  }

  return { push, sent: () => sent };
}

function stampOf({ size, modified }: RemoteStat): string {
  return `${size} ${modified}`;
}

async function hashOf(path: string, size: number): Promise<string> {
  const hash = createHash("sha256");
  if (size <= SMALL) return hash.update(readFileSync(path)).digest("hex");
  for await (const piece of createReadStream(path)) hash.update(piece as Uint8Array);
  return hash.digest("hex");
}
