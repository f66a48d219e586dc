import { watch } from "node:fs";
import type { FSWatcher } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { isOpen } from "../sweep/transition.ts";
import { attemptKey } from "../sweep/event.ts";
import type { Attempt } from "../sweep/attempt.ts";
import type { Outside } from "./outside.ts";

/** What wakes a monitor before its time: jobs' signs of life, and others' events. */
export interface News extends Disposable {
  /** Resolves at news, at a wake, after `ms`, or when aborted; never rejects. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  wake(): void;
}

/** Records are looked at this often where nobody tells of their change, as on network disks. */
const POLL_MS = 500;
/** Where the file system has told of changes, this is the backstop. */
const TOLD_POLL_MS = 5_000;
const SLOWEST_MS = 15_000;
/** A poll may take this part of the time. */
const SHARE = 100;
/** Changes that come together are looked at together: ten thousand short trials make thousands in a second. */
const GATHER_MS = 20;
/** Looking at them may take this part of the time. */
const GATHER_SHARE = 5;

export function createNews(
  { outside, clock, watches = true }: { outside: Outside; clock: Clock; watches?: boolean },
): News {
  const watchers = new Map<string, FSWatcher>();
  let woken = false;
  let told = false;
  let pollMs = POLL_MS;
  let ring = () => {};
  let gatherMs = GATHER_MS;
  const stop = new AbortController();
  /** Names of files that changed, `SUBMISSION/TASK.tsv`; undefined while nobody is about to look. */
  let changed: Set<string> | undefined;

  function wake(): void {
    woken = true;
    ring();
  }

  const unsubscribe = outside.onEvent(({ by }) => {
    // Its own words are no news to it.
    if (by !== "monitor" && by !== "agent") wake();
  });

  function open(): Attempt[] {
    return [...outside.state().attempts.values()].filter(isOpen);
  }

  function follow(attempts: readonly Attempt[]): void {
    if (!watches) return;
    const wanted = new Set(attempts.map(({ submission }) => submission));
    for (const [submission, watcher] of watchers) {
      if (wanted.has(submission)) continue;
      watcher.close();
      watchers.delete(submission);
    }
    for (const submission of wanted) {
      if (watchers.has(submission)) continue;
      try {
        const watcher = watch(join(outside.paths.events, submission), { persistent: false });
        watcher.on("change", (_, name) => {
          told = true;
          gather(`${submission}/${name}`);
        });
        watcher.on("error", () => {});
        watchers.set(submission, watcher);
      } catch {
        // No more watches are allowed, or the folder is gone: the poll sees it.
      }
    }
  }

  function gather(name: string): void {
    if (woken) return;
    if (changed !== undefined) return void changed.add(name);
    changed = new Set([name]);
    clock.sleep(gatherMs, stop.signal).then(() => {
      const names = changed!;
      changed = undefined;
      const started = performance.now();
      const found = safely(() =>
        hasNews(open().filter(({ submission, task }) => names.has(`${submission}/${task}.tsv`)))
      );
      gatherMs = Math.max(GATHER_MS, (performance.now() - started) * GATHER_SHARE);
      if (found) wake();
    }, () => {});
  }

  function hasNews(attempts: readonly Attempt[] = open()): boolean {
    const records = outside.readRecords(attempts);
    return attempts.some((attempt) => {
      const record = records.get(attemptKey(attempt.submission, attempt.task));
      if (record === undefined) return false;
      return record.endedAt !== undefined || record.restart > attempt.restarts ||
        (record.startedAt !== undefined && attempt.phase !== "running");
    });
  }

  /** A slow disk is asked more seldom. */
  function poll(): boolean {
    const started = performance.now();
    outside.refresh();
    const found = hasNews();
    const took = performance.now() - started;
    pollMs = Math.min(SLOWEST_MS, Math.max(told ? TOLD_POLL_MS : POLL_MS, took * SHARE));
    return found;
  }

  async function wait(ms: number, signal: AbortSignal): Promise<void> {
    const until = clock.now() + ms;
    follow(open());
    while (!woken && !signal.aborted) {
      const left = until - clock.now();
      if (left <= 0) break;
      const early = new AbortController();
      ring = () => early.abort();
      const both = AbortSignal.any([signal, early.signal]);
      await clock.sleep(Math.min(left, pollMs), both).catch(() => {});
      ring = () => {};
      if (!woken && !signal.aborted && clock.now() < until && safely(poll)) break;
    }
    woken = false;
  }

  return {
    wait,
    wake,
    [Symbol.dispose]() {
      unsubscribe();
      stop.abort();
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}

/** A disk that fails now may work at the next look, which says so. */
function safely(act: () => boolean): boolean {
  try {
    return act();
  } catch {
    return true;
  }
}
