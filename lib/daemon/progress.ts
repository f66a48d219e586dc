import { join } from "node:path";
import { readIfThere, replaceFile } from "../base/files.ts";
import { isDivider, lastLine } from "../store/log-tail.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import { createResults } from "../store/results.ts";
import { summarise } from "../sweep/metrics.ts";
import type { TrialProgress } from "../sweep/status-document.ts";
import type { TrialView } from "../sweep/view.ts";

/** `of` an attempt, so that a new attempt is read anew. */
interface Remembered {
  of: string;
  line: string | null;
  step: number | null;
}

const NOTHING: TrialProgress = { lastLogLine: null, step: null, stepsPerMinute: null };

/**
 * Reads the last log line and step of each trial that ever ran. What ended
 * trials last said is remembered in a file beside the journal, so that ten
 * thousand finished trials cost one read instead of forty thousand.
 */
export function readProgress(
  paths: WorkspacePaths,
  views: readonly TrialView[],
): Map<number, TrialProgress> {
  const cachePath = join(paths.state, "progress.json");
  const cache = readCache(cachePath);
  const results = createResults({ dir: paths.results });
  const progress = new Map<number, TrialProgress>();
  let learnt = 0;
  for (const { trial, attempt, status } of views) {
    if (attempt === undefined || (attempt.phase !== "ended" && attempt.phase !== "running")) {
      progress.set(trial.index, NOTHING);
      continue;
    }
    const key = `${attempt.submission}/${attempt.task}/${attempt.endedAt}`;
    const known = cache.get(trial.index);
    // An early herd remembered its own line.
    if (attempt.phase === "ended" && known?.of === key && !isDivider(known.line ?? "")) {
      progress.set(trial.index, {
        lastLogLine: known.line,
        step: known.step,
        stepsPerMinute: null,
      });
      continue;
    }
    const line = lastLine(paths.stdout(trial.index)) ?? lastLine(paths.stderr(trial.index)) ??
      null;
    const last = results.lastStep(trial.index);
    const step = last?.step ?? null;
    const rate = status === "running" && last !== undefined
      ? summarise([last.recent]).stepsPerMinute
      : null;
    const stepsPerMinute = rate === null ? null : Math.round(rate * 100) / 100;
    progress.set(trial.index, { lastLogLine: line, step, stepsPerMinute });
    if (attempt.phase === "ended" && !attempt.usageDue) {
      cache.set(trial.index, { of: key, line, step });
      learnt++;
    }
  }
  if (learnt > 0) writeCache(cachePath, cache);
  return progress;
}

function readCache(path: string): Map<number, Remembered> {
  try {
    return new Map(JSON.parse(readIfThere(path) ?? "[]") as [number, Remembered][]);
  } catch {
    return new Map();
  }
}

function writeCache(path: string, cache: ReadonlyMap<number, Remembered>): void {
  try {
    replaceFile(path, JSON.stringify([...cache]), 0o600);
  } catch {
    // Only a cache: on a full or read-only disk the next command reads the logs again.
  }
}
