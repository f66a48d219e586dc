import type { Notice } from "../sweep/config.ts";
import { readIfThere, replaceFile } from "../base/files.ts";
import { voucher } from "./journal-file.ts";

/** Version of the file itself; that of the state is `foldVersion`. */
const SNAPSHOT_VERSION = 1;

/** Where in a journal a state stands. */
export interface Position {
  /** Sequence number of the last event before it. */
  seq: number;
  /** Bytes. */
  offset: number;
  /** Number of lines before it. */
  line: number;
}

/** A fold of the journal up to a place; never more than a way to start faster. */
export interface Snapshot extends Position {
  version: number;
  foldVersion: number;
  /** Digest of the bytes just before `offset`. */
  check: string;
  /** What was said about the lines before, so that damage is not forgotten. */
  notices: readonly Notice[];
  damaged?: number | undefined;
  state: unknown;
}

/** The snapshot when it fits the open journal; undefined for none, a torn, foreign, older or newer one. */
export function readSnapshot(
  path: string,
  journal: number,
  foldVersion: number,
): { snapshot: Snapshot; bytes: number } | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  const snapshot = parse(text);
  if (snapshot?.version !== SNAPSHOT_VERSION || snapshot.foldVersion !== foldVersion) {
    return undefined;
  }
  const places = [snapshot.seq, snapshot.offset, snapshot.line];
  if (!places.every((place) => Number.isSafeInteger(place) && place >= 0)) return undefined;
  if (voucher(journal, snapshot.offset) !== snapshot.check) return undefined;
  if (!Array.isArray(snapshot.notices)) return undefined;
  return { snapshot, bytes: text.length };
}

/** Size of the file in characters. */
export function writeSnapshot(
  path: string,
  parts: Position & {
    foldVersion: number;
    check: string;
    notices: readonly Notice[];
    damaged?: number | undefined;
    state: unknown;
  },
): number {
  const snapshot: Snapshot = { version: SNAPSHOT_VERSION, ...parts };
  const text = JSON.stringify(snapshot);
  replaceFile(path, text, 0o600);
  return text.length;
}

function parse(text: string): Snapshot | undefined {
  try {
    return JSON.parse(text) as Snapshot;
  } catch {
    return undefined;
  }
}
