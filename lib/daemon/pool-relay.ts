import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import {
  answerPath,
  appendShared,
  INDEX_FILE,
  isIndexTooLong,
  readAsk,
  readIndexLine,
  readSharedFrom,
  relayFolder,
  wholeLines,
} from "../tasks/relay-files.ts";
import type { RelayFrame } from "../tasks/relay-files.ts";
import { attemptName, isOver } from "../tasks/task.ts";
import { folderTrouble } from "../tasks/via-files-folder.ts";
import { createNews } from "../tasks/worker-news.ts";
import { answerCall, refuse } from "./relay-answer.ts";
import { isRelayed, permitRelay } from "./relay-permit.ts";

export interface PoolRelayParts {
  /** The pool's. */
  folder: string;
  desk: Pick<PoolDesk, "state" | "config" | "onChange">;
  /** Where keys are looked up. */
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Pick<Log, "write">;
  /** One line of who asked what. */
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
  fetch?: typeof fetch;
}

/** Asks models for workers on machines without internet, with the daemon's own keys. */
export interface PoolRelay extends AsyncDisposable {
  start(): void;
  /** Reads what is new; whether somebody may ask. */
  look(): boolean;
  /** When no call is under way. */
  settled(): Promise<void>;
}

const BUSY_MS = 200;
const IDLE_MS = 30_000;
/** Calls at once, of one worker. */
const MOST_OPEN = 64;

interface Known {
  inode: number;
  offset: number;
  trouble: string | undefined;
}

interface Open {
  worker: string;
  attempt: string;
  stop: AbortController;
  done: Promise<void>;
}

export function createPoolRelay(parts: PoolRelayParts): PoolRelay {
  const { folder, desk, clock, log } = parts;
  const known = new Map<string, Known>();
  const open = new Map<string, Open>();
  /** US dollars, by attempt. */
  const metered = new Map<string, number>();
  const over = new AbortController();
  const news = createNews(clock);
  let working: Promise<void> | undefined;
  let unlisten: (() => void) | undefined;

  /** Workers over files that have an attempt, and may ask. */
  function askers(): string[] {
    const { tasks, workers, jobs } = desk.state();
    const isForAll = Object.values(desk.config().backends).some(({ relay }) => isRelayed(relay));
    const names = new Set<string>();
    for (const task of tasks.values()) {
      if (task.status !== "assigned" && task.status !== "running") continue;
      const { worker } = task.attempts.at(-1)!;
      const mayAsk = isForAll || jobs.has(worker);
      if (mayAsk && workers.get(worker)?.via === "files") names.add(worker);
    }
    return [...names];
  }

  function look(): boolean {
    const names = askers();
    for (const name of names) {
      try {
        readNew(name);
      } catch (error) {
        complain(name, (error as Error).message);
      }
    }
    endThoseThatMayNot();
    return names.length > 0 || open.size > 0;
  }

  function complain(worker: string, trouble: string): void {
    const one = known.get(worker);
    if (one?.trouble === trouble) return;
    if (one !== undefined) one.trouble = trouble;
    log.write("warn", `Cannot relay for worker "${worker}": ${trouble}`);
    parts.audit("relay-trouble", { worker, trouble });
  }

  function readNew(worker: string): void {
    const own = relayFolder(folder, worker);
    const at = known.get(worker) ?? { inode: -1, offset: 0, trouble: undefined };
    const found = readSharedFrom(join(own, INDEX_FILE), at.offset);
    if (found === undefined) return;
    known.set(worker, at);
    if ("wrong" in found) return complain(worker, `its list cannot be used, ${found.wrong}`);
    if (isIndexTooLong(found.size)) return complain(worker, "its list is too long");
    if (found.inode !== at.inode || found.size < at.offset) {
      const isFirst = at.offset === 0;
      Object.assign(at, { inode: found.inode, offset: 0 });
      // Another list than the one that was read so far.
      if (!isFirst) return readNew(worker);
    }
    const { lines, length } = wholeLines(found.bytes);
    at.offset += length;
    if (lines.length === 0) return;
    const trouble = folderTrouble(own);
    if (trouble !== undefined) return complain(worker, `its folder cannot be used, ${trouble}`);
    for (const line of lines) {
      const told = readIndexLine(line);
      if (told === undefined) complain(worker, "a line of its list cannot be read");
      else if ("ask" in told) begin(worker, own, told.ask);
      else if ("cancel" in told) open.get(`${worker} ${told.cancel}`)?.stop.abort();
    }
  }

  function begin(worker: string, own: string, id: string): void {
    const key = `${worker} ${id}`;
    if (open.has(key)) return;
    const ask = readAsk(own, id);
    // It was answered, or given up.
    if (ask === undefined) return;
    const path = answerPath(own, id);
    const write = (frame: RelayFrame) => appendShared(path, frame);
    const deny = (status: number, refused: string, facts: Record<string, unknown> = {}) => {
      parts.audit("relay-refused", { worker, ...facts, why: refused });
      try {
        refuse(write, status, refused);
      } catch (error) {
        complain(worker, (error as Error).message);
      }
    };
    const before = readSharedFrom(path, 0);
    if (before === undefined) return;
    if ("wrong" in before) return complain(worker, `an answer cannot be written, ${before.wrong}`);
    if (before.size > 0) return write({ broken: "The daemon was started anew meanwhile" });
    if ("wrong" in ask) return deny(400, `The request cannot be read, ${ask.wrong}`);
    const attempt = attemptName(ask.task, ask.epoch);
    const facts = { task: ask.task, epoch: ask.epoch, path: ask.path };
    const own_ = [...open.values()].filter((one) => one.worker === worker);
    if (own_.length >= MOST_OPEN) return deny(429, "Too many calls at once", facts);
    const permit = permitRelay(worker, ask, {
      state: desk.state(),
      config: desk.config(),
      env: parts.env,
      metered: metered.get(attempt) ?? 0,
    });
    if ("refused" in permit) return deny(permit.status, permit.refused, facts);
    const { usdPerTask } = desk.config().budget;
    if (usdPerTask !== undefined && own_.some((one) => one.attempt === attempt)) {
      return deny(429, "With a budget, one call at a time", facts);
    }
    write({ alive: true });
    const stop = new AbortController();
    const begunAt = clock.now();
    const done = answerCall({
      ...permit,
      clock,
      fetch: parts.fetch ?? fetch,
      signal: AbortSignal.any([stop.signal, over.signal]),
      write,
    }).then((use) => {
      metered.set(attempt, (metered.get(attempt) ?? 0) + (use?.usd ?? 0));
      const { model } = permit.call;
      parts.audit("relay", {
        ...{ worker, ...facts, model },
        use: use ?? null,
        ms: clock.now() - begunAt,
      });
    }, (error) => complain(worker, (error as Error).message))
      .finally(() => open.delete(key));
    open.set(key, { worker, attempt, stop, done });
  }

  /** The attempt was cancelled, or is somebody else's by now. */
  function endThoseThatMayNot(): void {
    const { tasks } = desk.state();
    for (const { worker, attempt, stop } of open.values()) {
      const task = tasks.get(attempt.slice(0, attempt.lastIndexOf(":")));
      const last = task?.attempts.at(-1);
      const counts = task !== undefined && last?.worker === worker &&
        attemptName(task.id, last.epoch) === attempt && last.endedAt === undefined &&
        task.cancelAsked === undefined && !isOver(task);
      if (!counts) stop.abort();
    }
    for (const name of metered.keys()) {
      const task = tasks.get(name.slice(0, name.lastIndexOf(":")));
      if (task === undefined || isOver(task)) metered.delete(name);
    }
    for (const worker of known.keys()) if (!desk.state().workers.has(worker)) known.delete(worker);
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
      unlisten = desk.onChange(() => news.tell(BUSY_MS));
      working ??= work();
    },
    async settled() {
      await Promise.all([...open.values()].map(({ done }) => done));
    },
    async [Symbol.asyncDispose]() {
      unlisten?.();
      over.abort();
      await working;
      await Promise.all([...open.values()].map(({ done }) => done));
    },
  };
}
