import type { Duplex } from "node:stream";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Ended } from "../base/process.ts";
import type { Asker } from "./asker.ts";
import { createConnection } from "./connection.ts";
import { inTurn } from "./in-turn.ts";
import { openForward } from "./open-forward.ts";
import type { SshLink } from "./open-link.ts";
import { openRoute } from "./open-route.ts";
import { createSftpFiles } from "./sftp-files.ts";
import { type ProgramEnd, runProgram } from "./run-program.ts";
import { createSessionSlots } from "./session-slots.ts";
import { SshError } from "./ssh-error.ts";
import type { SshHost, SshRunOptions, SshStream, SshStreamOptions } from "./ssh-host.ts";
import { NoSessionError, NotSentError, type Program, startProgram } from "./start-program.ts";
import { createPatience } from "./patience.ts";
import { unlessAborted } from "./unless-aborted.ts";

export interface SshParts {
  /** For `SSH_AUTH_SOCK` and the like. */
  env: Readonly<Record<string, string | undefined>>;
  /** Folder above `.ssh`. */
  home: string;
  /** The user here, who is also the one there where nothing else is said. */
  user: string;
  clock: Clock;
  log: Log;
  /** Undefined when nobody can be asked. */
  asker?: Asker | undefined;
  /** By default `HOME/.ssh/config` and `/etc/ssh/ssh_config`. */
  configFiles?: readonly string[] | undefined;
  /** What people should know: a key was added, a setting is not supported. */
  onNotice?: ((text: string) => void) | undefined;
  /** A login shell comes to the program within this; by default a minute. Milliseconds. */
  startMs?: number | undefined;
  /** Between 0 and 1, for the jitter of back-off. */
  random?: (() => number) | undefined;
}

/** sshd's default is 10; one stays free for ending what runs. */
const MOST_SESSIONS = 9;

/** Opens nothing yet. `name` is an alias of the ssh config, a host name, or `user@host:port`. */
export function createSshHost(name: string, parts: SshParts): SshHost {
  const ring = new Map();
  const told = new Set<string>();
  const slots = createSessionSlots(MOST_SESSIONS);
  const connection = createConnection({
    name,
    clock: parts.clock,
    random: parts.random ?? Math.random,
    open: (signal, asked) =>
      openRoute(name, {
        ...parts,
        resolve: parts,
        asker: noticed(parts.asker, asked),
        ring,
        signal,
        onNotice(text) {
          parts.log.write("info", text, { host: name });
          if (!told.has(text)) parts.onNotice?.(text);
          told.add(text);
        },
      }),
  });

  /** A program in a session of its own; the slot is given back when it has ended. */
  async function start(
    link: SshLink,
    argv: readonly string[],
    options: SshStreamOptions,
    signal: AbortSignal | undefined,
  ): Promise<Program> {
    const starting = inTurn(() => startProgram(link, argv, options, parts.startMs), {
      ...{ slots, clock: parts.clock, signal },
      isRefusal: (error) => error instanceof NoSessionError,
    });
    starting.then(({ opened, giveBack }) => {
      void opened.ended.then(giveBack);
      if (signal?.aborted) kill(link, opened, "KILL");
    }, () => {});
    try {
      return (await unlessAborted(starting, signal)).opened;
    } catch (error) {
      throw error instanceof NoSessionError ? crowded(link, error) : error;
    }
  }

  /** On the link that stands, or on a new one where that turns out to be gone before anything was sent. */
  async function begin(
    argv: readonly string[],
    options: SshStreamOptions,
    way: { person: boolean; patienceMs: number },
    signal: AbortSignal | undefined,
  ): Promise<{ link: SshLink; program: Program }> {
    for (;;) {
      const link = await connection.link({ ...way, ...(signal === undefined ? {} : { signal }) });
      try {
        return { link, program: await start(link, argv, options, signal) };
      } catch (error) {
        if (!(error instanceof NotSentError)) throw error;
        await unlessAborted(link.ended, signal);
      }
    }
  }

  /** By ssh's own signal, and where the server does not know that, by a second program. */
  function kill(link: SshLink, { channel, pid, ended }: Program, signal: string): void {
    const plain = signal.replace(/^SIG/, "");
    channel.signal(plain);
    const timer = setTimeout(() => {
      startProgram(link, ["/bin/kill", `-${plain}`, "--", `-${pid}`], {}).then((second) => {
        second.channel.resume();
        second.channel.stderr.resume();
        second.channel.end();
        return second.ended;
      }).catch(() => {}).finally(() => plain === "KILL" && channel.close());
    }, 300);
    void ended.then(() => clearTimeout(timer));
    if (plain === "KILL") channel.resume().stderr.resume();
  }

  async function run(argv: readonly string[], options: SshRunOptions = {}): Promise<Ended> {
    const started = performance.now();
    const { timeoutMs, signal } = options;
    const timeout = timeoutMs === undefined
      ? undefined
      : createPatience(parts.clock, timeoutMs, () => new TimeOver());
    const never = new AbortController().signal;
    const wanted = timeout === undefined
      ? signal
      : signal === undefined
      ? timeout.signal
      : AbortSignal.any([timeout.signal, signal]);
    const base = { argv, stdout: "", stderr: "", timedOut: false, canceled: false };
    const done = (end: Partial<ProgramEnd> & { spawnError?: string }): Ended => {
      const all = {
        ...base,
        exitCode: undefined,
        signal: undefined,
        spawnError: undefined,
        ...end,
      };
      return {
        ...all,
        durationMs: performance.now() - started,
        ok: all.exitCode === 0 && !all.timedOut && !all.canceled,
      };
    };
    try {
      // Without a limit of its own the time limit ends it.
      const { patienceMs = timeoutMs === undefined ? 0 : Infinity } = options;
      const way = { person: false, patienceMs };
      const { link, program } = await begin(argv, options, way, wanted);
      return done(
        await runProgram(program, options, {
          timeout: timeout?.signal ?? never,
          kill: (one, word) => kill(link, one, word),
        }),
      );
    } catch (error) {
      if (error instanceof TimeOver) {
        const { state } = connection;
        return done({
          timedOut: true,
          ...("error" in state ? { lost: `${state.error.message}; it did not run` } : {}),
        });
      }
      if (signal?.aborted) return done({ canceled: true });
      return done(notRun(error));
    } finally {
      timeout?.end();
    }
  }

  async function stream(
    argv: readonly string[],
    options: SshStreamOptions = {},
  ): Promise<SshStream> {
    const { signal } = options;
    const way = { person: true, patienceMs: 0 };
    const { link, program } = await begin(argv, options, way, signal);
    const { channel, ended } = program;
    const stop = () => kill(link, program, "TERM");
    signal?.addEventListener("abort", stop, { once: true });
    void ended.then(() => signal?.removeEventListener("abort", stop));
    return {
      output: channel as unknown as Duplex,
      errorOutput: channel.stderr as unknown as NodeJS.ReadableStream,
      resize: ({ columns, rows }) => channel.setWindow(rows, columns, 0, 0),
      kill: (word) => kill(link, program, word),
      ended,
      destroy: () => channel.close(),
    };
  }

  const files = createSftpFiles({
    slots,
    clock: parts.clock,
    link: (signal) =>
      connection.link({
        person: false,
        patienceMs: 0,
        ...(signal === undefined ? {} : { signal }),
      }),
  });

  return {
    name,
    get state() {
      return connection.state;
    },
    onState: connection.onState,
    connect: async (signal) =>
      (await connection.link({
        person: true,
        patienceMs: 0,
        ...(signal === undefined ? {} : { signal }),
      })).facts,
    run,
    stream,
    files,
    forward: async (target, signal) =>
      await openForward(
        await connection.link({
          person: false,
          patienceMs: 0,
          ...(signal === undefined ? {} : { signal }),
        }),
        target,
      ),
    close: () => connection.close(),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

/** The time limit of a run; never seen outside. */
class TimeOver extends Error {}

/** It did not start, and that is certain, unless the line was cut after it was sent. */
function notRun(error: unknown): { lost: string } | { spawnError: string } {
  const message = (error as Error).message;
  if (error instanceof SshError && error.step === "channel") return { spawnError: message };
  if (error instanceof SshError && error.step === "lost") {
    return { lost: `${message}; nobody knows whether it ran` };
  }
  if (error instanceof SshError) return { lost: `${message}; it did not run` };
  return { spawnError: message };
}

function crowded({ facts }: SshLink, cause: Error): SshError {
  return new SshError(
    "channel",
    facts.address,
    `Cannot start a program at "${facts.address}": the server allows no session (${cause.message})`,
    { cause },
  );
}

function noticed(asker: Asker | undefined, asked: () => void): Asker | undefined {
  if (asker === undefined) return undefined;
  return async (question, signal) => {
    const answer = await asker(question, signal);
    // A passphrase is kept and a key remembered; a code has to be given again.
    if (question.kind === "code" || question.kind === "password") asked();
    return answer;
  };
}
