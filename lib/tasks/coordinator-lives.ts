import { GRACE_MS, LEASE_MS } from "./exchange.ts";
import type { WorkerReport } from "./exchange.ts";
import type { Heard, Sighting } from "./pool-rules.ts";

/** A single look may show what was there a moment ago. */
const LOOKS_APART_MS = 30_000;

type Life = Pick<WorkerReport, "worker" | "incarnation">;

/** What a look into a worker's mailbox showed: the report there, and how long it stands unchanged. */
export interface MailboxLook {
  incarnation: string;
  number: number;
  /** By the mailbox's own clock. Milliseconds. */
  silentMs: number;
}

/** Who was heard when, since this coordinator began. A worker has one life after the other. */
export interface Lives extends Heard {
  /** By worker: its newest life. */
  readonly seen: ReadonlyMap<string, Sighting>;
  newestOf(worker: string): WorkerReport | undefined;
  judge(report: WorkerReport, now: number): {
    /** It is of the newest life of its worker. */
    isNewest: boolean;
    /** It is newer than all that was heard of that life. */
    isNews: boolean;
    /** How long this coordinator listens. */
    uptimeMs: number;
  };
  /** `at`: when it was said. `isEnrolled`: strangers are not kept. */
  hear(report: WorkerReport, at: number, isEnrolled: boolean): void;
  /** Of a worker that is heard over a mailbox: only looks there prove that it is silent. */
  looked(worker: string, look: MailboxLook, now: number): void;
  /** Lets go of lives of which nothing runs: former ones, and those of removed workers. */
  forget(isIdle: (life: Life) => boolean, isEnrolled: (worker: string) => boolean): void;
}

export function createLives(startedAt: number): Lives {
  const seen = new Map<string, Sighting>();
  const heard = new Map<string, Life & { at: number; number: number; times: number }>();
  const looks = new Map<string, { last: MailboxLook; at: number; provenMs: number }>();

  function isOvertaken(report: WorkerReport, now: number): boolean {
    const newest = seen.get(report.worker);
    if (newest === undefined || newest.report.incarnation === report.incarnation) return false;
    if (report.startedAt > newest.report.startedAt) return false;
    // Its clock was set back between two lives, or the machine is another: the former life is over.
    return now - newest.at <= LEASE_MS + GRACE_MS;
  }

  function isNews({ worker, incarnation, number }: WorkerReport): boolean {
    return number > (heard.get(keyOf(worker, incarnation))?.number ?? -1);
  }

  return {
    seen,
    judge: (report, now) => ({
      isNewest: !isOvertaken(report, now),
      isNews: isNews(report),
      uptimeMs: now - startedAt,
    }),
    hear(report, now, isEnrolled) {
      // The same again is no sign of life: it may be a copy, or an old file.
      if (!isNews(report)) return;
      const { worker, incarnation, number } = report;
      const newest = !isOvertaken(report, now);
      if (!isEnrolled && !heard.has(keyOf(worker, incarnation))) return;
      const times = (heard.get(keyOf(worker, incarnation))?.times ?? 0) + 1;
      heard.set(keyOf(worker, incarnation), { worker, incarnation, at: now, number, times });
      if (newest) seen.set(worker, { report, at: now });
      // What was proven of its silence was over with this.
      looks.delete(worker);
    },
    looked(worker, look, now) {
      const before = looks.get(worker);
      const isSame = before?.last.incarnation === look.incarnation &&
        before.last.number === look.number;
      if (!isSame) looks.set(worker, { last: look, at: now, provenMs: 0 });
      else if (now - before.at >= LOOKS_APART_MS) {
        // What stood there at the earlier look already, whatever the later one shows.
        const provenMs = Math.max(before.provenMs, before.last.silentMs);
        looks.set(worker, { last: look, at: now, provenMs });
      }
    },
    provenMs(worker, incarnation) {
      const speaks = seen.get(worker)?.report.incarnation;
      // Another life has its place there: nothing more will be heard of this one.
      if (speaks !== undefined && speaks !== incarnation) return Infinity;
      return looks.get(worker)?.provenMs ?? 0;
    },
    lastOf: (worker, incarnation) => heard.get(keyOf(worker, incarnation))?.at ?? startedAt,
    newestOf: (worker) => seen.get(worker)?.report,
    successorOf(worker) {
      const report = seen.get(worker)?.report;
      if (report === undefined) return undefined;
      return heard.get(keyOf(worker, report.incarnation))!.times > 1 ? report : undefined;
    },
    forget(isIdle, isEnrolled) {
      for (const [key, life] of heard) {
        const isCurrent = seen.get(life.worker)?.report.incarnation === life.incarnation;
        if ((isCurrent && isEnrolled(life.worker)) || !isIdle(life)) continue;
        heard.delete(key);
        if (isCurrent) seen.delete(life.worker);
        // What was proven of a removed worker counts as long as something of it runs.
        if (!isEnrolled(life.worker)) looks.delete(life.worker);
      }
    },
  };
}

function keyOf(worker: string, incarnation: string): string {
  return JSON.stringify([worker, incarnation]);
}
