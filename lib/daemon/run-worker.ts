import { hostname } from "node:os";
import { currentBuild } from "../base/build.ts";
import type { Clock } from "../base/clock.ts";
import { RefusedError, UserError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { findDaemon } from "../control/find-daemon.ts";
import { acquireLease } from "../store/lease.ts";
import { describeHolder } from "../store/lease-holder.ts";
import { findConfinement } from "../tasks/confine.ts";
import { endLeftOvers } from "../tasks/left-overs.ts";
import { relayFolder } from "../tasks/relay-files.ts";
import { createRelayLink } from "../tasks/relay-link.ts";
import { startRelayServer } from "../tasks/relay-server.ts";
import { SANDBOXES } from "../tasks/sandbox.ts";
import { MAIL_BUSY_MS, MAIL_IDLE_MS } from "../tasks/via-mailbox.ts";
import { createFilesLink } from "../tasks/via-files.ts";
import { createHttpLink } from "../tasks/via-http.ts";
import { createWorkerFiles } from "../tasks/worker-files.ts";
import { createWorker } from "../tasks/worker.ts";
import type { WorkerEnd, WorkerState } from "../tasks/worker.ts";
import { openWorkerJournal } from "../tasks/worker-journal.ts";
import { HANDED_BACK } from "../tasks/worker-runner.ts";
import { LinkError } from "../tasks/worker-link.ts";
import type { WorkerLink } from "../tasks/worker-link.ts";
import { createAttemptRunner } from "./attempt-runner.ts";
import { openMailLink } from "./mail-link.ts";
import { readPoolConfigIfThere } from "./pool-settings.ts";
import { placeOf } from "./remote.ts";
import { readIdentity } from "./worker-identity.ts";
import type { WorkerIdentity } from "./worker-identity.ts";
import { workerJob } from "./worker-job.ts";
import { workerPlace } from "./worker-place.ts";

export interface RunWorkerParts {
  name: string;
  slots: number;
  labels: readonly string[];
  /** The words that start herd itself. */
  self: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  /** Sentences for whoever started it. */
  say(text: string): void;
  onStatus(status: WorkerState): void;
  /** Gets what makes the worker finish what it has and end. */
  onLeave?: (leave: () => void) => Disposable;
}

const LEASE_WAIT_MS = 5_000;

/** Runs one enrolled worker in this process until it is told to end, or not wanted any more. */
export async function runWorker(parts: RunWorkerParts): Promise<WorkerEnd> {
  const { name, env, clock, log, signal, say } = parts;
  const place = workerPlace(placeOf(env).folder, name);
  const identity = readIdentity(place.identity);
  if (identity === undefined) {
    throw new UserError(`Cannot start worker "${name}": it is not enrolled`, {
      hint: `\`herd pool enrol ${name}\` where the pool runs gives a code for --code`,
    });
  }
  const lease = await acquireLease({
    dir: place.lease,
    clock,
    waitMs: LEASE_WAIT_MS,
    purpose: "worker",
    signal,
  });
  if ("heldBy" in lease) {
    throw new RefusedError(
      `Cannot start worker "${name}": it runs already, ${describeHolder(lease.heldBy)}`,
    );
  }
  try {
    const { kind, says } = await findConfinement(env);
    say(says);
    const journal = openWorkerJournal(place.journal);
    const job = workerJob(env, identity.pool);
    await using relay = identity.via === "files" && identity.pool !== undefined
      ? await startRelayServer({
        link: createRelayLink({ folder: relayFolder(identity.pool, name), clock }),
      })
      : undefined;
    await using link = linkOf(identity, parts);
    // A mailbox shows what was said last, as long as it counts: a report is worth its request.
    const cadence = identity.via === "discord"
      ? { everyMs: MAIL_BUSY_MS, idleEveryMs: MAIL_IDLE_MS, laterMs: Infinity }
      : {};
    await using worker = createWorker({
      ...cadence,
      link,
      files: createWorkerFiles({ root: place.root, link, clock, log }),
      journal,
      clock,
      log,
      endLeftOvers: () => endLeftOvers(place.records),
      runner: createAttemptRunner({
        // The pool's folder is on both machines: what an attempt leaves needs no carrying.
        place: job === undefined ? place : { ...place, root: job.pool, tools: job.tools },
        isLeaving: () => job !== undefined && (job.isEnding() || signal.aborted),
        self: parts.self,
        env,
        clock,
        log,
        backendOf: (backend) => ownBackend(backend, env),
        secretsOf: (backend) => secretsOf(backend, env),
        relay,
        relaysAlways: job !== undefined,
      }),
      identity: {
        worker: name,
        version: currentBuild().version,
        host: hostname(),
        slots: parts.slots,
        labels: parts.labels,
        sandboxes: kind === "none" ? ["none"] : SANDBOXES,
      },
      ...(job === undefined ? {} : { partingWord: HANDED_BACK }),
      onStatus(status) {
        // A job that takes nothing new only keeps a node from others.
        if (status.drain && !status.leaving) job?.onDrain(() => worker.leave());
        parts.onStatus(status);
      },
    });
    using _warned = job?.watch(worker, clock, log);
    using _leaving = parts.onLeave?.(worker.leave);
    const end = await worker.run(signal);
    journal.close();
    return end;
  } finally {
    lease.release();
  }
}

function linkOf(
  identity: WorkerIdentity,
  { env, clock, log }: RunWorkerParts,
): WorkerLink & AsyncDisposable {
  const { worker, secret = "", via, address, pool } = identity;
  switch (via) {
    case "files":
      return held(createFilesLink({ folder: pool ?? "", worker, clock }));
    case "http":
      return held(
        address === undefined
          ? localLink(worker, secret, env)
          : createHttpLink({ base: { url: address }, worker, secret }),
      );
    case "discord":
      return openMailLink({ identity, env, clock, log });
  }
}

/** Nothing of it is left open between two exchanges. */
function held(link: WorkerLink): WorkerLink & AsyncDisposable {
  return { ...link, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** The daemon of this user on this host; a new one listens somewhere else, so it is looked for anew. */
function localLink(
  worker: string,
  secret: string,
  env: RunWorkerParts["env"],
): WorkerLink {
  async function find(signal: AbortSignal): Promise<WorkerLink> {
    const daemon = await findDaemon(placeOf(env), { signal });
    if (daemon === undefined) throw new LinkError("unreachable", "No daemon runs here");
    const { address } = daemon;
    const base = "socketPath" in address
      ? { socketPath: address.socketPath }
      : { url: `http://127.0.0.1:${address.port}` };
    return createHttpLink({ base, worker, secret });
  }
  return {
    exchange: async (report, how) => await (await find(how.signal)).exchange(report, how),
    send: async (piece, signal) => await (await find(signal)).send!(piece, signal),
  };
}

/** What this machine's own configuration says of a backend; its secrets never travel. */
function ownBackend(
  name: string,
  env: RunWorkerParts["env"],
): Readonly<Record<string, unknown>> | undefined {
  try {
    return readPoolConfigIfThere(env)?.backends[name];
  } catch {
    // A mistake in it is told where the pool runs; here the task's own words are taken.
    return undefined;
  }
}

const USUAL = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_CUSTOM_HEADERS"];

function secretsOf(
  backend: Readonly<Record<string, unknown>>,
  env: RunWorkerParts["env"],
): Record<string, string> {
  const { apiKeyEnv, env: more, kind } = backend;
  const names = [
    ...(typeof apiKeyEnv === "string" ? [apiKeyEnv] : []),
    ...(Array.isArray(more) ? more.filter((one) => typeof one === "string") : []),
    ...(kind === "anthropic" ? USUAL : []),
  ];
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = env[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}
