import { createReadStream } from "node:fs";
import type { Clock } from "../base/clock.ts";
import { RefusedError, UserError } from "../base/errors.ts";
import { RemoteFileError } from "../ssh/remote-files.ts";
import { SshError } from "../ssh/ssh-error.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import type { Binary } from "./binary.ts";

export interface UploadParts {
  host: SshHost;
  clock: Clock;
  signal: AbortSignal;
  say(text: string): void;
  /** Bytes that the host has confirmed, of all. */
  onProgress(done: number, all: number): void;
}

/** Where the pieces of this very content gather; another build's go elsewhere. */
export function partPath(path: string, { sha256 }: Binary): string {
  return `${path}.${sha256.slice(0, 16)}.part`;
}

/** So often in a row without a byte more, and it is given up. */
const MOST_TRIES = 5;
const PAUSE_MS = 1_000;
/** One that has just changed may be growing under another deploy. */
const WATCH_MS = 1_500;

/**
 * Brings the bytes there, going on where an earlier upload of the same content was cut, and through
 * cuts of the connection. Gives back how many were there before. Throws UserError or SshError.
 */
export async function upload(
  binary: Binary,
  part: string,
  parts: UploadParts,
): Promise<{ resumedFrom: number }> {
  const { host, clock, signal, say } = parts;
  const before = await ownPart(binary, part, parts);
  let reached = before;
  for (let tries = 1;;) {
    try {
      await sendFrom(reached, binary, part, parts);
      return { resumedFrom: before };
    } catch (error) {
      signal.throwIfAborted();
      if (!isCut(error)) throw await notWritten(error, binary, part, host);
      const now = await sizeOf(host, part, parts).catch(() => reached);
      tries = now > reached ? 1 : tries + 1;
      if (tries > MOST_TRIES) throw given(error as Error, now, binary, host);
      say(
        `${(error as Error).message}; going on at ${megabytes(now)} of ${megabytes(binary.size)}`,
      );
      reached = Math.min(now, binary.size);
      await clock.sleep(PAUSE_MS * tries, signal);
    }
  }
}

async function sendFrom(
  from: number,
  { path, size }: Binary,
  part: string,
  { host, signal, onProgress }: UploadParts,
): Promise<void> {
  onProgress(from, size);
  if (from === size && size > 0) return;
  const pieces = createReadStream(path, { start: from, highWaterMark: 256 * 1024 });
  // Whoever reads it hears of it; where nobody comes to read, nobody has to.
  pieces.on("error", () => {});
  try {
    await host.files.write(part, pieces, {
      from,
      mode: 0o700,
      signal,
      onProgress: (done) => onProgress(done, size),
    });
  } finally {
    pieces.destroy();
  }
}

/** How much of it is there. Throws RefusedError when somebody else is writing it now. */
async function ownPart({ size }: Binary, part: string, parts: UploadParts): Promise<number> {
  const { host, clock, signal } = parts;
  const found = await sizeOf(host, part, parts);
  if (found === 0 || found >= size) return found === size ? found : 0;
  await clock.sleep(WATCH_MS, signal);
  if (await sizeOf(host, part, parts) === found) return found;
  throw new RefusedError(
    `Cannot deploy to "${host.name}": another deploy puts the same file there`,
    {
      hint: "Wait until it is done",
    },
  );
}

async function sizeOf(host: SshHost, part: string, { signal }: UploadParts): Promise<number> {
  signal.throwIfAborted();
  // The connection may have been cut; this makes it anew, asking where that needs a person.
  await host.connect(signal);
  return (await host.files.stat(part))?.size ?? 0;
}

function isCut(error: unknown): boolean {
  return error instanceof RemoteFileError
    ? error.code === "LOST"
    : error instanceof SshError && error.passing;
}

/** A disk or a quota that is full says no more than "failure"; what was begun is taken away then. */
async function notWritten(
  error: unknown,
  { size }: Binary,
  part: string,
  host: SshHost,
): Promise<unknown> {
  if (!(error instanceof RemoteFileError)) return error;
  await host.files.remove(part).catch(() => {});
  const hint = error.code === "UNKNOWN"
    ? `Is the disk full, or a quota used up? It takes ${megabytes(size)}; ` +
      `ssh ${host.name} 'df -h; quota -s' says more`
    : "Choose a folder that you may write: herd deploy HOST:PATH";
  return new UserError(`Cannot deploy to "${host.name}": ${error.message}`, { hint, cause: error });
}

function given(error: Error, reached: number, { size }: Binary, host: SshHost): UserError {
  return new UserError(`Cannot deploy to "${host.name}": ${error.message}`, {
    hint: `${megabytes(reached)} of ${
      megabytes(size)
    } are there; the same command goes on with them`,
    cause: error,
  });
}

/** Of the powers of ten, as disks and lines are sold: `134.2 MB`, `68.9 GB`. */
export function megabytes(bytes: number): string {
  if (bytes >= 1e10) return `${Math.round(bytes / 1e8) / 10} GB`;
  return `${Math.round(bytes / 1e5) / 10} MB`;
}
