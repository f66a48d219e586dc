import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Event } from "../sweep/event.ts";
import { BOUNDS } from "../tasks/exchange-schema.ts";
import type { AttemptKey, FilePiece, FileState, FileWish } from "../tasks/exchange.ts";
import type { WorkerReport } from "../tasks/exchange.ts";
import { addPiece, gathered, pieceName, settlePieces } from "../tasks/file-pieces.ts";
import type { NamedFile } from "../tasks/file-pieces.ts";
import { isPlainPath } from "../tasks/plain-path.ts";
import type { PoolConfig } from "../tasks/pool-config.ts";
import type { PoolHappening } from "../tasks/pool-event.ts";
import type { PoolState } from "../tasks/pool-state.ts";
import { attemptName } from "../tasks/task.ts";
import type { Attempt, Task } from "../tasks/task.ts";
import { workerFolder } from "../tasks/via-files-folder.ts";
import { MOST_BYTES, readAttemptFile } from "./pool-files.ts";
import type { PoolPlace } from "./pool-place.ts";
import { attemptKept, bytesOf } from "./pool-retention.ts";

export interface FileStoreParts {
  place: PoolPlace;
  state(): PoolState;
  config(): Pick<PoolConfig, "retention">;
  clock: Clock;
}

/** Files of attempts that ran elsewhere, gathered on this machine piece by piece. */
export interface FileStore {
  /** An attempt that ended has files that may be missing here. */
  hear(event: Event<PoolHappening>): void;
  /** What this worker is to give and what it may remove. */
  ordersFor(report: WorkerReport): { send?: FileWish[]; forget?: AttemptKey[] };
  take(worker: string, piece: FilePiece): FileState | { refused: string };
  /** Waits for a little while when the worker that has it is about to give it. */
  read(task: string, epoch: number, path: string): Promise<Uint8Array | undefined>;
}

interface Missing {
  task: string;
  epoch: number;
  files: Map<string, NamedFile & { wrong: number }>;
}

/** Of one attempt. Bytes. */
const MOST_OF_ATTEMPT = 200 * 1024 * 1024;
/** Of all attempts, where the configuration names no quota. Bytes. */
const USUAL_QUOTA = 20 * 1024 ** 3;
const MEASURE_MS = 10 * 60_000;
const MOST_WRONG = 3;
const PATIENCE_MS = 15_000;
const LOOK_MS = 200;

export function createFileStore(parts: FileStoreParts): FileStore {
  const { place, clock } = parts;
  const incoming = join(place.root, "incoming");
  /** By worker, then by attempt. */
  const missing = new Map<string, Map<string, Missing>>();
  let used = { bytes: 0, at: -Infinity };
  for (const task of parts.state().tasks.values()) {
    for (const attempt of task.attempts) note(task, attempt);
  }
  clearIncoming();

  function note({ id }: Pick<Task, "id">, { epoch, worker, report, endedAt }: Attempt): void {
    if (report === undefined || report.files.length === 0) return;
    // A mailbox brings what it can bring along with the report.
    if (parts.state().workers.get(worker)?.via === "discord") return;
    const { succeededMs } = parts.config().retention;
    if (clock.now() - (endedAt ?? clock.now()) > succeededMs) return;
    let room = MOST_OF_ATTEMPT;
    const files: Missing["files"] = new Map();
    for (const file of report.files) {
      if (file.bytes > Math.min(MOST_BYTES, room) || !isPlainPath(file.path)) continue;
      room -= file.bytes;
      const isHere = [join(place.tasks, id, `${epoch}`), report.folder].some((folder) =>
        statSync(join(folder, file.path), { throwIfNoEntry: false })?.size === file.bytes
      );
      if (!isHere) files.set(file.path, { ...file, wrong: 0 });
    }
    if (files.size === 0) return;
    const ofWorker = missing.get(worker) ?? new Map<string, Missing>();
    missing.set(worker, ofWorker.set(attemptName(id, epoch), { task: id, epoch, files }));
  }

  function drop(worker: string, one: Missing, path: string): void {
    one.files.delete(path);
    if (one.files.size === 0) missing.get(worker)?.delete(attemptName(one.task, one.epoch));
  }

  /** Pieces of attempts that nobody waits for any more. */
  function clearIncoming(): void {
    const wanted = new Set(
      [...missing.values()].flatMap((of) => [...of.values()]).flatMap(({ task, epoch, files }) =>
        [...files.keys()].map((path) => pieceName(task, epoch, path))
      ),
    );
    if (!existsSync(incoming)) return;
    for (const name of readdirSync(incoming)) {
      if (!wanted.has(name)) rmSync(join(incoming, name), { force: true });
    }
  }

  function hasRoom(bytes: number): boolean {
    if (clock.now() - used.at > MEASURE_MS) {
      used = { bytes: bytesOf(place.tasks) + bytesOf(incoming), at: clock.now() };
    }
    return used.bytes + bytes <= (parts.config().retention.quotaBytes ?? USUAL_QUOTA);
  }

  /** A worker over files lays its files beside its report. */
  function collect(worker: string): void {
    const outbox = join(workerFolder(place.root, worker), "outbox");
    if (!existsSync(outbox)) return;
    for (const one of missing.get(worker)?.values() ?? []) {
      for (const named of [...one.files.values()]) {
        const path = join(outbox, pieceName(one.task, one.epoch, named.path));
        if (existsSync(`${path}.gone`)) drop(worker, one, named.path);
        else if (gathered(path) >= named.bytes) settle(worker, one, named, path);
        else continue;
        rmSync(`${path}.gone`, { force: true });
      }
    }
  }

  function settle(
    worker: string,
    one: Missing,
    named: NamedFile & { wrong: number },
    path: string,
  ): FileState {
    if (gathered(path) === 0 && named.bytes === 0) {
      addPiece(path, { from: 0, bytes: new Uint8Array() }, 0);
    }
    const state = settlePieces(path, join(place.tasks, one.task, `${one.epoch}`), named);
    if (!state.whole && state.received === 0 && named.bytes > 0) named.wrong++;
    if (state.whole || named.wrong >= MOST_WRONG) drop(worker, one, named.path);
    return state;
  }

  return {
    hear({ what }) {
      if (what.type !== "attempt-ended") return;
      const task = parts.state().tasks.get(what.task);
      const attempt = task?.attempts.find(({ epoch }) => epoch === what.epoch);
      if (task !== undefined && attempt !== undefined) note(task, attempt);
    },
    ordersFor({ worker, kept = [] }) {
      const send: FileWish[] = [];
      if (missing.has(worker)) collect(worker);
      for (const { task, epoch, files } of missing.get(worker)?.values() ?? []) {
        for (const { path, bytes } of files.values()) {
          if (send.length >= BOUNDS.send || !hasRoom(bytes)) break;
          send.push({
            task,
            epoch,
            path,
            from: gathered(join(incoming, pieceName(task, epoch, path))),
          });
        }
      }
      const forget = kept.filter(({ task, epoch }) => {
        const { state, endedAt = clock.now(), acknowledged } = attemptKept(
          parts.state(),
          task,
          epoch,
        );
        if (state === "running" || state === "unknown") return false;
        if (state === "failed" && !acknowledged) return false;
        return clock.now() - endedAt >= parts.config().retention.succeededMs;
      });
      return {
        ...(send.length === 0 ? {} : { send }),
        ...(forget.length === 0 ? {} : { forget }),
      };
    },
    take(worker, { task, epoch, path, from, bytes, gone }) {
      const one = missing.get(worker)?.get(attemptName(task, epoch));
      const named = one?.files.get(path);
      if (one === undefined || named === undefined) {
        const report = parts.state().tasks.get(task)?.attempts
          .find((attempt) => attempt.epoch === epoch && attempt.worker === worker)?.report;
        const known = report?.files.find((file) => file.path === path);
        // It is here already, or is not wanted any more: said once more it is the same.
        return known === undefined
          ? { refused: `Worker "${worker}" has no such file to give` }
          : { received: known.bytes, whole: true };
      }
      if (gone === true) {
        drop(worker, one, path);
        return { received: 0, whole: true };
      }
      if (!hasRoom(bytes.length)) return { refused: "The quota of the pool's files is used up" };
      const goal = join(incoming, pieceName(task, epoch, path));
      const before = gathered(goal);
      const received = addPiece(goal, { from, bytes }, named.bytes);
      used.bytes += Math.max(0, received - before);
      return received < named.bytes ? { received, whole: false } : settle(worker, one, named, goal);
    },
    async read(task, epoch, path) {
      const until = clock.now() + PATIENCE_MS;
      for (;;) {
        const bytes = await readAttemptFile(place, parts.state(), task, epoch, path);
        const isComing = [...missing.values()].some((of) =>
          of.get(attemptName(task, epoch))?.files.has(path)
        );
        if (bytes !== undefined || !isComing || clock.now() >= until) return bytes;
        await clock.sleep(LOOK_MS);
      }
    },
  };
}
