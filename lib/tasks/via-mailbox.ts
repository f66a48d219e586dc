import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { FENCE_MS } from "./exchange.ts";
import type { WorkerOrders, WorkerReport } from "./exchange.ts";
import { readWorkerOrders } from "./exchange-schema.ts";
import { isClosed } from "./mailbox.ts";
import type { Letter, Mailbox, MailedFile } from "./mailbox.ts";
import { readEnvelope } from "./mailbox-envelope.ts";
import { attemptName } from "./task.ts";
import type { AttemptReport } from "./task.ts";
import { LinkError } from "./worker-link.ts";
import type { WorkerLink } from "./worker-link.ts";
import { createNews } from "./worker-news.ts";

export interface MailboxLinkParts {
  mailbox: Mailbox;
  worker: string;
  clock: Clock;
  /** Milliseconds that go on while the machine sleeps and never go back. */
  elapsed(): number;
  /** The files of a last word that are worth sending, within the limits of one message. */
  filesOf(report: AttemptReport): readonly MailedFile[];
  log: Pick<Log, "write">;
}

/** A report while something runs; its being there is what keeps the lease. */
export const MAIL_BUSY_MS = 65_000;
/** The same while nothing does. */
export const MAIL_IDLE_MS = 180_000;
/** Looks while letters come by themselves, in case one did not. */
const LIVE_LOOK_MS = 900_000;
const LOOK_MS = 60_000;
/** An answer is likely so soon after something was said that wants one. */
const SOON_MS: readonly number[] = [2_000, 5_000, 10_000, 20_000, 40_000];
/**
 * The same report again, so soon, is the one that stands there. Longer, and what the answer to it
 * brings could be begun later than the coordinator allows for.
 */
const SAME_MS = 5_000;
const FAREWELL_MS = 3_000;

/**
 * Reaches the coordinator through a mailbox. The report is this side's one letter: when it stands
 * there it was heard, for the coordinator goes by nothing else. Orders are the other side's letter,
 * and count as the answer to every later report, but for new work, which is offered to the life
 * and the report that it names.
 */
export function createMailboxLink(parts: MailboxLinkParts): WorkerLink & AsyncDisposable {
  const { mailbox, worker, clock, elapsed, log } = parts;
  const news = createNews(clock);
  /** Messages with files, by attempt. */
  const sent = new Map<string, { task: string; epoch: number; message: string }>();
  let writing: Promise<void> = Promise.resolve();
  let written: { key: string; number: number; same: number; at: number } | undefined;
  let arrived: Letter | undefined;
  let known: { orders: WorkerOrders; at: number } | undefined;
  let isSuperseded = false;
  /** What of the orders was given on already. */
  let given = new Set<string>();
  let lookedAt = -Infinity;
  let wasLive = false;
  /** The next report asks for something: a first answer, or an offer that came too late. */
  let asked = true;
  let last: WorkerReport | undefined;
  let soon: { from: number; step: number } | undefined;
  const stopListening = mailbox.onLetter((letter) => {
    arrived = letter;
    news.tell(0);
  });

  /** One after the other: a late change of a letter must not undo a later one. */
  function write(report: WorkerReport): Promise<void> {
    const mine = writing.then(() => writeNow(report));
    writing = mine.catch(() => {});
    return mine;
  }

  async function writeNow(report: WorkerReport): Promise<void> {
    const key = JSON.stringify({ ...report, number: 0 });
    const at = elapsed();
    if (written?.key === key && at - written.at <= SAME_MS) {
      written.same = report.number;
      return;
    }
    // Whatever becomes of this one, nothing that answers the one before counts any more.
    written = undefined;
    await sendFiles(report);
    const begun = elapsed();
    const files = report.attempts.flatMap((one) =>
      sent.get(attemptName(one.task, one.epoch)) ?? []
    );
    await mailbox.put({ line: lineOf(report), json: { v: 1, report, files } });
    // From before it was sent: it may have stood there since then.
    written = { key, number: report.number, same: report.number, at: begun };
    const wantsAnswer = asked || report.attempts.some(({ report }) => report !== undefined);
    soon = wantsAnswer ? { from: elapsed(), step: 0 } : undefined;
    asked = false;
    last = report;
  }

  /** Before the word that names them, so that they are there when it is heard. */
  async function sendFiles({ attempts }: WorkerReport): Promise<void> {
    for (const { task, epoch, report } of attempts) {
      const name = attemptName(task, epoch);
      if (report === undefined || sent.has(name)) continue;
      const files = report.end === "done" ? parts.filesOf(report) : [];
      if (files.length === 0) continue;
      const message = await mailbox.attach(`Files of ${name}`, files);
      sent.set(name, { task, epoch, message });
    }
    const told = new Set(attempts.map(({ task, epoch }) => attemptName(task, epoch)));
    for (const name of sent.keys()) if (!told.has(name)) sent.delete(name);
  }

  async function read(letter: Letter, incarnation: string, signal: AbortSignal): Promise<void> {
    const envelope = readEnvelope(await letter.text(signal));
    if (envelope?.orders === undefined) return;
    const orders = readWorkerOrders(JSON.stringify(envelope.orders));
    if ("wrong" in orders) {
      log.write("warn", `Cannot read the orders in the mailbox: ${orders.wrong}`);
      return;
    }
    if (orders.worker !== worker || (known !== undefined && letter.at < known.at)) return;
    if (orders.incarnation === incarnation) known = { orders, at: letter.at };
    // It spoke to this life before, and does now to another.
    else if (known !== undefined && letter.at > known.at) isSuperseded = true;
  }

  function nextLook(): number {
    const isLive = mailbox.isLive();
    // What came while it was not listening did not come by itself.
    if (isLive && !wasLive) lookedAt = -Infinity;
    wasLive = isLive;
    if (isLive) return lookedAt + LIVE_LOOK_MS;
    const early = soon === undefined ? undefined : SOON_MS[soon.step];
    return Math.min(
      lookedAt + LOOK_MS,
      early === undefined ? Infinity : soon!.from + early,
    );
  }

  async function look(incarnation: string, signal: AbortSignal): Promise<void> {
    lookedAt = elapsed();
    while (soon !== undefined && (SOON_MS[soon.step] ?? Infinity) + soon.from <= lookedAt) {
      soon.step++;
    }
    try {
      const { letter } = await mailbox.look(signal);
      if (letter !== undefined) await read(letter, incarnation, signal);
    } catch (error) {
      signal.throwIfAborted();
      // The report stands there; what there is to hear is looked for again.
      if (isClosed(error)) throw refused(error);
      log.write("info", `Cannot read the mailbox: ${(error as Error).message}`);
    }
  }

  /** The orders as they count for this report. */
  function answer(report: WorkerReport): WorkerOrders {
    const told = new Set(report.attempts.map(({ task, epoch }) => attemptName(task, epoch)));
    const isTold = (one: { task: string; epoch: number }) =>
      told.has(attemptName(one.task, one.epoch));
    const { orders } = known ?? {};
    const isSame = written !== undefined && orders?.number === written.number &&
      (report.number === written.number || report.number === written.same);
    return {
      worker,
      incarnation: report.incarnation,
      number: report.number,
      assign: isSame ? orders!.assign.filter((one) => !isTold(one)) : [],
      cancel: orders?.cancel.filter(isTold) ?? [],
      settled: orders?.settled.filter(isTold) ?? [],
      drain: orders?.drain ?? false,
      stop: orders?.stop ?? false,
      fenceMs: orders?.fenceMs ?? FENCE_MS,
      dismissed: isSuperseded ? `another worker "${worker}" was started` : orders?.dismissed,
    };
  }

  function isNew(orders: WorkerOrders): boolean {
    return partsOf(orders).some((part) => !given.has(part));
  }

  function give(orders: WorkerOrders): WorkerOrders {
    given = new Set(partsOf(orders));
    if (orders.assign.length > 0) asked = true;
    return orders;
  }

  async function wait(report: WorkerReport, waitMs: number, signal: AbortSignal) {
    const until = elapsed() + waitMs;
    for (;;) {
      news.clear();
      const letter = arrived;
      arrived = undefined;
      if (letter !== undefined) {
        await read(letter, report.incarnation, signal).catch(() => {
          arrived ??= letter;
          signal.throwIfAborted();
          // A file that cannot be fetched now: it is looked for.
          arrived = undefined;
          lookedAt = -Infinity;
        });
      }
      if (elapsed() >= nextLook() && waitMs > 0) await look(report.incarnation, signal);
      const orders = answer(report);
      const left = until - elapsed();
      if (left <= 0 || isNew(orders)) return give(orders);
      await news.wait(Math.max(100, Math.min(left, nextLook() - elapsed())), signal);
      signal.throwIfAborted();
    }
  }

  return {
    async exchange(report, { signal, waitMs }) {
      signal.throwIfAborted();
      try {
        await unless(signal, write(report));
      } catch (error) {
        signal.throwIfAborted();
        if (isClosed(error)) throw refused(error);
        throw new LinkError("unreachable", (error as Error).message);
      }
      return await wait(report, waitMs, signal);
    },
    /** Says that it goes, so that nothing is offered to it meanwhile. */
    async [Symbol.asyncDispose]() {
      stopListening();
      if (last === undefined || last.leaving || last.attempts.length > 0) return;
      const limit = new AbortController();
      const late = clock.sleep(FAREWELL_MS, limit.signal).catch(() => {});
      const told = write({ ...last, number: last.number + 1_000, leaving: true }).catch(() => {});
      await Promise.race([told, late]);
      limit.abort();
    },
  };
}

function partsOf({ assign, cancel, settled, stop, dismissed, number }: WorkerOrders): string[] {
  return [
    ...assign.map(({ task, epoch }) => `assign ${task}:${epoch} ${number}`),
    ...cancel.map(({ task, epoch }) => `cancel ${task}:${epoch}`),
    ...settled.map(({ task, epoch }) => `settled ${task}:${epoch}`),
    ...(stop ? ["stop"] : []),
    ...(dismissed === undefined ? [] : ["dismissed"]),
  ];
}

/** `[CLAIMED] w4: t-abc:1 (tool bash), 1 of 2 slots`. */
function lineOf({ worker, attempts, slots, leaving, host }: WorkerReport): string {
  const running = attempts.filter(({ report }) => report === undefined);
  if (attempts.some(({ report }) => report?.end === "fenced")) {
    return `[FENCED] ${worker}: lost touch and ended its work`;
  }
  const word = leaving ? "DRAINING" : running.length > 0 ? "CLAIMED" : "READY";
  const ended = attempts.length - running.length;
  const doing = running.slice(0, 3).map(({ task, epoch, phase }) =>
    `${attemptName(task, epoch)}${phase === "" ? "" : ` (${phase.slice(0, 40)})`}`
  );
  const words = [
    ...doing,
    ...(ended > 0 ? [`${ended} with a result`] : []),
    `${running.length} of ${slots} slots`,
    host,
  ];
  return `[${word}] ${worker}: ${words.join(", ")}`;
}

function refused(error: unknown): LinkError {
  return new LinkError(
    "refused",
    `The mailbox is ${isClosed(error) === "missing" ? "gone" : "closed to this bot"}: ` +
      `${(error as Error).message}; enrol the worker again for a new one`,
  );
}

/** What goes on when nobody waits for it any more. */
async function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const over = Promise.withResolvers<never>();
  const stop = () => over.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, over.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
    work.catch(() => {});
  }
}
