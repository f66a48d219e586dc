import type { Duplex } from "node:stream";
import type { Ended } from "../base/process.ts";
import type { RemoteFiles } from "./remote-files.ts";
import type { SshError } from "./ssh-error.ts";

/** One computer behind ssh: one connection, opened when first needed, with many channels. */
export interface SshHost extends AsyncDisposable {
  /** As the user named it: `login`, or `ana@login:2222`. */
  readonly name: string;
  readonly state: SshState;
  /** Called after each change; gives back what ends it. */
  onState(listener: (state: SshState) => void): () => void;
  /**
   * Connects now, or waits for the attempt that is under way, and says how. Rejects
   * with SshError. Tries once more even after a refusal: whoever calls it wants to be asked.
   */
  connect(signal?: AbortSignal): Promise<SshFacts>;
  /**
   * Runs a program to its end; no remote shell interprets a word of `argv`. Never throws:
   * what happened is in the result. A host that cannot be reached, and a connection cut
   * meanwhile, is `lost`, never an exit code.
   */
  run(argv: readonly string[], options?: SshRunOptions): Promise<Ended>;
  /** Starts a program that is talked to; rejects with SshError when it cannot be started. */
  stream(argv: readonly string[], options?: SshStreamOptions): Promise<SshStream>;
  readonly files: RemoteFiles;
  /** A connection from the host to a socket there; rejects with SshError. */
  forward(target: ForwardTarget, signal?: AbortSignal): Promise<Duplex>;
  /** Ends channels and connection; what waits is rejected. */
  close(): Promise<void>;
}

export interface SshPlace {
  /** Working directory; the home folder by default. */
  cwd?: string;
  /** Added to the login's environment; never through the server's AcceptEnv. */
  env?: Readonly<Record<string, string>>;
  /** Names of variables that are taken out of the login's environment first. */
  unset?: readonly string[];
}

export interface SshRunOptions extends SshPlace {
  /** What the program reads; without it its input is empty. */
  input?: string | Uint8Array;
  /** For all of it, waiting for the connection included. Milliseconds. */
  timeoutMs?: number;
  /** So long it is tried to connect again after a failure that may pass; by default as long as `timeoutMs`. */
  patienceMs?: number;
  /** On abort the program is sent SIGTERM. */
  signal?: AbortSignal;
  /** Bytes kept of each stream; more is dropped. */
  maxBytes?: number;
}

export interface SshStreamOptions extends SshPlace {
  /** A terminal of this size there; its output and error output are then one. */
  pty?: WindowSize & { term: string };
  signal?: AbortSignal;
}

export interface WindowSize {
  columns: number;
  rows: number;
}

/** A program on the host while it runs. */
export interface SshStream {
  /** Reading gives its output, writing its input; `end()` closes the input only. */
  readonly output: Duplex;
  /** Empty with a terminal. */
  readonly errorOutput: NodeJS.ReadableStream;
  resize(size: WindowSize): void;
  /** Such as `INT` or `SIGTERM`: to the program and its group. */
  kill(signal: string): void;
  /** How it ended, after its outputs were read or dropped. Never rejects. */
  readonly ended: Promise<SshEnd>;
  /** Ends the channel at once; the program sees its input close and its output gone. */
  destroy(): void;
}

export interface SshEnd {
  exitCode: number | undefined;
  /** With `SIG`, such as `SIGKILL`. */
  signal: string | undefined;
  /** Why nobody knows how it ended. */
  lost: string | undefined;
}

export type ForwardTarget = { socketPath: string } | { host: string; port: number };

/** What is known of a connection that stands. */
export interface SshFacts {
  /** Where the connection leads. */
  user: string;
  address: string;
  port: number;
  /** Names of the jump hosts, the first one first. */
  jumps: readonly string[];
  /** How the server was convinced, such as `publickey (~/.ssh/id_ed25519)` or `keyboard-interactive`. */
  method: string;
  /** Of the server's key, such as `ssh-ed25519 SHA256:…`. */
  hostKey: string;
  /** The server's version string, such as `SSH-2.0-OpenSSH_9.2p1`. */
  server: string;
}

export type SshState =
  /** Not needed so far, or closed by the other side in silence. */
  | { kind: "idle" }
  | { kind: "connecting"; since: number }
  | { kind: "connected"; since: number; facts: SshFacts }
  /** Failed in passing; the next wish after `notBefore` tries again. Milliseconds since the epoch. */
  | { kind: "waiting"; since: number; notBefore: number; attempts: number; error: SshError }
  /** Needs a person: `connect()` tries again, a run does not. */
  | { kind: "refused"; since: number; error: SshError }
  | { kind: "closed" };
