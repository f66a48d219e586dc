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
import { SANDBOXES } from "../tasks/sandbox.ts";
import { createFilesLink } from "../tasks/via-files.ts";
import { createHttpLink } from "../tasks/via-http.ts";
import { createWorkerFiles } from "../tasks/worker-files.ts";
import { createWorker } from "../tasks/worker.ts";
import type { WorkerEnd, WorkerState } from "../tasks/worker.ts";
import { openWorkerJournal } from "../tasks/worker-journal.ts";
import { LinkError } from "../tasks/worker-link.ts";
import type { WorkerLink } from "../tasks/worker-link.ts";
import { createAttemptRunner } from "./attempt-runner.ts";
import { readPoolConfigIfThere } from "./pool-settings.ts";
import { placeOf } from "./remote.ts";
import { readIdentity } from "./worker-identity.ts";
import type { WorkerIdentity } from "./worker-identity.ts";
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
    const link = linkOf(identity, parts);
    await using worker = createWorker({
      link,
      files: createWorkerFiles({ root: place.root, link, clock, log }),
      journal,
      clock,
      log,
      endLeftOvers: () => endLeftOvers(place.records),
      runner: createAttemptRunner({
        place,
        self: parts.self,
        env,
        clock,
        log,
        backendOf: (backend) => ownBackend(backend, env),
        secretsOf: (backend) => secretsOf(backend, env),
      }),
      identity: {
        worker: name,
        version: currentBuild().version,
        host: hostname(),
        slots: parts.slots,
        labels: parts.labels,
        sandboxes: kind === "none" ? ["none"] : SANDBOXES,
      },
      onStatus: parts.onStatus,
    });
    using _leaving = parts.onLeave?.(worker.leave);
    const end = await worker.run(signal);
    journal.close();
    return end;
  } finally {
    lease.release();
  }
}

function linkOf(identity: WorkerIdentity, { env, clock }: RunWorkerParts): WorkerLink {
  const { worker, secret = "", via, address, pool } = identity;
  switch (via) {
    case "files":
      return createFilesLink({ folder: pool ?? "", worker, clock });
    case "http":
      return address === undefined
        ? localLink(worker, secret, env)
        : createHttpLink({ base: { url: address }, worker, secret });
    case "discord":
      throw new UserError("This herd cannot reach a pool over Discord alone yet", {
        hint: "Enrol the worker with --via http (a tunnel) or --via files (a shared file system)",
      });
  }
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
