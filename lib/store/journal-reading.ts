import { count } from "../base/text.ts";
import type { Notice } from "../sweep/config.ts";
import type { Event, Happening } from "../sweep/event.ts";
import { readTail, voucher, withJournal } from "./journal-file.ts";
import { isSweepHappening, readLine } from "./journal-lines.ts";
import type { Position, Snapshot } from "./snapshot.ts";

/** How events become state. */
export interface Fold<S, H extends { type: string } = Happening> {
  /** Changes when the same events give another state, so that old snapshots are made anew. */
  version: number;
  empty: () => S;
  /** Changes the state in place. */
  apply: (state: S, event: Event<H>) => void;
  /** Which types of events there are; those of a sweep when left out. */
  knows?: (type: string) => boolean;
  toPlain: (state: S) => unknown;
  fromPlain: (plain: unknown) => S;
}

/** How far a journal is read, and what came of it. */
export interface Reading<S> extends Position {
  state: S;
  /** Vouches for `offset`; see `voucher`. */
  check: string | undefined;
  /** Bytes after the last whole line. */
  torn: number;
  notices: Notice[];
  /** Number of the first line that could not be applied. */
  damaged: number | undefined;
  /** What a newer herd wrote, in words. */
  newer: string | undefined;
  /** Read or written since the last snapshot. */
  tailBytes: number;
  tailEvents: number;
  snapshotBytes: number;
  /** The line read last, to know a repeated one. */
  last: string;
  /** Places from which to read again, ascending. */
  marks: Position[];
}

const NOTICES_KEPT = 50;
const MARK_EVERY_BYTES = 1024 * 1024;

export function startReading<S, H extends { type: string }>(fold: Fold<S, H>): Reading<S> {
  return {
    state: fold.empty(),
    seq: 0,
    offset: 0,
    line: 0,
    check: undefined,
    torn: 0,
    notices: [],
    damaged: undefined,
    newer: undefined,
    tailBytes: 0,
    tailEvents: 0,
    snapshotBytes: 0,
    last: "",
    marks: [],
  };
}

/** Where the snapshot stands; undefined when its state cannot be read after all. */
export function resumeReading<S, H extends { type: string }>(
  fold: Fold<S, H>,
  { snapshot, bytes }: { snapshot: Snapshot; bytes: number },
): Reading<S> | undefined {
  const { seq, offset, line, check, notices, damaged } = snapshot;
  try {
    const state = fold.fromPlain(snapshot.state);
    const marks = [{ seq, offset, line }];
    const place = { seq, offset, line, check, marks, state, damaged };
    return { ...startReading(fold), ...place, notices: [...notices], snapshotBytes: bytes };
  } catch {
    return undefined;
  }
}

/** False when the file is not the one that was read so far. */
export function continues<S>(reading: Reading<S>, file: number): boolean {
  return reading.offset === 0 || voucher(file, reading.offset) === reading.check;
}

/** Applies every whole line that is new, and returns the events in them. */
export function readOn<S, H extends { type: string }>(
  reading: Reading<S>,
  fold: Fold<S, H>,
  file: number,
): readonly Event<H>[] {
  const { whole, torn } = readTail(file, reading.offset);
  reading.torn = torn.length;
  if (whole.length === 0) return [];
  const events: Event<H>[] = [];
  for (let start = 0; start < whole.length;) {
    const end = whole.indexOf(10, start);
    mark(reading);
    const event = readOne(reading, fold, whole.toString("utf8", start, end));
    if (event !== undefined) events.push(event);
    reading.offset += end + 1 - start;
    start = end + 1;
  }
  reading.tailBytes += whole.length;
  reading.tailEvents += events.length;
  reading.check = voucher(file, reading.offset);
  return events;
}

function readOne<S, H extends { type: string }>(
  reading: Reading<S>,
  fold: Fold<S, H>,
  text: string,
): Event<H> | undefined {
  const number = ++reading.line;
  const line = readLine<H>(text, fold.knows);
  const repeated = text === reading.last;
  reading.last = text;
  if (line.kind === "event") {
    const { event } = line;
    if (event.seq <= reading.seq) {
      note(reading, number, `it has number ${event.seq} again, after ${reading.seq}`);
      // A write that a file server carried out twice; anything else happened, whatever its number.
      if (repeated) return undefined;
    }
    reading.seq = Math.max(reading.seq, event.seq);
    return applied(reading, fold, event, number) ? event : undefined;
  }
  if (line.kind === "newer") {
    reading.seq = Math.max(reading.seq + 1, line.seq ?? 0);
    reading.newer ??= `line ${number} is of a newer herd (${line.what})`;
    note(reading, number, `it is of a newer herd (${line.what})`);
    return undefined;
  }
  // It had a number once: counting it keeps the numbers after it what they were.
  reading.seq++;
  reading.damaged ??= number;
  note(reading, number, line.why);
  return undefined;
}

function applied<S, H extends { type: string }>(
  reading: Reading<S>,
  fold: Fold<S, H>,
  event: Event<H>,
  number: number,
): boolean {
  try {
    fold.apply(reading.state, event);
    return true;
  } catch (error) {
    reading.damaged ??= number;
    note(reading, number, `its content does not fit (${(error as Error).message})`);
    return false;
  }
}

function note<S>(reading: Reading<S>, line: number, why: string): void {
  if (reading.notices.length >= NOTICES_KEPT) return;
  reading.notices.push({ message: `Journal line ${line} is skipped: ${why}`, line });
}

function mark<S>({ marks, seq, offset, line }: Reading<S>): void {
  const last = marks.at(-1)?.offset ?? 0;
  if (offset - last >= MARK_EVERY_BYTES) marks.push({ seq, offset, line });
}

/** What to say of the journal now, a torn end included. */
export function noticesOf<S>(reading: Reading<S>): readonly Notice[] {
  if (reading.torn === 0) return [...reading.notices];
  const message = `The journal's last line is not whole (${count(reading.torn, "byte")}): ` +
    "it is ignored, the next change cuts it off";
  return [...reading.notices, { message, line: reading.line + 1 }];
}

/** The events after `seq` among those already read. */
export function eventsAfter<S, H extends { type: string }>(
  reading: Reading<S>,
  path: string,
  seq: number,
  knows: (type: string) => boolean = isSweepHappening,
): readonly Event<H>[] {
  if (seq >= reading.seq) return [];
  const from = reading.marks.findLast((place) => place.seq <= seq)?.offset ?? 0;
  return withJournal(path, (file) => {
    const { whole } = readTail(file, from);
    const events: Event<H>[] = [];
    const stop = Math.min(whole.length, reading.offset - from);
    for (let start = 0; start < stop;) {
      const end = whole.indexOf(10, start);
      const line = readLine<H>(whole.toString("utf8", start, end), knows);
      if (line.kind === "event" && line.event.seq > seq) events.push(line.event);
      start = end + 1;
    }
    return events;
  }) ?? [];
}
