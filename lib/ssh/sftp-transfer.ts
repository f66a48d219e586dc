import type { ReadOptions, WriteOptions } from "./remote-files.ts";
import { type SftpChannel, sftpRequest } from "./sftp-request.ts";

/** What every server takes in one request. Bytes. */
const PIECE = 32 * 1024;

/** Requests on their way at once: 2 MiB, which fills 40 MB/s at 50 ms. */
const MOST_WAITING = 64;

/** Pieces of an open file in order, many reads being on their way at once. */
export async function* readPieces(
  channel: SftpChannel,
  handle: Buffer,
  path: string,
  { from = 0, length = Infinity, signal }: ReadOptions,
): AsyncGenerator<Uint8Array> {
  const waiting: Promise<Uint8Array>[] = [];
  const end = from + length;
  let at = from;
  // Beyond the end each request is a wasted answer: few at first, more while there is more.
  let most = 2;
  try {
    for (;;) {
      signal?.throwIfAborted();
      while (waiting.length < most && at < end) {
        const wanted = Math.min(PIECE, end - at);
        const piece = readFully(channel, handle, path, at, wanted);
        piece.catch(() => {});
        waiting.push(piece);
        at += wanted;
      }
      const piece = await waiting.shift();
      if (piece === undefined || piece.length === 0) return;
      most = Math.min(MOST_WAITING, most * 2);
      yield piece;
      if (piece.length < PIECE && at < end) return;
    }
  } finally {
    await Promise.allSettled(waiting);
  }
}

/** A server may answer with less than it was asked for; nothing more means the end. */
async function readFully(
  channel: SftpChannel,
  handle: Buffer,
  path: string,
  from: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const got = await readOnce(channel, handle, path, bytes, filled, from + filled);
    if (got === 0) break;
    filled += got;
  }
  return bytes.subarray(0, filled);
}

function readOnce(
  channel: SftpChannel,
  handle: Buffer,
  path: string,
  bytes: Buffer,
  offset: number,
  position: number,
): Promise<number> {
  return sftpRequest<number>(channel, "read", path, (sftp, done) => {
    sftp.read(handle, bytes, offset, bytes.length - offset, position, (error, got) => {
      // 1 is the end of the file.
      const ended = (error as { code?: unknown } | undefined)?.code === 1;
      done(ended ? undefined : error, ended ? 0 : got);
    });
  });
}

/** Writes from a position on; gives back the position after the last byte. */
export async function writePieces(
  channel: SftpChannel,
  handle: Buffer,
  path: string,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  { from = 0, onProgress, signal }: WriteOptions,
): Promise<number> {
  const waiting: { done: Promise<void>; end: number }[] = [];
  let at = from;
  const settle = async (most: number) => {
    while (waiting.length > most) {
      const first = waiting.shift()!;
      await first.done;
      onProgress?.(first.end);
    }
  };
  try {
    for await (const chunk of bytes instanceof Uint8Array ? [bytes] : bytes) {
      for (let start = 0; start < chunk.length; start += PIECE) {
        signal?.throwIfAborted();
        await settle(MOST_WAITING - 1);
        const piece = Buffer.from(chunk.subarray(start, start + PIECE));
        const done = writeOnce(channel, handle, path, piece, at);
        done.catch(() => {});
        at += piece.length;
        waiting.push({ done, end: at });
      }
    }
    await settle(0);
  } finally {
    await Promise.allSettled(waiting.map(({ done }) => done));
  }
  return at;
}

function writeOnce(
  channel: SftpChannel,
  handle: Buffer,
  path: string,
  bytes: Buffer,
  position: number,
): Promise<void> {
  return sftpRequest(channel, "write", path, (sftp, done) => {
    sftp.write(handle, bytes, 0, bytes.length, position, (error) => done(error, undefined));
  });
}
