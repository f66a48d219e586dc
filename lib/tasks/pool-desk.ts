import type { Event } from "../sweep/event.ts";
import type { Refusable } from "./coordinator.ts";
import type { FilePiece, FileState, WorkerOrders, WorkerReport } from "./exchange.ts";
import type { PoolConfig } from "./pool-config.ts";
import type { PoolHappening, WorkerVia } from "./pool-event.ts";
import type { Sighting } from "./pool-rules.ts";
import type { PoolState } from "./pool-state.ts";
import type { Origin, Task, TaskWish } from "./task.ts";

/** What a submission says beside its text; each wins over the text's own tag. */
export type WishOverrides = { [K in Exclude<keyof TaskWish, "text">]?: string | undefined };

export type Submitted =
  | { task: Task; isNew: boolean }
  /** What is wrong and what would be right, each a sentence without period. */
  | { refused: readonly string[] };

/**
 * The one port through which every surface sees and operates the pool: command line, HTTP, slash
 * commands, buttons, channels, schedules. Nothing here throws but for a disk that refuses
 * (UserError): then nothing has happened.
 */
export interface PoolDesk {
  /** Absolute; workers that share the file system find it there. */
  folder: string;
  config(): PoolConfig;
  /** Do not change it, do not keep it across an await. */
  state(): PoolState;
  sightings(): ReadonlyMap<string, Sighting>;
  /**
   * `text` with tags. `id` makes it the same task each time, as a Discord message is
   * (`discord-<message id>`); so does a key.
   */
  submit(text: string, overrides: WishOverrides, origin: Origin, id?: string): Submitted;
  /** The text was changed before anybody took it. */
  revise(id: string, text: string, by: string): Refusable | { refused: readonly string[] };
  cancel(id: string, why: string, by: string): Refusable;
  retry(id: string, by: string): Refusable;
  acknowledge(id: string, by: string): Refusable;
  /** Cancels all that waits and acknowledges every failure; what runs goes on. Answers the numbers. */
  clear(by: string): { cancelled: number; acknowledged: number };
  /** A schedule was carried out for this time, so that it is not again. */
  fired(schedule: string, due: number, task: string): void;
  drain(worker: string, drains: boolean, by: string): Refusable;
  /** `now`: every agent is ended too. */
  stop(how: { now: boolean; why: string }, by: string): Refusable;
  resume(by: string): Refusable;
  /** A one-time code with which a worker proves who it is, once; valid for `minutes`. */
  invite(
    worker: { name: string; labels: readonly string[]; via: WorkerVia },
    by: string,
  ): { code: string; minutes: number } | { refused: string };
  /** Uses a code up and gives the worker's lasting secret. */
  enrol(code: string): { worker: string; secret: string } | { refused: string };
  /** Whose secret it is; undefined for nobody's. */
  knows(secret: string): string | undefined;
  remove(worker: string, by: string): Refusable;
  exchange(report: WorkerReport): WorkerOrders;
  ordersFor(report: WorkerReport): WorkerOrders;
  /** A piece of a file that an attempt of this worker left; said twice it is the same as once. */
  takeFile(worker: string, piece: FilePiece): FileState | { refused: string };
  /** Why no new work begins now: stopped, budget used up; undefined when it does. */
  holdback(): string | undefined;
  events(after: number, limit?: number): readonly Event<PoolHappening>[];
  onEvent(listener: (event: Event<PoolHappening>) => void): () => void;
  /** Anything that people see of the pool may have changed: an event, a report of a worker. */
  onChange(listener: () => void): () => void;
  /** A file that an attempt left, if it is on this machine's disk or was sent by the worker. */
  file(task: string, epoch: number, path: string): Promise<Uint8Array | undefined>;
}

/** READY, CLAIMED, … as people know them; see `workerStatus`. */
export type WorkerStatus =
  | "READY"
  | "CLAIMED"
  | "RESTARTING"
  | "IDLE"
  | "DRAINING"
  | "FENCED"
  | "STUCK"
  | "OFFLINE";
