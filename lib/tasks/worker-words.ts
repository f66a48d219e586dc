import { BOUNDS } from "./exchange-schema.ts";
import type { WorkerAttempt } from "./exchange.ts";
import type { AttemptReport, AttemptUse } from "./task.ts";
import type { KeptAttempt } from "./worker-journal-lines.ts";

/** JSON bytes of one last word, and of all of them in one report. */
const WORD_BYTES = 1024 * 1024;
const WORDS_BYTES = 3 * 1024 * 1024;

/**
 * A last word as it is kept and told: within the bounds of the exchange, for one that is beyond
 * them would be refused for ever. `RESULT.txt` and the manifest have all.
 */
export function fitWord(report: AttemptReport): AttemptReport {
  const fitted = cut(report, BOUNDS.result, BOUNDS.files);
  return sizeOf(fitted) <= WORD_BYTES ? fitted : cut(report, 50_000, 100);
}

function cut(report: AttemptReport, result: number, files: number): AttemptReport {
  return {
    end: report.end,
    cause: textOf(report.cause, BOUNDS.cause),
    passing: report.passing,
    result: textOf(report.result, result),
    files: report.files
      .filter(({ path, sha256 }) => path.length <= BOUNDS.path && /^[0-9a-f]{64}$/.test(sha256))
      .slice(0, files)
      .map(({ path, bytes, sha256 }) => ({
        path: path.toWellFormed(),
        bytes: count(bytes),
        sha256,
      })),
    folder: textOf(report.folder, BOUNDS.folder),
    use: fitUse(report.use),
    startedAt: count(report.startedAt),
    endedAt: count(report.endedAt),
    ...(report.proposal === undefined ? {} : { proposal: report.proposal }),
  };
}

export function fitUse(use: readonly AttemptUse[]): AttemptUse[] {
  return use.slice(0, BOUNDS.use).map(({ model, usd, ...tokens }) => ({
    model: textOf(model, 200),
    input: count(tokens.input),
    output: count(tokens.output),
    cacheRead: count(tokens.cacheRead),
    cacheWrite: count(tokens.cacheWrite),
    usd: usd !== null && usd >= 0 && usd <= 1e6 ? usd : null,
  }));
}

function count(value: number): number {
  return Number.isFinite(value) ? Math.min(Math.max(0, Math.round(value)), 2 ** 53 - 1) : 0;
}

function textOf(text: string, most: number): string {
  return text.length <= most ? text.toWellFormed() : `${text.slice(0, most - 1)}…`.toWellFormed();
}

/** What is told of an attempt of a former life that was running when that ended. */
export function crashWord(
  { startedAt, use }: Pick<KeptAttempt, "startedAt" | "use">,
  parts: { end: "crashed" | "refused"; cause: string; folder: string; at: number },
): AttemptReport {
  const { end, cause, folder, at } = parts;
  return fitWord({
    end,
    cause,
    passing: true,
    result: "",
    files: [],
    folder,
    use,
    startedAt,
    endedAt: Math.max(at, startedAt),
  });
}

/** A lost lease is said to be one, unless the work was done by then. */
export function fencedWord(report: AttemptReport): AttemptReport {
  if (report.end === "done") return report;
  const cause = "The worker heard nothing of the coordinator for too long and ended it";
  return { ...report, end: "fenced", cause, passing: true };
}

/**
 * The attempts of one report. Words that have no room now are told as running ones, so that none
 * is missing, and with their word when others were settled.
 */
export function tellable(attempts: readonly WorkerAttempt[]): WorkerAttempt[] {
  const running = attempts.filter(({ report }) => report === undefined);
  let room = WORDS_BYTES;
  const ended = attempts.filter(({ report }) => report !== undefined).map((one) => {
    room -= sizeOf(one);
    return room >= 0 ? one : { ...one, phase: "ended, its answer follows", report: undefined };
  });
  return [...running, ...ended].slice(0, BOUNDS.attempts);
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
