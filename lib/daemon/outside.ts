import type { Parts } from "../actions/parts.ts";
import type { Perform } from "../actions/perform.ts";
import type { Clock } from "../base/clock.ts";
import type { Mirror } from "../mirror/mirror.ts";
import type { Scheduler } from "../schedulers/scheduler.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import type { Dotenv } from "../store/dotenv.ts";
import type { Standing } from "../store/home.ts";
import type { Holder } from "../store/lease-holder.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import type { Notice } from "../sweep/config.ts";
import type { Event } from "../sweep/event.ts";
import type { SweepState } from "../sweep/state.ts";
import type { Observation } from "../sweep/transition.ts";
import type { SweepFile } from "./sweep-file.ts";

export interface OutsideRequest {
  /** A folder or the path of a YAML. */
  workspace: string;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  signal: AbortSignal;
  /** Command line of this program itself, for the local scheduler's supervisor. */
  self: readonly string[];
  /** Told what went wrong beside a change that was made all the same. */
  onWarning(message: string): void;
  /** Told once who is waited for when that takes long. */
  onWaiting?: ((message: string) => void) | undefined;
  /** Who acts; by default the user at a command line. */
  by?: string;
  /**
   * Asked before a change: the daemon that holds this sweep, which then does it.
   * Undefined: nobody does, so it is done here.
   */
  findRemote?: ((paths: WorkspacePaths) => Promise<Remote | undefined>) | undefined;
  /** Called before each question to the cluster; what it gives back is called after the answer. */
  onAsk?: (() => () => void) | undefined;
  /** How a host is reached; without it a sweep that names one can only be read. */
  reach?: ((host: string) => SshHost) | undefined;
  /** This process ends soon: what a change has for jobs elsewhere is taken there before it is over. */
  settles?: boolean;
}

/** A daemon that holds the sweep. */
export interface Remote {
  perform: Perform;
}

export interface ChangeOptions {
  /** Done on a full disk too, without lease and memory: only for what does no harm beside another writer. */
  unwritten?: boolean;
  /** Who acts, where it is not who opened the workspace. */
  by?: string;
  /** Done in this process even where a daemon holds the sweep: files, not jobs. */
  here?: boolean;
}

/** A workspace as a command sees it that runs beside or without a daemon. */
export interface Outside {
  paths: WorkspacePaths;
  /** The shell's, without `.env`. */
  environment: OutsideRequest["env"];
  /** Worth saying once: carried-over files, damage in the journal, an open `.env`. */
  notices(): readonly Notice[];
  /** The YAML as it is now. Throws UserError. */
  sweep(): SweepFile;
  /** What the journal says; no scheduler is asked. */
  state(): SweepState;
  /** Looks at the cluster, remembers what it can, and never waits for another writer. */
  look(): Promise<View>;
  /** What jobs have written on another computer is here when it resolves, or it was told why not. */
  fetch(): Promise<void>;
  /** Looks at the cluster and writes nothing at all. */
  watch(): Promise<View>;
  /**
   * Throws RefusedError or UserError where what HyperHerd left cannot be taken over
   * yet, or where the live jobs are another workspace's, of which this is a copy.
   */
  assertTakeable(): void;
  /** What this folder is to the live jobs. */
  standing(): Standing;
  /** Does something under the workspace's lease, or through the daemon that holds the sweep. */
  change<T>(
    purpose: string,
    act: (perform: Perform, parts: Parts) => Promise<T>,
    options?: ChangeOptions,
  ): Promise<T>;
  /** Forgets the YAML, so that the next question reads it again. */
  reread(): void;
  /** Events after a sequence number, as far as this process has read. */
  events(after: number): readonly Event[];
  /** Hears of each event that is written here or seen by a refresh. Returns what ends it. */
  onEvent(listener: (event: Event) => void): () => void;
  /** Reads what others wrote. */
  refresh(): void;
  /** Tells the user that the workspace is held by another process. */
  tellWaiting(holder: Holder): void;
  scheduler(name: "slurm" | "local"): Scheduler;
  /** The computer where the jobs run, as it is named; undefined where that is this one. */
  host(): string | undefined;
  /** When what jobs elsewhere wrote was last fetched; undefined where they run here. */
  heardAt(): number | undefined;
  /** Remembers what was sent to another computer and fetched from it; where all jobs are over, the rest comes first. */
  close(options?: { whole: boolean }): Promise<void>;
  /** The copy on the computer where the jobs run; undefined where that is this one. */
  mirror(): Mirror | undefined;
  /**
   * From now on jobs run on that host, whatever the YAML says; "" takes it back. Throws RefusedError
   * while jobs live elsewhere. Unless it is kept it ends with this process, and nothing is written.
   */
  wishHost(host: string, how: { isKept: boolean }): void;
  /** The same, kept once it was reached: a name that leads nowhere is not. Throws SchedulerError, too. */
  moveTo(host: string): Promise<void>;
  /** `prune_grace_seconds` of the YAML, or its default where the YAML cannot be read. */
  graceSeconds(): number;
  readRecords: Parts["files"]["readRecords"];
  compose: Parts["compose"];
  newNonce(): string;
  /** `.env` of the workspace. Throws UserError when it is there and cannot be read. */
  dotenv(): Dotenv;
}

export interface View {
  state: SweepState;
  observations: readonly Observation[];
  warnings: readonly string[];
}
