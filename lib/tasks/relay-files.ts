import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { codeOf } from "../base/files.ts";
import { z } from "../base/schema.ts";
import { EPOCH, TASK_ID } from "./exchange-schema.ts";
import { workerFolder } from "./via-files-folder.ts";

/** Bytes of one request to a model. */
export const LONGEST_ASK = 16 * 1024 * 1024;
/** Bytes of the list of requests; it begins anew long before. */
const LONGEST_INDEX = 8 * 1024 * 1024;
/** Bytes that are read of an answer at once. */
const PIECE = 4 * 1024 * 1024;

/** What a worker asks the daemon to ask a model. Nothing of it is believed. */
export interface RelayAsk {
  task: string;
  epoch: number;
  /** `/v1/messages`, `/v1/chat/completions`. */
  path: string;
  /** The header `anthropic-beta`. */
  beta?: string | undefined;
  body: string;
}

const ASK = z.strictObject({
  task: TASK_ID,
  epoch: EPOCH,
  path: z.string().max(200),
  beta: z.string().max(500).optional(),
  body: z.string().max(LONGEST_ASK),
});

/** One line of an answer; `alive` says only that it is being worked on. */
export type RelayFrame =
  | { alive: true }
  | { head: { status: number; type: string; retryAfter?: string | undefined } }
  /** Base64. */
  | { data: string }
  | { end: RelayEnd }
  /** It breaks off; one sentence for people, no secret in it. */
  | { broken: string };

/** What the call used, as far as the server said. */
export interface RelayEnd {
  use?: {
    model: string;
    input: number;
    output: number;
    cacheRead: number;
    cacheWrite: number;
    usd?: number | undefined;
  } | undefined;
}

const count = z.number().int().min(0);
const FRAME = z.union([
  z.object({ alive: z.literal(true) }),
  z.object({
    head: z.object({
      status: z.number().int().min(200).max(599),
      type: z.string().max(200),
      retryAfter: z.string().max(100).optional(),
    }),
  }),
  z.object({ data: z.string() }),
  z.object({
    end: z.object({
      use: z.object({
        model: z.string().max(200),
        input: count,
        output: count,
        cacheRead: count,
        cacheWrite: count,
        usd: z.number().min(0).optional(),
      }).optional(),
    }),
  }),
  z.object({ broken: z.string().max(2_000) }),
]);

/** A line of the worker's list. The list is one file of a fixed name: what is new in it is seen at once on NFS, a new name in a folder is not. */
export type IndexLine = { session: string } | { ask: string } | { cancel: string };

const ID = z.string().regex(/^[0-9a-f]{32}$/);
const INDEX_LINE = z.union([
  z.strictObject({ session: ID }),
  z.strictObject({ ask: ID }),
  z.strictObject({ cancel: ID }),
]);

export function relayFolder(pool: string, worker: string): string {
  return join(workerFolder(pool, worker), "relay");
}

export const INDEX_FILE = "index";

export function askPath(folder: string, id: string): string {
  return join(folder, `${id}.ask`);
}

export function answerPath(folder: string, id: string): string {
  return join(folder, `${id}.answer`);
}

/** Makes the folder empty: what a former life left is nobody's. */
export function clearRelayFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
}

/** Adds a line to a file that is there. Closed each time: that is when NFS tells the server. */
export function appendShared(path: string, value: IndexLine | RelayFrame): void {
  const { O_WRONLY, O_APPEND, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = openSync(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK);
  try {
    const wrong = faultOf(file);
    if (wrong !== undefined) throw new Error(`Cannot write to "${path}": ${wrong}`);
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
  } finally {
    closeSync(file);
  }
}

function faultOf(file: number): string | undefined {
  const stats = fstatSync(file);
  if (!stats.isFile()) return "it is no ordinary file";
  if (stats.uid !== process.getuid?.()) return `it belongs to user ${stats.uid}`;
  // A second name would be a file of somewhere else.
  return stats.nlink === 1 ? undefined : "it has more than one name";
}

/** What is in a shared file from an offset on; undefined when there is no such file. */
export interface SharedPiece {
  bytes: Uint8Array;
  size: number;
  inode: number;
}

export function readSharedFrom(
  path: string,
  offset: number,
  most = PIECE,
): SharedPiece | { wrong: string } | undefined {
  let file: number;
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ESTALE") return undefined;
    return { wrong: code === "ELOOP" ? "it is a symbolic link" : `it cannot be opened (${code})` };
  }
  try {
    const wrong = faultOf(file);
    if (wrong !== undefined) return { wrong };
    const { size, ino } = fstatSync(file);
    const bytes = Buffer.alloc(Math.max(0, Math.min(most, size - offset)));
    let got = 0;
    while (got < bytes.length) {
      const more = readSync(file, bytes, got, bytes.length - got, offset + got);
      if (more === 0) break;
      got += more;
    }
    return { bytes: bytes.subarray(0, got), size, inode: ino };
  } catch (error) {
    return codeOf(error) === "ESTALE"
      ? undefined
      : { wrong: `it cannot be read (${codeOf(error)})` };
  } finally {
    closeSync(file);
  }
}

/** The whole lines of a piece, and how many bytes they are. */
export function wholeLines(bytes: Uint8Array): { lines: string[]; length: number } {
  const last = bytes.lastIndexOf(10);
  if (last < 0) return { lines: [], length: 0 };
  const lines = new TextDecoder().decode(bytes.subarray(0, last)).split("\n");
  return { lines, length: last + 1 };
}

export function readIndexLine(line: string): IndexLine | undefined {
  return read(line, INDEX_LINE);
}

export function readFrame(line: string): RelayFrame | undefined {
  return read(line, FRAME);
}

/** A request as a worker wrote it; `undefined` when there is none any more. */
export function readAsk(folder: string, id: string): RelayAsk | { wrong: string } | undefined {
  const path = askPath(folder, id);
  // In JSON a byte may become six.
  const found = readSharedFrom(path, 0, LONGEST_ASK * 2);
  if (found === undefined || "wrong" in found) return found;
  if (found.size > found.bytes.length) return { wrong: `it has more than ${LONGEST_ASK} bytes` };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(found.bytes);
  } catch {
    return { wrong: "it is no UTF-8 text" };
  }
  return read(text, ASK) ?? { wrong: "it is not as a request should be" };
}

export function isIndexTooLong(size: number): boolean {
  return size > LONGEST_INDEX;
}

export function hasAnswer(folder: string, id: string): boolean {
  return existsSync(answerPath(folder, id));
}

function read<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
