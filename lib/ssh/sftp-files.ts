import { randomBytes } from "node:crypto";
import type { SFTPWrapper, Stats } from "./ssh2.d.ts";
import {
  type ReadOptions,
  type RemoteEntry,
  RemoteFileError,
  type RemoteFiles,
  type RemoteStat,
} from "./remote-files.ts";
import { fileFailure } from "./sftp-failure.ts";
import { type Done, type SftpChannel, sftpRequest } from "./sftp-request.ts";
import { createSftpSession, type SftpParts } from "./sftp-session.ts";
import { readPieces, writePieces } from "./sftp-transfer.ts";

/** The host's files over SFTP. */
export function createSftpFiles(parts: SftpParts): RemoteFiles {
  const session = createSftpSession(parts);

  /** One request; `what` such as "read" is for the error. */
  async function ask<T = void>(
    what: string,
    path: string,
    request: (sftp: SFTPWrapper, done: Done<T>) => void,
  ): Promise<T> {
    usable(what, path);
    return await session.use((channel) => sftpRequest(channel, what, path, request));
  }

  async function unlessAbsent(
    path: string,
    request: (sftp: SFTPWrapper, done: Done<Stats>) => void,
  ): Promise<RemoteStat | undefined> {
    try {
      return statOf(await ask("look at", path, request));
    } catch (error) {
      if (error instanceof RemoteFileError && error.code === "ENOENT") return undefined;
      throw error;
    }
  }

  const stat = (path: string) => unlessAbsent(path, (sftp, done) => sftp.stat(path, done));

  async function* read(path: string, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    usable("read", path);
    // A generator cannot run inside `use`: its user decides when it goes on.
    const gate = Promise.withResolvers<void>();
    const opened = Promise.withResolvers<SftpChannel>();
    const using = session.use((channel) => (opened.resolve(channel), gate.promise), options.signal);
    using.catch(opened.reject);
    try {
      const channel = await opened.promise;
      const handle = await open(channel, "read", path, "r");
      try {
        yield* readPieces(channel, handle, path, options);
      } finally {
        await close(channel, handle, path).catch(() => {});
      }
    } finally {
      gate.resolve();
    }
  }

  /** A server says no more than "failure" where something is there already. */
  async function makeOne(path: string, mode: number, mayBeThere: boolean): Promise<void> {
    try {
      const attributes = { mode } as never;
      await ask(
        "make",
        path,
        (sftp, done) => sftp.mkdir(path, attributes, (error) => done(error, undefined)),
      );
    } catch (error) {
      const there = (error as RemoteFileError).code === "UNKNOWN" ? await stat(path) : undefined;
      if (there === undefined) throw error;
      if (!mayBeThere || there.kind !== "folder") throw fileFailure("make", path, "EEXIST");
    }
  }

  const files: RemoteFiles = {
    realPath: (path) => ask("find", path, (sftp, done) => sftp.realpath(path, done)),
    stat,
    linkStat: (path) => unlessAbsent(path, (sftp, done) => sftp.lstat(path, done)),
    async list(path) {
      type Found = { filename: string; attrs: Stats }[];
      const found = await ask<Found>("list", path, (sftp, done) => sftp.readdir(path, done));
      return found.flatMap(({ filename, attrs }): RemoteEntry[] =>
        filename === "." || filename === ".." ? [] : [{ name: filename, ...statOf(attrs) }]
      );
    },
    read,
    async readBytes(path, options) {
      const pieces: Uint8Array[] = [];
      for await (const piece of read(path, options)) pieces.push(piece);
      return new Uint8Array(Buffer.concat(pieces));
    },
    async write(path, bytes, options = {}) {
      usable("write", path);
      const { from = 0, mode = 0o644, signal } = options;
      return await session.use(async (channel) => {
        const handle = await open(channel, "write", path, from === 0 ? "w" : "r+", mode);
        try {
          if (from > 0) {
            await sftpRequest(
              channel,
              "write",
              path,
              (sftp, done) =>
                sftp.fsetstat(handle, { size: from } as never, (error) => done(error, undefined)),
            );
          }
          const end = await writePieces(channel, handle, path, bytes, options);
          await flush(channel, handle, path);
          return end;
        } finally {
          await close(channel, handle, path).catch(() => {});
        }
      }, signal);
    },
    async replace(path, bytes, mode = 0o644) {
      const beside = `${path}.${randomBytes(4).toString("hex")}.tmp`;
      try {
        await files.write(beside, bytes, { mode });
        await files.rename(beside, path);
      } catch (error) {
        // Where the connection was cut nobody waits for another one to tidy up.
        const isRefused = error instanceof RemoteFileError && error.code !== "LOST";
        if (isRefused) await files.remove(beside).catch(() => {});
        throw error;
      }
    },
    async rename(from, to) {
      usable("rename", to);
      await ask("rename", from, (sftp, done) => {
        const plainly = () => sftp.rename(from, to, (error) => done(error, undefined));
        try {
          sftp.ext_openssh_rename(from, to, (error) => done(error, undefined));
        } catch {
          // The server has no rename that replaces.
          sftp.unlink(to, plainly);
        }
      });
    },
    async makeFolder(path, { mode = 0o755, parents = false } = {}) {
      try {
        return await makeOne(path, mode, parents);
      } catch (error) {
        const above = path.replace(/\/+[^/]*\/*$/, "");
        const isMissing = (error as RemoteFileError).code === "ENOENT";
        if (!isMissing || !parents || above === "" || above === path) throw error;
        await files.makeFolder(above, { mode, parents });
      }
      // Once: what an automounter shows is there, and nothing can be made below it.
      await makeOne(path, mode, parents);
    },
    chmod: (path, mode) =>
      ask(
        "change the mode of",
        path,
        (sftp, done) => sftp.chmod(path, mode, (error) => done(error, undefined)),
      ),
    link: (target, path) =>
      ask(
        "link",
        path,
        (sftp, done) => sftp.symlink(target, path, (error) => done(error, undefined)),
      ),
    readLink: (path) => ask("read", path, (sftp, done) => sftp.readlink(path, done)),
    remove: (path) =>
      ask("remove", path, (sftp, done) => sftp.unlink(path, (error) => done(error, undefined))),
    removeFolder: (path) =>
      ask("remove", path, (sftp, done) => sftp.rmdir(path, (error) => done(error, undefined))),
  };
  return files;
}

function open(
  channel: SftpChannel,
  what: string,
  path: string,
  flags: "r" | "w" | "r+",
  mode = 0o644,
): Promise<Buffer> {
  return sftpRequest<Buffer>(
    channel,
    what,
    path,
    (sftp, done) => sftp.open(path, flags, mode, done),
  );
}

function close(channel: SftpChannel, handle: Buffer, path: string): Promise<void> {
  return sftpRequest(
    channel,
    "close",
    path,
    (sftp, done) => sftp.close(handle, (error) => done(error, undefined)),
  );
}

/** To the disk there; not every server can. */
async function flush(channel: SftpChannel, handle: Buffer, path: string): Promise<void> {
  try {
    await sftpRequest(
      channel,
      "flush",
      path,
      (sftp, done) => sftp.ext_openssh_fsync(handle, (error) => done(error, undefined)),
    );
  } catch (error) {
    if ((error as RemoteFileError).code === "LOST") throw error;
  }
}

function statOf(stats: Stats): RemoteStat {
  const kind = stats.isFile()
    ? "file"
    : stats.isDirectory()
    ? "folder"
    : stats.isSymbolicLink()
    ? "link"
    : "other";
  const { size, mode, uid, gid, mtime } = stats;
  return { kind, size, mode: mode & 0o7777, uid, gid, modified: mtime * 1000 };
}

function usable(what: string, path: string): void {
  if (path === "" || path.includes("\0")) throw fileFailure(what, path, "EINVAL");
}
