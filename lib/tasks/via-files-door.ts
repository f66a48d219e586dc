import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { codeOf, replaceFile } from "../base/files.ts";
import type { WorkerOrders, WorkerReport } from "./exchange.ts";
import { readWorkerOrders, readWorkerReport } from "./exchange-schema.ts";
import type { PoolDesk } from "./pool-desk.ts";
import {
  folderTrouble,
  listWorkers,
  ORDERS_FILE,
  readSharedFile,
  removeTorn,
  REPORT_FILE,
  workerFolder,
  workersFolder,
} from "./via-files-folder.ts";
import { createNews } from "./worker-news.ts";

export interface FilesDoorParts {
  /** The pool's folder; see via-files.ts. */
  folder: string;
  desk: Pick<PoolDesk, "exchange" | "ordersFor" | "onChange">;
  clock: Clock;
  log?: Pick<Log, "write">;
}

/** The coordinator's side of the workers that share a file system with it. */
export interface FilesDoor extends AsyncDisposable {
  start(): void;
  /** One look at every worker; whether something is under way. */
  look(): boolean;
}

interface Known {
  /** The last report that was taken in. */
  report: WorkerReport | undefined;
  /** What stands in its orders.json. */
  written: string | undefined;
  trouble: string | undefined;
}

const BUSY_MS = 1_000;
const IDLE_MS = 5_000;
/** A change of the pool is told to the workers within so long. */
const SOON_MS = 200;

export function createFilesDoor(parts: FilesDoorParts): FilesDoor {
  const { folder, desk, clock } = parts;
  const workers = new Map<string, Known>();
  const over = new AbortController();
  const news = createNews(clock);
  let working: Promise<void> | undefined;
  let unlisten: (() => void) | undefined;
  let looking = false;

  /** Said once, until it is another trouble or none. */
  function complain(name: string, known: Known, trouble: string | undefined): void {
    if (trouble !== undefined && trouble !== known.trouble) {
      parts.log?.write("warn", `Cannot use "${name}": ${trouble}`);
    }
    known.trouble = trouble;
  }

  function knownOf(name: string): Known {
    const known = workers.get(name) ??
      { report: undefined, written: undefined, trouble: undefined };
    workers.set(name, known);
    return known;
  }

  function look(): boolean {
    looking = true;
    try {
      const root = knownOf("");
      const names = listWorkers(folder);
      const trouble = names.length === 0 ? undefined : folderTrouble(workersFolder(folder));
      complain(workersFolder(folder), root, trouble);
      if (trouble !== undefined) return false;
      return names.map(lookAt).some((busy) => busy);
    } catch (error) {
      complain(workersFolder(folder), knownOf(""), `it cannot be read (${codeOf(error)})`);
      return false;
    } finally {
      looking = false;
    }
  }

  function lookAt(name: string): boolean {
    const path = workerFolder(folder, name);
    const isNew = !workers.has(name);
    const known = knownOf(name);
    try {
      const trouble = folderTrouble(path);
      if (trouble !== undefined) {
        complain(path, known, trouble);
        return false;
      }
      if (isNew) remember(path, known);
      return attend(name, path, known);
    } catch (error) {
      // Its disk, or the pool's journal: the worker is not answered and tries again.
      complain(path, known, (error as Error).message);
      return false;
    }
  }

  /** What an earlier coordinator has answered is no sign of life. */
  function remember(path: string, known: Known): void {
    removeTorn(path, ORDERS_FILE);
    const found = readSharedFile(join(path, ORDERS_FILE));
    if (found === undefined || "wrong" in found) return;
    const orders = readWorkerOrders(found.text);
    const report = read(path);
    if ("wrong" in orders || report === undefined || "wrong" in report) return;
    if (isAnswer(orders, report)) known.report = report;
  }

  function attend(name: string, path: string, known: Known): boolean {
    const report = read(path);
    if (report === undefined) return false;
    if ("wrong" in report || report.worker !== name) {
      const why = "wrong" in report ? report.wrong : `it is of worker "${report.worker}"`;
      complain(join(path, REPORT_FILE), known, why);
      return false;
    }
    const isSame = known.report?.incarnation === report.incarnation &&
      known.report.number === report.number;
    const orders = isSame ? desk.ordersFor(report) : desk.exchange(report);
    known.report = report;
    const text = JSON.stringify(orders);
    if (text !== known.written) {
      replaceFile(join(path, ORDERS_FILE), text, 0o600);
      known.written = text;
    }
    complain(path, known, undefined);
    return report.attempts.length > 0 || orders.assign.length > 0;
  }

  function read(path: string): WorkerReport | { wrong: string } | undefined {
    const found = readSharedFile(join(path, REPORT_FILE));
    return found === undefined || "wrong" in found ? found : readWorkerReport(found.text);
  }

  async function work(): Promise<void> {
    while (!over.signal.aborted) {
      news.clear();
      await news.wait(look() ? BUSY_MS : IDLE_MS, over.signal);
    }
  }

  return {
    look,
    start() {
      if (working !== undefined) return;
      // What a look itself changes is told by that look.
      unlisten = desk.onChange(() => looking || news.tell(SOON_MS));
      working = work();
    },
    async [Symbol.asyncDispose]() {
      unlisten?.();
      over.abort();
      await working;
    },
  };
}

function isAnswer(orders: WorkerOrders, report: WorkerReport): boolean {
  return orders.worker === report.worker && orders.incarnation === report.incarnation &&
    orders.number === report.number;
}
