/** What a file operation on the host failed with; `UNKNOWN` is the server's `failure` without a reason. */
export type RemoteFileCode =
  | "ENOENT"
  | "EACCES"
  | "EEXIST"
  | "ENOTSUP"
  | "EINVAL"
  | "LOST"
  | "UNKNOWN";

/** A file operation that the host refused, or whose connection was cut (`LOST`: it may have happened). */
export class RemoteFileError extends Error {
  readonly code: RemoteFileCode;
  readonly path: string;
  constructor(code: RemoteFileCode, path: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "RemoteFileError";
    this.code = code;
    this.path = path;
  }
}

export interface RemoteStat {
  kind: "file" | "folder" | "link" | "other";
  /** Bytes. */
  size: number;
  /** Permission bits only, such as 0o644. */
  mode: number;
  uid: number;
  gid: number;
  /** Milliseconds since the epoch, in whole seconds: SFTP knows no finer. */
  modified: number;
}

export interface RemoteEntry extends RemoteStat {
  name: string;
}

export interface ReadOptions {
  /** First byte wanted; 0 by default. */
  from?: number;
  /** Most bytes wanted; by default to the end as it is when reached. */
  length?: number;
  signal?: AbortSignal;
}

export interface WriteOptions {
  /** Continue here: what stands before stays, what stands after is cut off. 0 by default: a new file. */
  from?: number;
  /** For a file that is made; 0o644 by default, less the host's umask. */
  mode?: number;
  /** Bytes that the host has confirmed so far, `from` included. */
  onProgress?: (bytes: number) => void;
  signal?: AbortSignal;
}

/**
 * The host's files, over one SFTP channel. Paths are absolute or relative to the
 * home folder; `~` is not expanded. Each rejects with RemoteFileError, or with SshError
 * when the host cannot be reached.
 */
export interface RemoteFiles {
  /** Absolute, with links resolved; `.` gives the home folder. */
  realPath(path: string): Promise<string>;
  /** Follows links; undefined when there is nothing. */
  stat(path: string): Promise<RemoteStat | undefined>;
  /** Does not follow a link. */
  linkStat(path: string): Promise<RemoteStat | undefined>;
  /** Without `.` and `..`, in no order; links are not followed. */
  list(path: string): Promise<RemoteEntry[]>;
  /** Many reads are on their way at once, so that a slow line is used whole. Pieces come in order. */
  read(path: string, options?: ReadOptions): AsyncIterable<Uint8Array>;
  /** A small file as a whole. */
  readBytes(path: string, options?: ReadOptions): Promise<Uint8Array>;
  /** Gives back the size after the last byte. The bytes are flushed to the disk where the server can. */
  write(
    path: string,
    bytes: Uint8Array | AsyncIterable<Uint8Array>,
    options?: WriteOptions,
  ): Promise<number>;
  /** Writes beside it and renames: a reader sees the old bytes or the new ones. */
  replace(path: string, bytes: Uint8Array, mode?: number): Promise<void>;
  /** Replaces what is there, in one step where the server can (OpenSSH can). */
  rename(from: string, to: string): Promise<void>;
  /** `parents` makes missing folders above and is content with one that is there. */
  makeFolder(path: string, options?: { mode?: number; parents?: boolean }): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  link(target: string, path: string): Promise<void>;
  readLink(path: string): Promise<string>;
  remove(path: string): Promise<void>;
  removeFolder(path: string): Promise<void>;
}
