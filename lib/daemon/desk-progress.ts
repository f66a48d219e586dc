import type { WorkspacePaths } from "../store/paths.ts";
import type { Results } from "../store/results.ts";
import type { TrialProgress } from "../sweep/status-document.ts";
import type { TrialView } from "../sweep/view.ts";
import { createMemo } from "./desk-memo.ts";
import { readProgress } from "./progress.ts";
import { fileStamp, streamPath } from "./desk-stamp.ts";

/** Trials whose last line and step are remembered: more than a page, and a few hundred bytes each. */
const REMEMBERED = 20_000;

/** Reads how far trials are; what has not been written to since is not read again. */
export function createProgressReading(paths: WorkspacePaths, results: Results) {
  const memo = createMemo<TrialProgress>(REMEMBERED);

  /** A trial that has ended writes no more; a running one's files tell by size and time. */
  function stampOf({ trial, attempt, status }: TrialView): string {
    const run = attempt === undefined
      ? "never"
      : `${attempt.submission}/${attempt.task}/${attempt.phase}/${attempt.endedAt}/${status}`;
    if (attempt?.phase !== "running") return run;
    const logs = [paths.stdout(trial.index), paths.stderr(trial.index)];
    const streams = results.listStreams(trial.index)
      .map((metric) => streamPath(paths.results, trial.index, metric));
    return [run, ...[...logs, ...streams].map(fileStamp)].join("\n");
  }

  return {
    read(views: readonly TrialView[]): Map<number, TrialProgress> {
      const known = new Map<number, TrialProgress>();
      const stamps = new Map<number, string>();
      const unread: TrialView[] = [];
      for (const view of views) {
        // Before it is read, so that what is written meanwhile is read next time.
        const stamp = stampOf(view);
        const progress = memo.get(`${view.trial.index}`, stamp);
        stamps.set(view.trial.index, stamp);
        if (progress === undefined) unread.push(view);
        else known.set(view.trial.index, progress);
      }
      if (unread.length === 0) return known;
      for (const [index, progress] of readProgress(paths, unread)) {
        memo.set(`${index}`, stamps.get(index)!, progress);
        known.set(index, progress);
      }
      return known;
    },
  };
}
