import { randomUUID } from "node:crypto";
import { uptime } from "node:os";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { EXCHANGE_SCHEMA } from "./exchange.ts";
import type { WorkerOrders, WorkerReport } from "./exchange.ts";
import type { SandboxLevel } from "./sandbox.ts";
import { createWorkerAttempts } from "./worker-attempts.ts";
import type { AttemptRunner } from "./worker-runner.ts";
import type { WorkerFiles } from "./worker-files.ts";
import type { WorkerJournal } from "./worker-journal.ts";
import { LinkError, saysMore } from "./worker-link.ts";
import type { WorkerLink } from "./worker-link.ts";
import { createNews } from "./worker-news.ts";

export interface WorkerIdentity {
  worker: string;
  version: string;
  host: string;
  slots: number;
  labels: readonly string[];
  sandboxes: readonly SandboxLevel[];
}

export interface WorkerParts {
  link: WorkerLink;
  runner: AttemptRunner;
  journal: WorkerJournal;
  /** What attempts left on this machine. */
  files?: WorkerFiles;
  /** Ends agents of former lives before anything else; what is known of each, by `TASK:EPOCH`. */
  endLeftOvers(): Promise<readonly { name: string; folder: string }[]>;
  clock: Clock;
  /** Milliseconds that go on while the machine sleeps and never go back; since boot by default. */
  elapsed?: () => number;
  random?: () => number;
  identity: WorkerIdentity;
  /** A report at least so often; milliseconds, 15 s by default. */
  everyMs?: number;
  /** The same while there is nothing to tell; `everyMs` by default. */
  idleEveryMs?: number;
  /** What changes all the time, such as tokens, is told within so long: 5 s by default. */
  laterMs?: number;
  onStatus(status: WorkerState): void;
  log: Pick<Log, "write">;
  /** Why its attempts end when it is stopped; "the worker was stopped" by default. */
  partingWord?: string;
}

/** How a worker is, for whoever runs it. */
export interface WorkerState {
  /** Whether the coordinator answers; `new` before the first answer. */
  link: "new" | "there" | "away";
  /** Why it is away; empty otherwise. */
  trouble: string;
  drain: boolean;
  leaving: boolean;
  running: readonly { task: string; epoch: number; phase: string }[];
  /** Ended attempts whose last word nobody has heard yet. */
  untold: number;
}

/** `left`: it was asked to; `stopped`: its signal; `dismissed`: the coordinator wants it no more. */
export interface WorkerEnd {
  kind: "left" | "stopped" | "dismissed";
  why: string;
}

export interface Worker extends AsyncDisposable {
  /** Works until it ends; once. When it resolves nothing of it runs any more. */
  run(signal: AbortSignal): Promise<WorkerEnd>;
  /** Finishes what runs, takes nothing new, then ends. */
  leave(): void;
  /** Ends what still runs, for this reason. */
  endAll(why: string): void;
  status(): WorkerState;
}

const EVERY_MS = 15_000;
/** Orders that change nothing here are not asked for again and again. */
const PAUSE_MS = 5_000;
/** A machine that was asleep finds out so soon that it was. */
const LOOK_MS = 5_000;
const SOON_MS = 200;
const FIRST_BACK_OFF_MS = 1_000;
const LONGEST_BACK_OFF_MS = 60_000;
/** So long a leaving worker tries to tell its last words; they are kept for its next life. */
const PARTING_MS = 60_000;
const LAST_REPORT_MS = 3_000;

/** Runs attempts for a coordinator: tells all it knows, does what it is told, both again and again. */
export function createWorker(parts: WorkerParts): Worker {
  const { link, journal, clock, identity, log, everyMs = EVERY_MS } = parts;
  const { idleEveryMs = everyMs } = parts;
  const { elapsed = () => uptime() * 1000, random = Math.random } = parts;
  const news = createNews(clock);
  const over = new AbortController();
  const gone = new AbortController();
  const incarnation = randomUUID();
  const attempts = createWorkerAttempts({
    runner: parts.runner,
    journal,
    clock,
    elapsed,
    slots: identity.slots,
    sandboxes: identity.sandboxes,
    ...(parts.laterMs === undefined ? {} : { laterMs: parts.laterMs }),
    log,
    onNews(withinMs) {
      news.tell(withinMs);
      show();
    },
  });
  let startedAt = 0;
  let number = 0;
  let obeyed = -1;
  let failures = 0;
  let trouble = "";
  let drain = false;
  let leaving = false;
  let isFarewellHeard = false;
  let idleSince: number | undefined;
  let dismissed: string | undefined;
  let shown = "";
  let watching = false;
  let current: AbortController | undefined;
  let ended: Promise<WorkerEnd> | undefined;
  over.signal.addEventListener("abort", () => current?.abort(over.signal.reason));

  function status(): WorkerState {
    const heard = obeyed >= 0 ? "there" : "new";
    return {
      link: failures > 0 ? "away" : heard,
      trouble,
      drain,
      leaving,
      running: attempts.running(),
      untold: attempts.untold(),
    };
  }

  function show(): void {
    const now = status();
    const text = JSON.stringify(now);
    if (text === shown) return;
    shown = text;
    parts.onStatus(now);
  }

  async function work(): Promise<WorkerEnd> {
    startedAt = journal.nextLife(clock.now());
    if (journal.damaged > 0) {
      log.write("warn", "The worker's journal has damaged lines", { lines: journal.damaged });
    }
    const left = new Map((await parts.endLeftOvers()).map(({ name, folder }) => [name, folder]));
    attempts.adopt((name) => left.get(name) ?? "");
    news.tell(0);
    while (!over.signal.aborted && dismissed === undefined && !hasLeft()) await round();
    const end = endOf();
    await part(end.why);
    return end;
  }

  function endOf(): WorkerEnd {
    if (dismissed !== undefined) return { kind: "dismissed", why: dismissed };
    return hasLeft()
      ? { kind: "left", why: "" }
      : { kind: "stopped", why: parts.partingWord ?? "the worker was stopped" };
  }

  function hasLeft(): boolean {
    if (!leaving || attempts.running().length > 0) {
      idleSince = undefined;
      return false;
    }
    idleSince ??= elapsed();
    return (isFarewellHeard && attempts.untold() === 0) || elapsed() - idleSince > PARTING_MS;
  }

  /** Ends what runs, and tries once to say so. */
  async function part(why: string): Promise<void> {
    attempts.cancelAll(why);
    await attempts.allEnded();
    if (attempts.untold() === 0) return;
    const limit = new AbortController();
    const awake = new AbortController();
    const late = clock.sleep(LAST_REPORT_MS, awake.signal).then(() => limit.abort(), () => {});
    try {
      const report = makeReport(true);
      const orders = await link.exchange(report, { signal: limit.signal, waitMs: 0 });
      if (isForUs(orders)) attempts.settle(orders.settled);
    } catch {
      // The words are in the journal.
    } finally {
      awake.abort();
      await late;
    }
  }

  function makeReport(isLeaving: boolean): WorkerReport {
    number++;
    const kept = parts.files?.kept(attempts.running());
    return {
      schema: EXCHANGE_SCHEMA,
      ...identity,
      incarnation,
      startedAt,
      number,
      leaving: isLeaving,
      attempts: attempts.tell(number),
      ...(kept === undefined ? {} : { kept }),
    };
  }

  async function round(): Promise<void> {
    attempts.fence();
    const isNews = news.isDue();
    if (isNews) news.clear();
    const report = makeReport(leaving);
    const sentAt = elapsed();
    const asking = current = new AbortController();
    // News is told at once: a long wait for an answer is cut off for it.
    const heed = new AbortController();
    const cut = isNews ? undefined : news.wait(Infinity, heed.signal).then(() => asking.abort());
    try {
      const isIdle = report.attempts.length === 0;
      const pauseMs = isIdle ? idleEveryMs : everyMs;
      const how = { signal: asking.signal, waitMs: isNews ? 0 : pauseMs };
      const orders = await link.exchange(report, how);
      if (!isForUs(orders)) throw new LinkError("unreadable", "The answer is for another worker");
      obey(orders, report, sentAt);
      if (isNews || news.isDue()) return;
      await rest(sentAt + (saysMore(orders, report) ? PAUSE_MS : pauseMs) - elapsed());
    } catch (error) {
      if (asking.signal.aborted) return;
      await away(error);
    } finally {
      heed.abort();
      await cut;
    }
  }

  function isForUs(orders: WorkerOrders): boolean {
    return orders.worker === identity.worker && orders.incarnation === incarnation &&
      orders.number <= number;
  }

  function obey(orders: WorkerOrders, report: WorkerReport, sentAt: number): void {
    // Before all else: who was frozen for too long has lost its attempts, whatever is said now.
    attempts.fence();
    failures = 0;
    trouble = "";
    attempts.settle(orders.settled);
    // Who leaves says so as soon as nothing is left to tell.
    if (leaving && orders.settled.length > 0) news.tell(SOON_MS);
    attempts.cancel(orders.cancel);
    // An older answer tells what was once; only the one to the newest report tells what is.
    if (orders.number !== report.number) return;
    obeyed = orders.number;
    attempts.confirm({ number: orders.number, sentAt }, orders.fenceMs);
    parts.files?.forget(orders.forget ?? [], attempts.running());
    parts.files?.send(orders.send ?? []);
    drain = orders.drain;
    dismissed = orders.dismissed;
    if (report.leaving && report.attempts.length === 0) isFarewellHeard = true;
    if (orders.stop) attempts.cancelAll(dismissed ?? "the pool was stopped");
    else if (!orders.drain && !leaving) attempts.take(orders.assign, sentAt);
    void watch();
    show();
  }

  /** Looks after the deadlines as long as there are any. */
  async function watch(): Promise<void> {
    if (watching) return;
    watching = true;
    for (let ms = attempts.fence(); ms !== undefined; ms = attempts.fence()) {
      await clock.sleep(Math.min(Math.max(ms, 100), LOOK_MS), gone.signal).catch(() => {});
      if (gone.signal.aborted) return;
    }
    watching = false;
  }

  async function away(error: unknown): Promise<void> {
    const message = (error as Error).message;
    if (message !== trouble) log.write("warn", message);
    trouble = message;
    const window = Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** Math.min(failures, 30));
    failures++;
    show();
    // Half of it at random: many who lost the same coordinator do not return together.
    await clock.sleep(window / 2 + random() * window / 2, over.signal).catch(() => {});
    news.tell(0);
  }

  async function rest(ms: number): Promise<void> {
    if (ms > 0) await news.wait(ms, over.signal);
  }

  return {
    run(signal) {
      if (ended !== undefined) throw new Error("A worker is run once");
      const stop = () => over.abort(signal.reason);
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop, { once: true });
      ended = work().finally(() => {
        signal.removeEventListener("abort", stop);
        gone.abort();
      });
      return ended;
    },
    leave() {
      leaving = true;
      news.tell(SOON_MS);
      show();
    },
    endAll: attempts.cancelAll,
    status,
    async [Symbol.asyncDispose]() {
      over.abort();
      await ended?.catch(() => {});
      await parts.files?.[Symbol.asyncDispose]();
    },
  };
}
