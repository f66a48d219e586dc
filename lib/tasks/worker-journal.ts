import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { readIfThere, replaceFile } from "../base/files.ts";
import { attemptName } from "./task.ts";
import type { AttemptReport, AttemptUse } from "./task.ts";
import { linesOf, plain, readJournalLines, takeLine } from "./worker-journal-lines.ts";
import type { JournalLine, KeptAttempt } from "./worker-journal-lines.ts";

/**
 * What a worker must not forget over its own death. One process may have it open: whoever opens
 * it holds a lease on its folder. Writing throws what the disk says, and then nothing has happened.
 */
export interface WorkerJournal {
  /** Attempts of former lives, each to be told of. */
  readonly kept: readonly KeptAttempt[];
  /** Lines that could not be read, for the log. */
  readonly damaged: number;
  /** A beginning for a new life that is later than that of every former one. */
  nextLife(now: number): number;
  /** The highest attempt of a task that was seen here; 0 for none. */
  lastEpoch(task: string): number;
  /** The last word of an attempt that was settled not too long ago. */
  wordOf(task: string, epoch: number): AttemptReport | undefined;
  /** On disk when it returns: only then may it be begun. */
  begin(task: string, epoch: number, at: number): void;
  /** Lost by a power cut at most. */
  note(task: string, epoch: number, use: readonly AttemptUse[]): void;
  end(task: string, epoch: number, report: AttemptReport): void;
  settle(task: string, epoch: number): void;
  close(): void;
}

const COMPACT_BYTES = 8 * 1024 * 1024;

/** Opens a worker's journal, or makes it. A torn end and damaged lines are left out. */
export function openWorkerJournal(path: string, compactBytes = COMPACT_BYTES): WorkerJournal {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const { kept, damaged } = readJournalLines(readIfThere(path) ?? "");
  let { file, size } = compact();
  let compactAt = size + compactBytes;

  function compact(): { file: number; size: number } {
    replaceFile(path, linesOf(kept).map(textOf).join(""), 0o600);
    const opened = openSync(path, "r+");
    return { file: opened, size: fstatSync(opened).size };
  }

  function append(line: JournalLine, durable: boolean): void {
    const bytes = Buffer.from(textOf(line));
    try {
      for (let at = 0; at < bytes.length;) {
        at += writeSync(file, bytes, at, bytes.length - at, size + at);
      }
      if (durable) fsyncSync(file);
    } catch (error) {
      // The next line begins at the same place.
      cutOff(file, size);
      throw error;
    }
    size += bytes.length;
    takeLine(kept, line);
    if (size > compactAt) renew();
  }

  function renew(): void {
    const old = file;
    try {
      ({ file, size } = compact());
      closeSync(old);
    } catch {
      // What was appended is safe; it is tried again after as much more.
    }
    compactAt = size + compactBytes;
  }

  return {
    kept: [...kept.open.values()].map((one) => ({ ...one })),
    damaged,
    nextLife(now) {
      const life = Math.max(Math.floor(now), kept.life + 1);
      append({ life }, true);
      return life;
    },
    lastEpoch: (task) => kept.seen.get(task) ?? 0,
    wordOf: (task, epoch) => kept.settled.get(attemptName(task, epoch))?.report,
    begin: (task, epoch, at) => append({ begun: { task, epoch, at } }, true),
    note: (task, epoch, use) => append({ used: { task, epoch, use: [...use] } }, false),
    end: (task, epoch, report) => append({ ended: { task, epoch, report: plain(report) } }, true),
    settle: (task, epoch) => append({ settled: { task, epoch } }, false),
    close: () => closeSync(file),
  };
}

function textOf(line: JournalLine): string {
  return `${JSON.stringify(line)}\n`;
}

function cutOff(file: number, size: number): void {
  try {
    ftruncateSync(file, size);
  } catch {
    // What is left of the half line is found damaged at the next opening, and left out.
  }
}
