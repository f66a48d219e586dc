import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Coordinator } from "./coordinator.ts";
import { GRACE_MS, LEASE_MS, OFFER_MS } from "./exchange.ts";
import type { WorkerOrders, WorkerReport } from "./exchange.ts";
import { readWorkerReport } from "./exchange-schema.ts";
import { isClosed } from "./mailbox.ts";
import type { Letter, Mailbox, MailedFile } from "./mailbox.ts";
import { readEnvelope } from "./mailbox-envelope.ts";
import type { PoolDesk } from "./pool-desk.ts";
import { attemptName, isOver } from "./task.ts";
import { saysMore } from "./worker-link.ts";
import { createNews } from "./worker-news.ts";

export interface MailboxDoorParts {
  worker: string;
  mailbox: Mailbox;
  desk:
    & Pick<PoolDesk, "ordersFor" | "onChange" | "state">
    & Pick<Coordinator, "exchange" | "looked">;
  clock: Clock;
  /** Keeps files that came with an attempt's last word, as far as that names them. */
  keep(
    attempt: { task: string; epoch: number },
    report: WorkerReport,
    files: readonly MailedFile[],
  ): Promise<void>;
  /** Told to people: what is wrong with the mailbox; undefined when all is well. */
  onTrouble(trouble: string | undefined): void;
  log: Pick<Log, "write">;
}

/** The coordinator's side of one worker's mailbox. */
export interface MailboxDoor extends AsyncDisposable {
  start(): void;
  /** Something may have been missed: it is looked into at once. */
  wake(): void;
  /** The worker is not in the pool any more: that is said to it, and no more is listened. */
  retire(): Promise<void>;
}

/** Its report is due every minute; two are missing. */
const BUSY_OVERDUE_MS = 150_000;
/** Due every three minutes while it has nothing to do. */
const IDLE_OVERDUE_MS = 400_000;
/** However overdue a report is, the mailbox is not read oftener. */
const LEAST_LOOK_MS = 10_000;
/** Looks at one whose lease is over: two of them, so far apart, are a proof. */
const DOUBT_LOOK_MS = 35_000;
/** Looks at one that is away. */
const AWAY_LOOK_MS = 600_000;
/** Looks while nothing comes by itself. */
const DEAF_LOOK_MS = 60_000;
const DEAF_ASKED_LOOK_MS = 10_000;
/** An offer, a cancel: what is not heeded is written anew after so long. */
const AGAIN_MS = 180_000;
/** So long a worker that was removed may still tell what became of its work. */
const REVOKED_MS = 20 * 60_000;
const SOON_MS = 200;
const FIRST_BACK_OFF_MS = 5_000;
const LONGEST_BACK_OFF_MS = 120_000;

export function createMailboxDoor(parts: MailboxDoorParts): MailboxDoor {
  const { worker, mailbox, desk, clock, log } = parts;
  const news = createNews(clock);
  const over = new AbortController();
  /** Letters that came by themselves and were not read yet. */
  let arrived: Letter | undefined;
  let report: WorkerReport | undefined;
  /** When the worker wrote last, by the mailbox's clock. */
  let heardAt: number | undefined;
  let lookedAt = -Infinity;
  /** How long it was silent at the last look. */
  let silentThen = 0;
  let wasLive = false;
  let written: { key: string; flags: string; at: number } | undefined;
  let missingSince: number | undefined;
  let emptySince: number | undefined;
  let removedAt: number | undefined;
  let failures = 0;
  let trouble: string | undefined;
  let kept = new Set<string>();
  let working: Promise<void> | undefined;
  const stops: (() => void)[] = [];

  function complain(now: string | undefined): void {
    if (now === trouble) return;
    trouble = now;
    if (now !== undefined) log.write("warn", `The mailbox of worker "${worker}": ${now}`);
    parts.onTrouble(now);
  }

  function silentMs(): number {
    return heardAt === undefined ? Infinity : Math.max(0, mailbox.now() - heardAt);
  }

  function hasWork(): boolean {
    const isIts = [...desk.state().tasks.values()].some((task) => {
      const attempt = task.attempts.at(-1);
      if (isOver(task) || task.status === "queued" || attempt?.worker !== worker) return false;
      return attempt.acceptedAt !== undefined || clock.now() - attempt.assignedAt > OFFER_MS;
    });
    return isIts || (report?.attempts.length ?? 0) > 0;
  }

  /** Milliseconds until the next look is due; 0 and less: now. */
  function untilLook(): number {
    if (isRevoked()) return lookedAt + DOUBT_LOOK_MS - clock.now();
    const isLive = mailbox.isLive();
    if (isLive && !wasLive) lookedAt = -Infinity;
    wasLive = isLive;
    const since = clock.now() - lookedAt;
    if (lookedAt === -Infinity) return 0;
    const silent = silentMs();
    const busy = hasWork();
    if (!isLive) {
      const asked = written !== undefined && report !== undefined && isAsked(report);
      return (asked ? DEAF_ASKED_LOOK_MS : DEAF_LOOK_MS) - since;
    }
    const least = LEAST_LOOK_MS - since;
    const points = busy ? [BUSY_OVERDUE_MS, LEASE_MS + GRACE_MS + 1_000] : [IDLE_OVERDUE_MS];
    const next = points.find((one) => one > silentThen);
    if (next !== undefined) return Math.max(least, next - silent);
    return Math.max(least, (busy ? DOUBT_LOOK_MS : AWAY_LOOK_MS) - since);
  }

  /** Whether an answer of the worker is likely soon. */
  function isAsked(to: WorkerReport): boolean {
    return clock.now() - (written?.at ?? -Infinity) < AGAIN_MS && saysMore(desk.ordersFor(to), to);
  }

  /** It was told to end, and had the time to. */
  function isRevoked(): boolean {
    if (desk.state().workers.has(worker)) removedAt = undefined;
    else removedAt ??= clock.now();
    return removedAt !== undefined && clock.now() - removedAt > REVOKED_MS;
  }

  async function look(): Promise<void> {
    lookedAt = clock.now();
    if (isRevoked()) return nothingThere();
    let seen: Awaited<ReturnType<Mailbox["look"]>>;
    try {
      seen = await mailbox.look(over.signal);
      missingSince = undefined;
    } catch (error) {
      if (isClosed(error) === "missing") gone();
      throw error;
    }
    const { letter, now } = seen;
    if (letter === undefined) {
      silentThen = Infinity;
      // Somebody may have deleted it: its worker writes it anew when it is due.
      emptySince ??= clock.now();
      return nothingThere(clock.now() - emptySince);
    }
    emptySince = undefined;
    await take(letter);
    silentThen = Math.max(0, now - letter.at);
    // What is told of a letter counts for the report that it holds only.
    if (report === undefined || letter.at !== heardAt) return;
    const { incarnation, number } = report;
    desk.looked(worker, { incarnation, number, silentMs: Math.max(0, now - letter.at) });
  }

  /** Who cannot write there hears that, and ends its work by itself. */
  function gone(): void {
    missingSince ??= clock.now();
    nothingThere(clock.now() - missingSince);
  }

  function nothingThere(silent = Infinity): void {
    const { incarnation = "", number = 0 } = report ?? {};
    desk.looked(worker, { incarnation, number, silentMs: silent });
  }

  async function take(letter: Letter): Promise<void> {
    if (isRevoked()) return;
    const envelope = readEnvelope(await letter.text(over.signal));
    if (envelope?.report === undefined) return;
    const told = readWorkerReport(JSON.stringify(envelope.report));
    if ("wrong" in told || told.worker !== worker) {
      const why = "wrong" in told ? told.wrong : `it is of worker "${told.worker}"`;
      log.write("warn", `Cannot read a report in the mailbox of worker "${worker}": ${why}`);
      return;
    }
    const isSame = report?.incarnation === told.incarnation && told.number <= report.number;
    if (isSame) {
      if (told.number === report!.number) hear(letter.at);
      return;
    }
    await keepFiles(told, envelope.files);
    desk.exchange(told, Math.max(0, mailbox.now() - letter.at));
    report = told;
    hear(letter.at);
  }

  function hear(at: number): void {
    if (heardAt === undefined || at > heardAt) silentThen = 0;
    heardAt = at;
  }

  /** Once for each attempt; a file that cannot be had does not hold up the word that names it. */
  async function keepFiles(
    told: WorkerReport,
    files: readonly { task: string; epoch: number; message: string }[],
  ): Promise<void> {
    const names = new Set(told.attempts.map(({ task, epoch }) => attemptName(task, epoch)));
    kept = new Set([...kept].filter((name) => names.has(name)));
    for (const { task, epoch, message } of files) {
      const name = attemptName(task, epoch);
      const isIts = desk.state().tasks.get(task)?.attempts.some((one) =>
        one.epoch === epoch && one.worker === worker
      );
      if (kept.has(name) || !names.has(name) || isIts !== true) continue;
      kept.add(name);
      try {
        const found = await mailbox.files(message, over.signal);
        await parts.keep({ task, epoch }, told, found);
      } catch (error) {
        over.signal.throwIfAborted();
        log.write("warn", `Cannot fetch the files of ${name}: ${(error as Error).message}`);
      }
    }
  }

  /** Writes what is news; what stands there already, or says nothing, costs nothing. */
  async function answer(): Promise<void> {
    if (report === undefined || silentMs() > LEASE_MS + GRACE_MS) return;
    const orders = desk.ordersFor(report);
    const { key, flags } = keysOf(orders);
    const more = saysMore(orders, report);
    const isNews = written === undefined || flags !== written.flags ||
      (more && (key !== written.key || clock.now() - written.at >= AGAIN_MS));
    if (!isNews) return;
    await mailbox.put({ line: lineOf(orders), json: { v: 1, orders } });
    written = { key, flags, at: clock.now() };
  }

  async function round(): Promise<void> {
    const letter = arrived;
    arrived = undefined;
    try {
      if (letter !== undefined) await take(letter);
      if (untilLook() <= 0) await look();
      await answer();
      failures = 0;
      complain(undefined);
    } catch (error) {
      if (over.signal.aborted) return;
      failures++;
      const closed = isClosed(error);
      const what = closed === "missing" ? "it was deleted" : (error as Error).message;
      complain(closed === undefined ? what : `${what}; enrol the worker again for a new one`);
      // What was not taken in is looked for.
      if (closed === undefined) lookedAt = -Infinity;
    }
  }

  async function work(): Promise<void> {
    while (!over.signal.aborted) {
      news.clear();
      await round();
      if (failures > 0) {
        const wait = FIRST_BACK_OFF_MS * 2 ** Math.min(failures - 1, 10);
        await clock.sleep(Math.min(LONGEST_BACK_OFF_MS, wait), over.signal).catch(() => {});
        continue;
      }
      const again = written === undefined ? AGAIN_MS : written.at + AGAIN_MS - clock.now();
      const wait = Math.min(untilLook(), again > 0 ? again : AGAIN_MS);
      await news.wait(Math.max(SOON_MS, wait), over.signal);
    }
  }

  async function end(): Promise<void> {
    stops.forEach((stop) => stop());
    over.abort(new Error("The mailbox is not listened to any more"));
    await working;
  }

  return {
    start() {
      if (working !== undefined) return;
      stops.push(
        mailbox.onLetter((letter) => {
          arrived = letter;
          news.tell(0);
        }),
        desk.onChange(() => news.tell(SOON_MS)),
      );
      working = work();
    },
    wake() {
      lookedAt = -Infinity;
      news.tell(0);
    },
    async retire() {
      await end();
      if (report === undefined) return;
      const orders = desk.ordersFor(report);
      try {
        if (orders.dismissed !== undefined) {
          await mailbox.put({ line: lineOf(orders), json: { v: 1, orders } });
        }
      } catch (error) {
        log.write("info", `Cannot dismiss worker "${worker}": ${(error as Error).message}`);
      }
    },
    [Symbol.asyncDispose]: end,
  };
}

/** What asks for something, and what holds until it is said otherwise. */
function keysOf(orders: WorkerOrders): { key: string; flags: string } {
  const { assign, cancel, settled, drain, stop, dismissed, incarnation, number } = orders;
  const named = (all: readonly { task: string; epoch: number }[]) =>
    all.map(({ task, epoch }) => attemptName(task, epoch));
  // New work is offered to one report; the rest counts for all.
  const offered = assign.length === 0 ? [] : [number, ...named(assign)];
  return {
    key: JSON.stringify([offered, named(cancel), named(settled)]),
    flags: JSON.stringify([incarnation, drain, stop, dismissed]),
  };
}

function lineOf({ worker, assign, cancel, settled, drain, stop, dismissed }: WorkerOrders): string {
  const named = (word: string, all: readonly { task: string; epoch: number }[]) =>
    all.length === 0 ? [] : [
      `${word} ${all.slice(0, 5).map(({ task, epoch }) => attemptName(task, epoch)).join(", ")}`,
    ];
  const words = [
    ...(dismissed === undefined ? [] : [`DISMISSED: ${dismissed}`]),
    ...(stop ? ["HALT"] : drain && dismissed === undefined ? ["DRAIN"] : []),
    ...named("ASSIGN", assign),
    ...named("CANCEL", cancel),
    ...named("HEARD", settled),
  ];
  return `${worker}: ${words.length === 0 ? "nothing to do" : words.join("; ")}`;
}
