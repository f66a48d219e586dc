import { GRACE_MS, LEASE_MS } from "./exchange.ts";
import type { WorkerReport } from "./exchange.ts";
import type { Heard, Sighting } from "./pool-rules.ts";

type Life = Pick<WorkerReport, "worker" | "incarnation">;

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
  /** `isEnrolled`: strangers are not kept. */
  hear(report: WorkerReport, now: number, isEnrolled: boolean): void;
  /** Lets go of lives of which nothing runs: former ones, and those of removed workers. */
  forget(isIdle: (life: Life) => boolean, isEnrolled: (worker: string) => boolean): void;
}

export function createLives(startedAt: number): Lives {
  const seen = new Map<string, Sighting>();
  const heard = new Map<string, Life & { at: number; number: number; times: number }>();

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
      }
    },
  };
}

function keyOf(worker: string, incarnation: string): string {
  return JSON.stringify([worker, incarnation]);
}
