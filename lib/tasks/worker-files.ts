import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { explain } from "../base/explain.ts";
import type { Log } from "../base/log.ts";
import { attemptPath } from "./attempt-folder.ts";
import { PIECE_BYTES } from "./exchange.ts";
import type { AttemptKey, FileWish } from "./exchange.ts";
import { BOUNDS } from "./exchange-schema.ts";
import { isPlainPath } from "./plain-path.ts";
import { foldersIn, removeFolders } from "./retention.ts";
import type { WorkerLink } from "./worker-link.ts";

/** What attempts left on a worker's disk: given to the coordinator, removed when it says so. */
export interface WorkerFiles extends AsyncDisposable {
  /** Folders of attempts that are over; undefined when they were told not long ago. */
  kept(running: readonly AttemptKey[]): AttemptKey[] | undefined;
  /** Begins to give these; what is on its way already is not begun twice. Never throws. */
  send(wishes: readonly FileWish[]): void;
  forget(attempts: readonly AttemptKey[], running: readonly AttemptKey[]): void;
}

export interface WorkerFilesParts {
  /** The worker's own folder. */
  root: string;
  link: WorkerLink;
  clock: Pick<Clock, "now">;
  log: Pick<Log, "write">;
}

const TELL_EVERY_MS = 10 * 60_000;

export function createWorkerFiles({ root, link, clock, log }: WorkerFilesParts): WorkerFiles {
  const over = new AbortController();
  const waiting = new Map<string, FileWish>();
  let sending: Promise<void> | undefined;
  let toldAt = -Infinity;

  async function work(): Promise<void> {
    for (const [name, wish] of waiting) {
      if (over.signal.aborted) return;
      try {
        await give(wish);
      } catch (error) {
        if (over.signal.aborted) return;
        // The coordinator asks again for what it has not got.
        log.write("warn", `A file of ${wish.task}:${wish.epoch} was not given`, {
          error: explain(error, "log"),
        });
        return;
      } finally {
        waiting.delete(name);
      }
    }
  }

  async function give(wish: FileWish): Promise<void> {
    const file = openWished(root, wish);
    const { task, epoch, path } = wish;
    const send = (from: number, bytes: Uint8Array, gone: boolean) =>
      link.send!({ task, epoch, path, from, bytes, ...(gone ? { gone } : {}) }, over.signal);
    if (file === undefined) return void await send(0, new Uint8Array(0), true);
    try {
      const { size } = fstatSync(file);
      // Both counts go up, unless the coordinator found that what it had was not right.
      for (let at = wish.from, tries = 0; tries < 3 + size / PIECE_BYTES * 2; tries++) {
        const piece = Buffer.alloc(Math.max(0, Math.min(PIECE_BYTES, size - at)));
        const got = readSync(file, piece, 0, piece.length, at);
        const { received, whole } = await send(at, piece.subarray(0, got), false);
        if (whole) return;
        if (received >= size && got === 0) return void await send(0, new Uint8Array(0), true);
        at = received;
      }
    } finally {
      closeSync(file);
    }
  }

  return {
    kept(running) {
      const now = clock.now();
      if (now - toldAt < TELL_EVERY_MS) return undefined;
      toldAt = now;
      const live = new Set(running.map(({ task, epoch }) => `${task}:${epoch}`));
      return foldersIn(root, () => undefined, { measure: false })
        .map(({ task, epoch }) => ({ task, epoch }))
        .filter(({ task, epoch }) => !live.has(`${task}:${epoch}`))
        .slice(0, BOUNDS.kept);
    },
    send(wishes) {
      if (link.send === undefined || over.signal.aborted) return;
      for (const wish of wishes) {
        const name = `${wish.task}:${wish.epoch} ${wish.path}`;
        if (!waiting.has(name)) waiting.set(name, wish);
      }
      if (waiting.size === 0) return;
      sending ??= work().finally(() => sending = undefined);
    },
    forget(attempts, running) {
      if (attempts.length === 0) return;
      const isRunning = (task: string, epoch: number) =>
        running.some((one) => one.task === task && one.epoch === epoch);
      try {
        for (const { task, epoch, why } of removeFolders(root, attempts, isRunning)) {
          log.write("warn", `Cannot delete the files of ${task}:${epoch}`, { error: why });
        }
      } catch (error) {
        log.write("warn", "Cannot delete files", { error: explain(error, "log") });
      }
      // There may be more than one report could tell of.
      toldAt = -Infinity;
    },
    async [Symbol.asyncDispose]() {
      over.abort();
      await sending?.catch(() => {});
    },
  };
}

/** Never through a link, never outside the attempt's own folder, whatever was asked for. */
function openWished(root: string, { task, epoch, path }: FileWish): number | undefined {
  if (!isPlainPath(path)) return undefined;
  try {
    const folder = realpathSync(attemptPath(root, task, epoch));
    const full = join(folder, path);
    if (realpathSync(dirname(full)) !== dirname(full)) return undefined;
    const file = openSync(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (fstatSync(file).isFile()) return file;
    closeSync(file);
    return undefined;
  } catch {
    return undefined;
  }
}
