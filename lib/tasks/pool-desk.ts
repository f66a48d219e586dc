import type { Event } from "../sweep/event.ts";
import type { Refusable } from "./coordinator.ts";
import type { FilePiece, FileState, WorkerOrders, WorkerReport } from "./exchange.ts";
import type { PoolConfig } from "./pool-config.ts";
import type { PoolHappening, WorkerVia } from "./pool-event.ts";
import type { Sighting } from "./pool-rules.ts";
import type { PoolState } from "./pool-state.ts";
import type { TaskFile } from "./task-data.ts";
import type { AnswerTold, Origin, ProposalState, Task, TaskWish } from "./task.ts";

/** What a submission says beside its text; each wins over the text's own tag. */
export type WishOverrides = {
  [K in Exclude<keyof TaskWish, "text" | "data">]?: string | undefined;
};

export type Submitted =
  | { task: Task; isNew: boolean }
  /** What is wrong and what would be right, each a sentence without period. */
  | { refused: readonly string[] };

/** `command` is what is typed on the worker's machine. */
export type Invited =
  /** A one-time code with which it proves who it is; valid for `minutes`. */
  | { code: string; minutes: number; command: string }
  /** It is enrolled already, and finds the pool in this folder. */
  | { enrolled: true; folder: string; command: string };

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
  submit(
    text: string,
    overrides: WishOverrides,
    origin: Origin,
    id?: string,
    /** `proposes`: names of those to which a change may be proposed. */
    given?: { files: readonly TaskFile[]; proposes: readonly string[] },
  ): Submitted;
  /** The end of a task about a trial was told there. */
  told(id: string, told: AnswerTold): void;
  /** What was decided about the change that a task proposes. */
  decided(id: string, epoch: number, proposal: ProposalState, by: string): void;
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
  /** How many workers are SLURM jobs. What is left out is as configured. */
  scale(wish: ScaleWish, by: string): Refusable;
  /** What SLURM says of the workers that are its jobs, by the last look. */
  jobs(): JobBoard;
  /** `now`: every agent is ended too. */
  stop(how: { now: boolean; why: string }, by: string): Refusable;
  resume(by: string): Refusable;
  /** Lets a worker in; whoever may write into the pool's folder proves nothing, and is in at once. */
  invite(
    worker: { name: string; labels: readonly string[]; via: WorkerVia },
    by: string,
  ): Invited | { refused: string };
  /** The same for a worker that reaches nothing but Discord: it gets a mailbox there. */
  inviteByMail?(
    worker: { name: string; labels: readonly string[] },
    by: string,
  ): Promise<Extract<Invited, { code: string }> | { refused: string }>;
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
  /** What does not work beside it, each a sentence for people: the configuration as it is now, Discord. */
  troubles(): readonly string[];
  events(after: number, limit?: number): readonly Event<PoolHappening>[];
  onEvent(listener: (event: Event<PoolHappening>) => void): () => void;
  /** Anything that people see of the pool may have changed: an event, a report of a worker. */
  onChange(listener: () => void): () => void;
  /** A file that an attempt left, if it is on this machine's disk or was sent by the worker. */
  file(task: string, epoch: number, path: string): Promise<Uint8Array | undefined>;
}

/** `slurm`: so many, always; else between `least` and `most`, by what waits. */
export interface ScaleWish {
  slurm?: number | undefined;
  least?: number | undefined;
  most?: number | undefined;
  slots?: number | undefined;
  partition?: string | undefined;
  timeMinutes?: number | undefined;
  /** Each one word of sbatch's, such as `--account=x`. */
  options?: readonly string[] | undefined;
}

/** Workers that are SLURM jobs, as people see them. */
export interface JobBoard {
  /** Why there are fewer than there should be; undefined when nothing is wrong. */
  trouble: string | undefined;
  /** By worker. */
  jobs: ReadonlyMap<string, JobLine>;
}

export interface JobLine {
  /** Undefined before SLURM has taken it. */
  jobId: string | undefined;
  /** In SLURM's word where there is one: RUNNING, PENDING, … */
  state: string;
  node: string | undefined;
  /** Why it waits, or why nothing is known. */
  reason: string | undefined;
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
