import type { Clock } from "../base/clock.ts";
import { RefusedError } from "../base/errors.ts";
import { EVENT_VERSION } from "../sweep/event.ts";
import type { Notice } from "../sweep/config.ts";
import type { Event, Happening } from "../sweep/event.ts";
import { appendBytes, withJournal } from "./journal-file.ts";
import { writeLine } from "./journal-lines.ts";
import { continues, eventsAfter, noticesOf, readOn } from "./journal-reading.ts";
import { resumeReading, startReading } from "./journal-reading.ts";
import type { Fold, Reading } from "./journal-reading.ts";
import type { Lease } from "./lease.ts";
import { readSnapshot, writeSnapshot } from "./snapshot.ts";

/** The journal of a workspace and the state that it folds into. Readers need no lease. */
export interface Journal<S, H extends { type: string } = Happening> {
  /** Another object after the file was replaced; do not keep it across a refresh or an append. */
  readonly state: S;
  /** Number of the last event; 0 in an empty journal. */
  readonly seq: number;
  /** What is wrong with the file: a torn end, damaged lines, events of a newer herd. */
  readonly notices: readonly Notice[];
  /**
   * Throws RefusedError when a line cannot be read: for those who must not miss
   * anything that happened, such as whoever submits.
   */
  assertWhole(): void;
  /** Reads what others appended. */
  refresh(): Refresh<H>;
  /**
   * Writes events in one write and one fsync, then applies them: all or none.
   * Throws UserError when the disk refuses, RefusedError when the lease is lost
   * or a newer herd wrote here.
   */
  append(whats: readonly H[], how: AppendOptions): readonly Event<H>[];
  /** Events after a number, among those read so far. */
  since(seq: number): readonly Event<H>[];
  /** Hears of each event appended here or seen by a refresh. Returns what ends it. */
  onAppend(listener: (event: Event<H>) => void): () => void;
  /** Makes the next opening fast; `append` also does it now and then. A failure only costs time. */
  saveSnapshot(lease: Lease): void;
}

export interface AppendOptions {
  /** Who; see `Event.by`. */
  by: string;
  /** Milliseconds since the epoch. */
  at: number;
  lease: Lease;
}

export interface Refresh<H = Happening> {
  /** What others wrote since the last look; after a replacement, every event. */
  events: readonly Event<H>[];
  /** True when the file is no continuation of what was read: the state was made anew. */
  replaced: boolean;
}

export interface JournalParts<S, H extends { type: string } = Happening> {
  path: string;
  /** Path of the snapshot; none is read or written without it. */
  snapshot?: string;
  fold: Fold<S, H>;
  clock: Pick<Clock, "now">;
}

/** Opens a journal, which need not exist yet. Writes nothing. */
export function openJournal<S, H extends { type: string } = Happening>(
  { path, snapshot, fold, clock }: JournalParts<S, H>,
): Journal<S, H> {
  const listeners = new Set<(event: Event<H>) => void>();
  let reading = openReading();

  function openReading(): Reading<S> {
    return withJournal(path, (file) => {
      const saved = snapshot === undefined ? undefined : readSnapshot(snapshot, file, fold.version);
      const resumed = saved === undefined ? undefined : resumeReading(fold, saved);
      const opened = resumed ?? startReading(fold);
      readOn(opened, fold, file);
      return opened;
    }) ?? startReading(fold);
  }

  function refresh(): Refresh<H> {
    const refreshed = withJournal(path, (file): Refresh<H> => {
      const replaced = !continues(reading, file);
      if (replaced) startAgain("was cut or replaced: it was read again from its start");
      return { events: readOn(reading, fold, file), replaced };
    }) ?? vanished();
    tell(refreshed.events);
    return refreshed;
  }

  function vanished(): Refresh<H> {
    const replaced = reading.offset > 0;
    if (replaced) startAgain("was removed: nothing is known any more");
    return { events: [], replaced };
  }

  function startAgain(why: string): void {
    reading = startReading(fold);
    reading.notices.push({ message: `The journal "${path}" ${why}` });
  }

  function append(whats: readonly H[], { by, at, lease }: AppendOptions): readonly Event<H>[] {
    lease.assertHeld();
    refresh();
    if (reading.newer !== undefined) throw newerHerd(path, reading.newer);
    if (whats.length === 0) return [];
    const first = reading.seq + 1;
    const events = whats.map((what, i): Event<H> => ({
      v: EVENT_VERSION,
      seq: first + i,
      at,
      by,
      what,
    }));
    const text = events.map(writeLine).join("");
    // Again: reading a long journal takes a while.
    lease.assertHeld();
    written(events, appendBytes(path, reading.offset, text, clock.now()));
    for (const event of events) fold.apply(reading.state, event);
    if (isSnapshotDue(reading)) saveSnapshot(lease);
    tell(events);
    return events;
  }

  function written(
    events: readonly Event<H>[],
    { end, check }: { end: number; check: string | undefined },
  ): void {
    reading.tailBytes += end - reading.offset;
    reading.tailEvents += events.length;
    reading.offset = end;
    reading.check = check;
    reading.torn = 0;
    reading.seq += events.length;
    reading.line += events.length;
  }

  function saveSnapshot(lease: Lease): void {
    const { seq, offset, line, check, notices, damaged } = reading;
    if (snapshot === undefined || reading.newer !== undefined || check === undefined) return;
    try {
      lease.assertHeld();
      const state = fold.toPlain(reading.state);
      const place = { seq, offset, line, check, notices, damaged };
      const parts = { ...place, foldVersion: fold.version, state };
      reading.snapshotBytes = writeSnapshot(snapshot, parts);
      reading.tailBytes = 0;
      reading.tailEvents = 0;
    } catch {
      // The events are safe in the journal; a disk that is full shows itself at the next append.
    }
  }

  function tell(events: readonly Event<H>[]): void {
    for (const event of events) {
      for (const listener of listeners) {
        try {
          listener(event);
        } catch (error) {
          // What is written is written: a listener's failure must not look like the append's.
          const message = `A listener failed at event ${event.seq}: ${(error as Error).message}`;
          reading.notices.push({ message });
        }
      }
    }
  }

  return {
    get state() {
      return reading.state;
    },
    get seq() {
      return reading.seq;
    },
    get notices() {
      return noticesOf(reading);
    },
    assertWhole() {
      if (reading.damaged !== undefined) throw notWhole(path, reading.damaged);
    },
    refresh,
    append,
    since: (seq) => eventsAfter(reading, path, seq, fold.knows),
    onAppend(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    saveSnapshot,
  };
}

/**
 * A snapshot is due when reading the tail costs more than writing the state:
 * not for a few small events, and not for a tail that is short beside a large state.
 */
function isSnapshotDue<S>({ tailBytes, tailEvents, snapshotBytes }: Reading<S>): boolean {
  if (tailBytes <= Math.max(256 * 1024, snapshotBytes / 4)) return false;
  return tailEvents > 200 || tailBytes > 2 * 1024 * 1024;
}

function notWhole(path: string, line: number): RefusedError {
  return new RefusedError(
    `Cannot submit anything: line ${line} of "${path}" is damaged and may have told of a submission`,
    {
      hint: "See with squeue that no job of this sweep is left that `herd status` does not show; " +
        "then take the line out of the file, or put back a copy that is whole",
      facts: { damaged: line },
    },
  );
}

function newerHerd(path: string, what: string): RefusedError {
  return new RefusedError(`Cannot write to "${path}": ${what}`, {
    hint: "Update herd; this version can still show the workspace, without what it does not know",
    facts: { newer: true },
  });
}
