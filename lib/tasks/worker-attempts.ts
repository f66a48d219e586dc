import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { TAKE_UP_MS } from "./exchange.ts";
import type { Assignment, WorkerAttempt, WorkerOrders } from "./exchange.ts";
import { BOUNDS } from "./exchange-schema.ts";
import type { SandboxLevel } from "./sandbox.ts";
import { attemptName } from "./task.ts";
import type { AttemptReport, AttemptUse } from "./task.ts";
import type { WorkerJournal } from "./worker-journal.ts";
import { FENCED } from "./worker-runner.ts";
import type { AttemptRunner, RunningAttempt } from "./worker-runner.ts";
import { crashWord, fencedWord, fitUse, fitWord, tellable } from "./worker-words.ts";

export interface WorkerAttemptsParts {
  runner: AttemptRunner;
  journal: WorkerJournal;
  clock: Pick<Clock, "now">;
  /** Milliseconds that go on while the machine sleeps and never go back. */
  elapsed(): number;
  slots: number;
  sandboxes: readonly SandboxLevel[];
  /** To be told within so many milliseconds. */
  onNews(withinMs: number): void;
  /** Phases and tokens, which change all the time; 5 s by default. */
  laterMs?: number;
  log: Pick<Log, "write">;
}

/** The attempts that a worker has, running or ended with a word that nobody has heard yet. */
export interface WorkerAttempts {
  /** Begins what may be begun; the answer's report was sent at `sentAt`. */
  take(assignments: readonly Assignment[], sentAt: number): void;
  /** Notes which attempts a report tells of, and gives them. */
  tell(number: number): WorkerAttempt[];
  /** A report that was sent at `sentAt` was heard. */
  confirm(report: { number: number; sentAt: number }, fenceMs: number): void;
  /** Ends what was not confirmed for too long. Milliseconds until the next deadline. */
  fence(): number | undefined;
  cancel(orders: WorkerOrders["cancel"]): void;
  cancelAll(reason: string): void;
  settle(orders: WorkerOrders["settled"]): void;
  /** Attempts of former lives are told of again, what was running as crashed. */
  adopt(folderOf: (name: string) => string): void;
  running(): readonly { task: string; epoch: number; phase: string }[];
  /** Ended ones with a word that nobody has heard. */
  untold(): number;
  allEnded(): Promise<void>;
}

interface Held {
  task: string;
  epoch: number;
  startedAt: number;
  phase: string;
  use: readonly AttemptUse[];
  report: AttemptReport | undefined;
  /** When the report was sent whose answer brought it. */
  takenAt: number;
  /** First report that told of it. */
  toldIn: number | undefined;
  confirmed: boolean;
  isFenced: boolean;
  running: RunningAttempt | undefined;
  over: Promise<void>;
}

/** Beginnings and ends. */
const SOON_MS = 200;
const LATER_MS = 5_000;
/** An answer that took longer leaves too little time to confirm what it brings. */
const STALE_OFFER_MS = TAKE_UP_MS * 2 / 3;

export function createWorkerAttempts(parts: WorkerAttemptsParts): WorkerAttempts {
  const { journal, clock, elapsed, log, laterMs = LATER_MS } = parts;
  const held = new Map<string, Held>();
  let confirmedAt = -Infinity;
  let fenceMs = Infinity;

  const live = () => [...held.values()].filter(({ report }) => report === undefined);

  function hold(one: Pick<Held, "task" | "epoch" | "startedAt" | "use" | "report">): Held {
    const made: Held = {
      ...one,
      phase: "",
      takenAt: 0,
      toldIn: undefined,
      confirmed: false,
      isFenced: false,
      running: undefined,
      over: Promise.resolve(),
    };
    held.set(attemptName(one.task, one.epoch), made);
    parts.onNews(SOON_MS);
    return made;
  }

  function begin(assignment: Assignment, takenAt: number): void {
    const { task, epoch } = assignment;
    const startedAt = clock.now();
    const bare = { task, epoch, startedAt, use: [] };
    const unable = (cause: string, end: "crashed" | "refused") =>
      crashWord(bare, { end, cause, folder: "", at: startedAt });
    if (!parts.sandboxes.includes(assignment.sandbox.level)) {
      const cause = `This machine cannot keep sandbox level "${assignment.sandbox.level}"`;
      hold({ ...bare, report: unable(cause, "refused") });
      return;
    }
    try {
      journal.begin(task, epoch, startedAt);
    } catch (error) {
      // Not begun and not written: no word of it either, and the offer goes to somebody else.
      log.write("error", "Cannot begin an attempt: the worker's journal cannot be written", {
        attempt: attemptName(task, epoch),
        error: (error as Error).message,
      });
      return;
    }
    const one = hold({ ...bare, report: undefined });
    one.takenAt = takenAt;
    try {
      one.running = parts.runner.start(assignment, hooksOf(one));
    } catch (error) {
      end(one, unable(`Cannot start the attempt: ${(error as Error).message}`, "crashed"));
      return;
    }
    one.over = one.running.ended.then(
      (report) => end(one, report),
      (error) => end(one, unable(`The attempt was lost: ${(error as Error).message}`, "crashed")),
    );
  }

  function hooksOf(one: Held) {
    return {
      deadManMs: Math.max(1, one.takenAt + TAKE_UP_MS - elapsed()),
      onUse(use: readonly AttemptUse[]) {
        if (one.report !== undefined) return;
        one.use = fitUse(use);
        quietly(() => journal.note(one.task, one.epoch, one.use));
        parts.onNews(laterMs);
      },
      onProgress(phase: string) {
        one.phase = phase.slice(0, BOUNDS.phase).toWellFormed();
        parts.onNews(laterMs);
      },
    };
  }

  function end(one: Held, report: AttemptReport): void {
    const word = fitWord(one.isFenced ? fencedWord(report) : report);
    one.report = word;
    one.use = word.use;
    one.running = undefined;
    quietly(() => journal.end(one.task, one.epoch, word));
    parts.onNews(SOON_MS);
  }

  /** The attempt is over all the same, and its word is told as long as this process lives. */
  function quietly(write: () => void): void {
    try {
      write();
    } catch (error) {
      log.write("error", "The worker's journal cannot be written", {
        error: (error as Error).message,
      });
    }
  }

  function take(assignments: readonly Assignment[], sentAt: number): void {
    if (elapsed() - sentAt > STALE_OFFER_MS) return;
    for (const one of assignments) {
      const { task, epoch } = one;
      if (held.has(attemptName(task, epoch))) continue;
      const last = journal.lastEpoch(task);
      // Numbers go up: the offer is withdrawn, and the next one is higher.
      if (epoch < last) continue;
      if (epoch === last) repeat(one);
      else if (live().length < parts.slots) begin(one, sentAt);
    }
  }

  /** It was run here before: the same answer again, or that it is not known any more. */
  function repeat({ task, epoch }: Assignment): void {
    const at = clock.now();
    const cause = "It was run by this worker before, and its answer is not kept any more";
    const report = journal.wordOf(task, epoch) ??
      crashWord({ startedAt: at, use: [] }, { end: "crashed", cause, folder: "", at });
    hold({ task, epoch, startedAt: report.startedAt, use: report.use, report });
  }

  function deadlineOf({ confirmed, takenAt }: Held): number {
    return confirmed ? confirmedAt + fenceMs : takenAt + TAKE_UP_MS;
  }

  function fence(): number | undefined {
    const now = elapsed();
    let next: number | undefined;
    for (const one of live()) {
      const left = deadlineOf(one) - now;
      if (left > 0) next = Math.min(next ?? Infinity, left);
      else if (!one.isFenced) {
        one.isFenced = true;
        one.phase = FENCED;
        one.running?.cancel(FENCED);
      }
    }
    return next;
  }

  return {
    take,
    fence,
    tell(number) {
      for (const one of held.values()) one.toldIn ??= number;
      return tellable(
        [...held.values()].map(({ task, epoch, phase, use, report }) => (
          { task, epoch, phase, use, report }
        )),
      );
    },
    confirm({ number, sentAt }, nextFenceMs) {
      // Who was away too long is told so before anything is renewed.
      fence();
      fenceMs = nextFenceMs;
      confirmedAt = Math.max(confirmedAt, sentAt);
      const leftMs = confirmedAt + fenceMs - elapsed();
      for (const one of live()) {
        if (one.toldIn !== undefined && one.toldIn <= number) one.confirmed = true;
        if (one.confirmed && !one.isFenced && leftMs > 0) one.running?.renew(leftMs);
      }
    },
    cancel(orders) {
      for (const { task, epoch, why } of orders) {
        held.get(attemptName(task, epoch))?.running?.cancel(why);
      }
    },
    cancelAll(reason) {
      for (const one of live()) one.running?.cancel(reason);
    },
    settle(orders) {
      for (const { task, epoch } of orders) {
        const name = attemptName(task, epoch);
        if (held.get(name)?.report === undefined) continue;
        quietly(() => journal.settle(task, epoch));
        held.delete(name);
      }
    },
    adopt(folderOf) {
      for (const one of journal.kept) {
        const { task, epoch } = one;
        const cause = "The worker ended while it ran";
        const folder = folderOf(attemptName(task, epoch));
        const word = one.report ??
          crashWord(one, { end: "crashed", cause, folder, at: clock.now() });
        hold({ ...one, report: word });
        if (one.report === undefined) quietly(() => journal.end(task, epoch, word));
      }
    },
    running: () => live().map(({ task, epoch, phase }) => ({ task, epoch, phase })),
    untold: () => held.size - live().length,
    async allEnded() {
      await Promise.all(live().map(({ over }) => over));
    },
  };
}
