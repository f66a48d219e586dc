import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { codeOf, replaceFile } from "../base/files.ts";
import { PIECE_BYTES } from "./exchange.ts";
import type { WorkerOrders, WorkerReport } from "./exchange.ts";
import { addPiece, pieceName } from "./file-pieces.ts";
import { isWorkerName, readWorkerOrders } from "./exchange-schema.ts";
import {
  folderTrouble,
  makeWorkerFolder,
  ORDERS_FILE,
  readSharedFile,
  removeTorn,
  REPORT_FILE,
  workerFolder,
} from "./via-files-folder.ts";
import { LinkError, saysMore } from "./worker-link.ts";
import type { WorkerLink } from "./worker-link.ts";

export interface FilesLinkParts {
  /** The pool's folder, on a file system that the coordinator's machine has too. */
  folder: string;
  worker: string;
  clock: Clock;
  pollMs?: number;
  /** Beside `waitMs`, for the coordinator to answer. Milliseconds. */
  timeoutMs?: number;
}

const POLL_MS = 1_000;
/** A look of the coordinator, and what NFS keeps of a folder: up to a minute. */
const TIMEOUT_MS = 75_000;

/**
 * Reaches the coordinator over two files, each with one writer, so that nothing is ever locked:
 * the worker replaces `report.json`, the coordinator `orders.json`. Which of two is newer is told
 * by incarnation and number, never by a time of a file.
 */
export function createFilesLink(parts: FilesLinkParts): WorkerLink {
  const { worker, clock, pollMs = POLL_MS, timeoutMs = TIMEOUT_MS } = parts;
  if (!isWorkerName(worker)) throw new Error(`"${worker}" is no name of a worker`);
  const folder = workerFolder(parts.folder, worker);
  let cleaned = false;

  function write(report: WorkerReport): void {
    try {
      makeWorkerFolder(parts.folder, worker);
      const trouble = folderTrouble(folder);
      if (trouble !== undefined) {
        throw new LinkError("refused", `Cannot use folder "${folder}": ${trouble}`);
      }
      if (!cleaned) removeTorn(folder, REPORT_FILE);
      cleaned = true;
      replaceFile(join(folder, REPORT_FILE), JSON.stringify(report), 0o600);
    } catch (error) {
      if (error instanceof LinkError) throw error;
      throw new LinkError("unreachable", `Cannot write to "${folder}": ${codeOf(error)}`);
    }
  }

  /** The answer to this report; undefined as long as there is none. */
  function look(report: WorkerReport): WorkerOrders | undefined {
    const found = readSharedFile(join(folder, ORDERS_FILE));
    if (found === undefined) return undefined;
    const orders = "wrong" in found ? found : readWorkerOrders(found.text);
    if ("wrong" in orders) {
      throw new LinkError(
        "unreadable",
        `Cannot read "${join(folder, ORDERS_FILE)}": ${orders.wrong}`,
      );
    }
    const isAnswer = orders.worker === worker && orders.incarnation === report.incarnation &&
      orders.number === report.number;
    return isAnswer ? orders : undefined;
  }

  return {
    send({ task, epoch, path, from, bytes, gone }) {
      try {
        const goal = join(folder, "outbox", pieceName(task, epoch, path));
        if (gone === true) {
          rmSync(goal, { force: true });
          addPiece(`${goal}.gone`, { from: 0, bytes: new Uint8Array(0) }, 0);
          return Promise.resolve({ received: 0, whole: true });
        }
        const received = addPiece(goal, { from, bytes }, Infinity);
        // A short piece is the last one; the coordinator looks whether it is right.
        return Promise.resolve({ received, whole: bytes.length < PIECE_BYTES });
      } catch (error) {
        return Promise.reject(
          new LinkError("unreachable", `Cannot write to "${folder}": ${codeOf(error)}`),
        );
      }
    },
    async exchange(report, { signal, waitMs }) {
      signal.throwIfAborted();
      const begun = clock.now();
      write(report);
      for (;;) {
        const passed = clock.now() - begun;
        const orders = look(report);
        if (orders !== undefined && (passed >= waitMs || saysMore(orders, report))) return orders;
        if (orders === undefined && passed >= waitMs + timeoutMs) {
          throw new LinkError(
            "unreachable",
            `The coordinator did not answer in "${folder}" within ${(waitMs + timeoutMs) / 1000} s`,
          );
        }
        await clock.sleep(pollMs, signal);
      }
    },
  };
}
