import { closeSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { codeOf, readIfThere } from "../base/files.ts";
import type { Point } from "../sweep/metrics.ts";
import { readRecords } from "../sweep/record-log.ts";
import {
  applyWandbLine,
  applyWandbRecord,
  newWandbRun,
  parseJson,
} from "../sweep/wandb-history.ts";
import type { Logged, WandbRun } from "../sweep/wandb-history.ts";

/** Read at once. Bytes; a record may be longer, then the piece is. */
const PIECE = 4 * 1024 * 1024;
const LONGEST_RECORD = 256 * 1024 * 1024;

/** The folder of one run, read on as it grows. Nothing in it makes this throw. */
export interface WandbRunFolder {
  readonly folder: string;
  readonly run: WandbRun;
  /** Reads at most about `most` bytes of what was appended, and hands on what was logged. */
  readOn(most: number, onLogged: (logged: Logged) => void): ReadOn;
  /** The trainer's arguments; empty while they are not written. */
  args(): readonly string[];
  /** The summary in the log, or in W&B's own file where the log has none. */
  summary(): ReadonlyMap<string, unknown>;
  /** Reads the whole history of one metric again. */
  history(metric: string): Point[];
}

export interface ReadOn {
  bytes: number;
  /** More is there. */
  more: boolean;
  /** The file is another one or shorter: all that was handed on before is void. */
  restarted: boolean;
  /** Places that were passed over. */
  damaged: number;
  /** W&B's format changed, or it is another program's file. */
  foreign: boolean;
}

interface Reader {
  run: WandbRun;
  from: number;
  inode: number | undefined;
  /** Size and time of change when it was last read to its end: the same again has no news. */
  seen: string;
}

export function createWandbRunFolder(folder: string): WandbRunFolder {
  let reader = newReader();
  let args: readonly string[] | undefined;

  function readOn(most: number, onLogged: (logged: Logged) => void): ReadOn {
    const total: ReadOn = { bytes: 0, more: false, restarted: false, damaged: 0, foreign: false };
    const source = sourceIn(folder);
    if (source === undefined) return total;
    inFile(source.path, (file) => {
      const { size, ino, mtimeMs } = fstatSync(file);
      const stamp = `${ino} ${size} ${mtimeMs}`;
      if (stamp === reader.seen) return;
      if (reader.inode !== undefined && (ino !== reader.inode || size < reader.from)) {
        reader = newReader();
        total.restarted = true;
      }
      reader.inode = ino;
      readPieces(file, { reader, size, most, binary: source.binary, total }, onLogged);
      if (!total.more) reader.seen = stamp;
    });
    return total;
  }

  return {
    folder,
    get run() {
      return reader.run;
    },
    readOn,
    args() {
      args ??= readArgs(folder);
      return args ?? [];
    },
    summary() {
      return reader.run.summary.size > 0 ? reader.run.summary : readSummary(folder);
    },
    history(metric) {
      const points: Point[] = [];
      const source = sourceIn(folder);
      if (source === undefined) return points;
      const again = newReader();
      const total = { bytes: 0, more: false, restarted: false, damaged: 0, foreign: false };
      inFile(source.path, (file) => {
        const { size } = fstatSync(file);
        const limits = { reader: again, size, most: Infinity, binary: source.binary, total };
        readPieces(file, limits, (logged) => {
          if (logged.metric === metric) points.push(logged.point);
        });
      });
      return points;
    },
  };
}

function newReader(): Reader {
  return { run: newWandbRun(), from: 0, inode: undefined, seen: "" };
}

interface Pieces {
  reader: Reader;
  size: number;
  most: number;
  binary: boolean;
  total: ReadOn;
}

function readPieces(
  file: number,
  { reader, size, most, binary, total }: Pieces,
  onLogged: (logged: Logged) => void,
): void {
  let piece = PIECE;
  while (reader.from < size && !total.foreign) {
    if (total.bytes >= most) {
      total.more = true;
      return;
    }
    const bytes = readAt(file, reader.from, Math.min(size, reader.from + piece));
    const last = reader.from + bytes.length >= size;
    const before = reader.from;
    if (binary) takeRecords(bytes, { reader, last, total }, onLogged);
    else takeLines(bytes, { reader, total }, onLogged);
    total.bytes += bytes.length;
    if (reader.from > before) piece = PIECE;
    else if (last || bytes.length === 0 || piece >= LONGEST_RECORD) return;
    else piece *= 4;
  }
}

function takeRecords(
  bytes: Uint8Array,
  { reader, last, total }: { reader: Reader; last: boolean; total: ReadOn },
  onLogged: (logged: Logged) => void,
): void {
  const read = readRecords(bytes, { from: reader.from, last });
  reader.from = read.next;
  total.damaged += read.damaged;
  total.foreign = read.foreign;
  for (const record of read.records) {
    const logged = applyWandbRecord(reader.run, record);
    if (logged === undefined) total.damaged += 1;
    else logged.forEach(onLogged);
  }
}

function takeLines(
  bytes: Uint8Array,
  { reader, total }: { reader: Reader; total: ReadOn },
  onLogged: (logged: Logged) => void,
): void {
  const end = bytes.lastIndexOf(10) + 1;
  reader.from += end;
  for (const line of new TextDecoder().decode(bytes.subarray(0, end)).split("\n")) {
    if (line.trim() === "") continue;
    const logged = applyWandbLine(reader.run, line);
    if (logged === undefined) total.damaged += 1;
    else logged.forEach(onLogged);
  }
}

/** `run-<id>.wandb`; else the history of old versions. */
function sourceIn(folder: string): { path: string; binary: boolean } | undefined {
  const names = attempt(() => readdirSync(folder)) ?? [];
  const log = names.find((name) => /^run-.+\.wandb$/.test(name));
  if (log !== undefined) return { path: join(folder, log), binary: true };
  for (const path of [join(folder, "files", LEGACY), join(folder, LEGACY)]) {
    if (attempt(() => closeSync(openSync(path, "r")) ?? true)) return { path, binary: false };
  }
  return undefined;
}

const LEGACY = "wandb-history.jsonl";

function readArgs(folder: string): readonly string[] | undefined {
  for (const path of ["files/wandb-metadata.json", "wandb-metadata.json"]) {
    const found = parseJson(attempt(() => readIfThere(join(folder, path))) ?? "");
    if (typeof found !== "object" || found === null || !("args" in found)) continue;
    if (!Array.isArray(found.args)) continue;
    return found.args.filter((one): one is string => typeof one === "string");
  }
  return undefined;
}

function readSummary(folder: string): ReadonlyMap<string, unknown> {
  for (const path of ["files/wandb-summary.json", "wandb-summary.json"]) {
    const found = parseJson(attempt(() => readIfThere(join(folder, path))) ?? "");
    if (typeof found !== "object" || found === null || Array.isArray(found)) continue;
    return new Map(Object.entries(found));
  }
  return new Map();
}

function inFile(path: string, use: (file: number) => void): void {
  const file = attempt(() => openSync(path, "r"));
  if (file === undefined) return;
  try {
    attempt(() => use(file));
  } finally {
    closeSync(file);
  }
}

function readAt(file: number, from: number, to: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, to - from));
  let filled = 0;
  while (filled < bytes.length) {
    const got = readSync(file, bytes, filled, bytes.length - filled, from + filled);
    if (got === 0) break;
    filled += got;
  }
  return bytes.subarray(0, filled);
}

/** Undefined where the disk says no: what others do to their files is not our error. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (codeOf(error) !== undefined) return undefined;
    throw error;
  }
}
