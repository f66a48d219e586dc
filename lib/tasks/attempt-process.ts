import { randomBytes } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { bootId, processStart } from "../base/pid.ts";
import { type PipedChild, startPiped } from "../base/piped-child.ts";
import { createDeadline } from "./attempt-deadline.ts";
import { type AttemptEnd, attemptEnd, type Cause } from "./attempt-end.ts";
import { attemptEnvironment, markedEnvironment } from "./attempt-environment.ts";
import { createLines } from "./attempt-lines.ts";
import { killAttempt, type Membership } from "./attempt-members.ts";
import { type AttemptMessage, readAttemptMessage } from "./attempt-message.ts";
import type { AttemptSpec } from "./attempt-spec.ts";
import { createUseSum } from "./attempt-use.ts";
import type { WorkUse } from "./backend.ts";
import { type AttemptRecord, removeRecord, writeRecord } from "./left-overs.ts";

export interface AttemptParts {
  /** The words that start herd itself; `attempt` is added. */
  argv: readonly string[];
  /** The worker's environment; the attempt's process gets a list of allowed names of it. */
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  /** Where running attempts are recorded for the next worker (see left-overs.ts). */
  records: string;
  onUse(use: WorkUse): void;
  onProgress(phase: string): void;
}

export interface RunningAttempt {
  /** Undefined when it could not be started; `ended` then tells. */
  readonly pid: number | undefined;
  /** Its process group and session. */
  readonly group: number | undefined;
  /** Ticks since boot, see lib/base/pid.ts. */
  readonly start: string | undefined;
  /** The attempt may go on for so long from now. False when it is too late. */
  renew(ms: number): boolean;
  /** Asks it to end, and forces it after the grace. The reason is for people. */
  cancel(reason: string): void;
  /** The lease is lost: ends it by force at once; whatever it answers does not count. */
  fence(): void;
  /** When nothing of it runs any more. Never rejects. */
  readonly ended: Promise<AttemptEnded>;
}

export interface AttemptEnded {
  end: AttemptEnd;
  /** Sums of all calls to models, also of an attempt that died; see attempt-use.ts. */
  use: WorkUse[];
  /** Wall time. */
  durationMs: number;
  /** Processes that would not end, such as in a hung file system; their record stays. */
  left: number;
}

/** A result is read up to 1 MB, and as JSON each byte may take six. */
const LONGEST_LINE = 16 * 1024 * 1024;
const STDERR_KEPT = 8 * 1024;
/** Beyond the grace, for the attempt's process itself to tell how it ended. */
const LAST_WORDS_MS = 2_000;

/**
 * Starts the process of one attempt and watches over it: a time limit, the dead-man's switch on
 * both sides, and the end of everything that it started, wherever that went.
 */
export function startAttempt(spec: AttemptSpec, parts: AttemptParts): RunningAttempt {
  const { clock } = parts;
  const mark = randomBytes(16).toString("hex");
  const begun = clock.now();
  const use = createUseSum();
  const stopping = new AbortController();
  let cause: Cause | undefined;
  let said: Extract<AttemptMessage, { end: unknown }> | undefined;
  let flooded = false;
  let read = 0;
  let stderr = "";

  const record: AttemptRecord = { name: spec.name, folder: spec.folder, mark, boot: bootId() };
  writeRecord(parts.records, record);
  const lines = createLines(LONGEST_LINE);
  const child = startPiped([...parts.argv, "attempt"], {
    cwd: spec.folder,
    env: markedEnvironment(attemptEnvironment(parts.env), { mark, name: spec.name }),
    onOutput: take,
    onErrorOutput(bytes) {
      stderr = (stderr + new TextDecoder().decode(bytes)).slice(-STDERR_KEPT);
    },
  });
  const { pid } = child;
  const start = pid === undefined ? undefined : processStart(pid);
  const leader = pid === undefined || start === undefined ? undefined : { pid, start };
  const membership: Membership = { mark, leader };
  writeRecord(parts.records, { ...record, pid, start });
  child.write(`${JSON.stringify(spec)}\n`);

  function take(bytes: Uint8Array): void {
    read += bytes.length;
    child.write(`${JSON.stringify({ heard: read })}\n`);
    const whole = flooded ? [] : lines.take(bytes);
    if (whole === undefined) {
      flooded = true;
      return force(0);
    }
    for (const message of whole.map(readAttemptMessage)) hear(message);
  }

  function hear(message: AttemptMessage | undefined): void {
    // What comes after its end is not its own.
    if (message === undefined || said !== undefined) return;
    if ("use" in message) {
      use.add(message.use);
      parts.onUse(message.use);
    } else if ("progress" in message) {
      parts.onProgress(message.progress);
    } else {
      said = message;
      force(LAST_WORDS_MS);
    }
  }

  /** Ends everything after so long, unless it is over before. */
  function force(afterMs: number): void {
    const kill = () => void killAttempt(membership);
    if (afterMs === 0) return kill();
    clock.sleep(afterMs, stopping.signal).then(kill, () => {});
  }

  function stop(why: Cause, afterMs: number): void {
    // A lost lease is worse than a wish to end, and overrides it.
    if (stopping.signal.aborted || (cause !== undefined && why.kind !== "fenced")) return;
    cause = why;
    child.write(
      `${JSON.stringify({ cancel: why.kind === "cancelled" ? why.reason : why.kind })}\n`,
    );
    force(afterMs);
  }

  const deadline = createDeadline(clock, spec.deadManMs, () => stop({ kind: "fenced" }, 0));
  clock.sleep(spec.timeoutMs, stopping.signal).then(
    () => stop({ kind: "timed-out", limitMs: spec.timeoutMs }, spec.graceMs + LAST_WORDS_MS),
    () => {},
  );

  async function watch(): Promise<AttemptEnded> {
    const how = await child.ended;
    stopping.abort();
    deadline.stop();
    const left = await killAttempt(membership);
    await drain(child);
    if (left === 0) removeRecord(parts.records, mark);
    return {
      end: attemptEnd({ cause, said, how, stderr, flooded }),
      use: use.all(),
      durationMs: clock.now() - begun,
      left,
    };
  }

  return {
    pid,
    group: pid,
    start,
    renew(ms) {
      if (cause?.kind === "fenced" || !deadline.move(ms)) return false;
      // To a process that does not read, the deadline will do what is right.
      child.write(`${JSON.stringify({ renew: ms })}\n`);
      return true;
    },
    cancel: (reason) => stop({ kind: "cancelled", reason }, spec.graceMs + LAST_WORDS_MS),
    fence: () => stop({ kind: "fenced" }, 0),
    ended: watch(),
  };
}

/** What it wrote before it ended is still to be read: uses that cost money among it. */
async function drain(child: PipedChild): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<void>((resolve) => timer = setTimeout(resolve, LAST_WORDS_MS));
  await Promise.race([child.drained, patience]);
  clearTimeout(timer);
  await child.end();
}
