import { join } from "node:path";
import type { Readable } from "node:stream";
import { readBackendConfig } from "../backends/backend-config.ts";
import { createBackend } from "../backends/create-backend.ts";
import type { Clock } from "../base/clock.ts";
import { EXIT } from "../base/exit-codes.ts";
import { createDeadline, type Deadline } from "../tasks/attempt-deadline.ts";
import { createEnding } from "../tasks/attempt-ending.ts";
import { MARK, markedEnvironment } from "../tasks/attempt-environment.ts";
import { LOG_FILE } from "../tasks/attempt-files.ts";
import { writeResult } from "../tasks/attempt-folder.ts";
import { type Inbox, openInbox } from "../tasks/attempt-inbox.ts";
import { createAttemptLog } from "../tasks/attempt-log.ts";
import { killAttempt, type Membership } from "../tasks/attempt-members.ts";
import { readWorkerMessage, type Stopped } from "../tasks/attempt-message.ts";
import { type AttemptOutput, createAttemptOutput } from "../tasks/attempt-output.ts";
import { createPost } from "../tasks/attempt-post.ts";
import { type AttemptSpec, readAttemptSpec } from "../tasks/attempt-spec.ts";
import type { Backend, Work, WorkEnd } from "../tasks/backend.ts";
import { type Confinement, findConfinement } from "../tasks/confine.ts";
import { withRelayDoor } from "../tasks/relay-door.ts";
import type { WrapSandbox } from "../tasks/wrap-sandbox.ts";
import { withPreset } from "./preset.ts";

/** Makes what works on the task; a refusal is a sentence for people. */
export type BackendOf = (
  spec: AttemptSpec,
  parts: { wrap: WrapSandbox; clock: Clock; kind?: Confinement["kind"] },
) => Backend | { refused: string } | Promise<Backend | { refused: string }>;

export interface AttemptRun {
  /** The specification, then messages of the worker; its end is the worker's end. */
  input: Readable;
  /** The worker reads it; 1 is standard output. */
  descriptor: number;
  /** Of this process. */
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  /** SIGTERM and its like. */
  signal: AbortSignal;
  backendOf: BackendOf;
  findConfinement?: (env: AttemptRun["env"]) => Promise<Confinement>;
}

/** So long a worker that does not read keeps the process from ending. */
const UNREAD_MS = 5_000;

/** Runs one attempt in this process, from its specification on standard input to its end. Resolves to an exit code. */
export async function runAttempt(run: AttemptRun): Promise<number> {
  const inbox = openInbox(run.input);
  try {
    const first = await inbox.first;
    if (first === undefined) return EXIT.mistake;
    const spec = readAttemptSpec(first);
    if ("wrong" in spec) {
      const message = `Cannot read the specification of the attempt: ${spec.wrong}`;
      const line = JSON.stringify({ end: failed("refused", message) });
      await createAttemptOutput(run.descriptor).write(line + "\n");
      return EXIT.mistake;
    }
    await work(run, spec, inbox);
    return EXIT.done;
  } finally {
    inbox.close();
  }
}

async function work(run: AttemptRun, spec: AttemptSpec, inbox: Inbox): Promise<void> {
  const { clock } = run;
  const mark = run.env[MARK];
  const membership: Membership | undefined = mark === undefined
    ? undefined
    : { mark, leader: undefined };
  const log = createAttemptLog(join(spec.folder, LOG_FILE));
  const output = createAttemptOutput(run.descriptor);
  const post = createPost(output, clock);
  const ending = createEnding(spec.graceMs, clock, membership);
  const deadline = listen(inbox, { spec, clock, output, stop: ending.stop });
  const onSignal = () => ending.stop("signal");
  run.signal.addEventListener("abort", onSignal, { once: true });
  if (run.signal.aborted) onSignal();
  try {
    const doing = runBackend(run, spec, {
      signal: ending.signal,
      onUse: (use) => post.say({ use }),
      onProgress: post.progress,
      log: log.write,
    });
    const end = await Promise.race([doing, ending.given]);
    if (membership !== undefined) await killAttempt(membership);
    log.close();
    post.close();
    const stopped = ending.stopped();
    const isFenced = stopped === "deadline" || stopped === "worker-gone";
    if (end.kind === "done" && !isFenced) keepResult(spec.folder, end.result);
    const patience = new AbortController();
    await Promise.race([
      post.say(stopped === undefined ? { end } : { end, stopped }),
      clock.sleep(stopped === "worker-gone" ? 0 : UNREAD_MS, patience.signal).catch(() => {}),
    ]);
    patience.abort();
  } finally {
    run.signal.removeEventListener("abort", onSignal);
    deadline.stop();
    ending.close();
    post.close();
    log.close();
  }
}

async function runBackend(
  run: AttemptRun,
  spec: AttemptSpec,
  hearing: Pick<Work, "signal" | "onUse" | "onProgress" | "log">,
): Promise<WorkEnd> {
  try {
    const { wrap, kind } = await (run.findConfinement ?? findConfinement)(run.env);
    const backend = await run.backendOf(spec, { wrap, kind, clock: run.clock });
    if ("refused" in backend) return failed("refused", backend.refused);
    const { name, folder, prompt, instructions, model, thinking, sandbox, budgetUsd } = spec;
    const mark = run.env[MARK];
    const env = mark === undefined ? spec.env : markedEnvironment(spec.env, { mark, name });
    if (hearing.signal.aborted) return { kind: "aborted", partial: "" };
    return await backend.run({
      ...{ name, folder, prompt, instructions, model, thinking, sandbox, budgetUsd, env },
      ...hearing,
    });
  } catch (error) {
    // A backend never throws; one that does is broken, which is no reason to be silent.
    hearing.log(`\n${error instanceof Error ? error.stack : String(error)}\n`);
    return failed("agent", "The backend failed unexpectedly; agent-output.log says where");
  }
}

function failed(cause: "refused" | "agent", message: string): WorkEnd {
  return { kind: "failed", cause, message, passing: cause === "agent", partial: "" };
}

/** The worker has the result from us in any case. */
function keepResult(folder: string, result: string): void {
  try {
    writeResult(folder, result);
  } catch {
    // No space, or the folder is gone.
  }
}

/** The dead-man's switch, and the worker's words. */
function listen(
  inbox: Inbox,
  { spec, clock, output, stop }: {
    spec: AttemptSpec;
    clock: Clock;
    output: AttemptOutput;
    stop: (why: Stopped) => void;
  },
): Deadline {
  const deadline = createDeadline(clock, spec.deadManMs, () => stop("deadline"));
  inbox.hear((line) => {
    const message = readWorkerMessage(line);
    if (message === undefined) return;
    if ("renew" in message) deadline.move(message.renew);
    else if ("heard" in message) output.heard(message.heard);
    else stop("cancel");
  }, () => stop("worker-gone"));
  return deadline;
}

/** The backend that a specification names. */
export const backendOf: BackendOf = (spec, { wrap, clock, kind }) => {
  const { backend, secrets, prices, env, relay } = spec;
  const config = readBackendConfig(withPreset(backend));
  if ("refused" in config) return config;
  if (relay !== undefined && kind === "landlock") {
    return {
      refused: "Cannot reach the model without connections where programs are confined by " +
        "Landlock alone: install bubblewrap, or let the task have connections",
    };
  }
  const inside = relay === undefined ? wrap : withRelayDoor(wrap, relay);
  return createBackend(config, { wrap: inside, clock, prices, env: { ...env, ...secrets } });
};
