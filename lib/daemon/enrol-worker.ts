import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { RefusedError, UserError } from "../base/errors.ts";
import { createControlClient } from "../control/client.ts";
import { findDaemon } from "../control/find-daemon.ts";
import { readMailboxCode } from "../tasks/mailbox-envelope.ts";
import type { Log } from "../base/log.ts";
import { acquireLease } from "../store/lease.ts";
import { describeHolder } from "../store/lease-holder.ts";
import { enrolByMail } from "./enrol-by-mail.ts";
import { placeOf } from "./remote.ts";
import { readIdentity, writeIdentity } from "./worker-identity.ts";
import { workerPlace } from "./worker-place.ts";

export interface EnrolRequest {
  /** As whom; undefined takes the name of the code. */
  name: string | undefined;
  code: string | undefined;
  /** `http://127.0.0.1:PORT`; undefined: the daemon of this user on this host. */
  address: string | undefined;
  /** The pool's folder, for a worker that reaches it by files. */
  pool: string | undefined;
  labels: readonly string[];
  /** How it is to reach the pool, when it says so. */
  via?: string | undefined;
  /** For a code of a mailbox: the variable that holds the token of the worker's own bot. */
  tokenEnv?: string | undefined;
  clock: Clock;
  log: Log;
  env: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
}

const LEASE_WAIT_MS = 5_000;

/**
 * Who this worker is: as it was enrolled before, by a code, by the pool's folder, or, where the
 * daemon runs on this host under the same user, by its own token. Answers the worker's name.
 */
export async function enrolWorker(request: EnrolRequest): Promise<string> {
  const { name, code, pool, env } = request;
  const { folder } = placeOf(env);
  const known = name === undefined ? undefined : readIdentity(workerPlace(folder, name).identity);
  if (code !== undefined && readMailboxCode(code) !== undefined) return await byMail(request, code);
  if (code !== undefined && request.via === "discord") {
    throw new UserError("Cannot enrol over Discord: this is no code of a mailbox", {
      hint: "`herd pool enrol NAME --via discord` where the pool runs prints one",
    });
  }
  if (code !== undefined) return await byCode(request, code);
  if (known !== undefined && (pool === undefined || known.pool === pool)) return known.worker;
  if (request.via === "discord") {
    throw new UserError("Cannot enrol over Discord: --code is missing", {
      hint: "`herd pool enrol NAME --via discord` where the pool runs prints one",
    });
  }
  if (pool !== undefined) return byFolder(request, pool);
  return await byToken(request);
}

async function byCode(request: EnrolRequest, code: string): Promise<string> {
  const { worker, secret } = await ask<{ worker: string; secret: string }>(
    request,
    "/v1/pool/enrol",
    { code },
  );
  if (request.name !== undefined && request.name !== worker) {
    throw new UserError(`Cannot enrol as "${request.name}": the code is for "${worker}"`);
  }
  keep(request, worker, secret);
  return worker;
}

async function byMail(request: EnrolRequest, code: string): Promise<string> {
  const { name, tokenEnv = "DISCORD_BOT_TOKEN", env } = request;
  const identity = await enrolByMail({ ...request, code, tokenEnv });
  const { worker } = identity;
  writeIdentity(workerPlace(placeOf(env).folder, worker).identity, identity);
  if (name !== undefined && name !== worker) {
    throw new UserError(`Cannot work as "${name}": the code was for "${worker}"`, {
      hint: `It is enrolled as that: herd worker --name ${worker}`,
    });
  }
  return worker;
}

async function byToken(request: EnrolRequest): Promise<string> {
  const { name = "worker-1", labels } = request;
  if (request.address !== undefined) {
    throw new UserError("Cannot enrol: a worker that is given an address needs a code, too", {
      hint: "`herd pool enrol NAME` where the pool runs prints one",
    });
  }
  // A new secret would lock out the one that runs.
  const lease = await acquireLease({
    dir: workerPlace(placeOf(request.env).folder, name).lease,
    clock: request.clock,
    // One that was told to end may still be at it.
    waitMs: LEASE_WAIT_MS,
    purpose: "worker",
    signal: request.signal,
  });
  if ("heldBy" in lease) {
    throw new RefusedError(
      `Cannot start worker "${name}": it runs already, ${describeHolder(lease.heldBy)}`,
      { hint: "--name NAME starts another one beside it" },
    );
  }
  try {
    const { code } = await ask<{ code: string }>(request, "/v1/pool/workers", { name, labels });
    const { secret } = await ask<{ secret: string }>(request, "/v1/pool/enrol", { code });
    keep(request, name, secret);
  } finally {
    lease.release();
  }
  return name;
}

function byFolder({ name, pool, env }: EnrolRequest, folder: string): string {
  if (name === undefined) {
    throw new UserError("Missing the worker's name: --name says as whom it was enrolled");
  }
  if (!existsSync(join(folder, "journal.jsonl"))) {
    throw new UserError(`Cannot use "${folder}" as the pool's folder: there is no journal in it`, {
      hint: "`herd pool enrol NAME --via files` prints the folder",
    });
  }
  writeIdentity(workerPlace(placeOf(env).folder, name).identity, {
    worker: name,
    via: "files",
    pool: pool!,
  });
  return name;
}

function keep({ address, env }: EnrolRequest, worker: string, secret: string): void {
  writeIdentity(workerPlace(placeOf(env).folder, worker).identity, {
    worker,
    secret,
    via: "http",
    ...(address === undefined ? {} : { address }),
  });
}

async function ask<T>(
  { address, env, signal }: EnrolRequest,
  path: string,
  body: object,
): Promise<T> {
  if (address !== undefined) {
    const url = new URL(address);
    if (!["127.0.0.1", "localhost"].includes(url.hostname) || url.port === "") {
      throw new UserError(
        `Cannot reach the pool at "${address}": the daemon listens on its own host only`,
        {
          hint: "Make a tunnel (ssh -L 8674:127.0.0.1:PORT login), and give http://127.0.0.1:8674",
        },
      );
    }
    const client = createControlClient({
      address: { port: Number(url.port) },
      token: "none",
    });
    return await client.request<T>("POST", path, body, { signal });
  }
  const daemon = await findDaemon(placeOf(env), { signal });
  if (daemon === undefined) {
    throw new RefusedError("Cannot enrol: no daemon runs here", {
      hint: "`herd pool start` starts one; for a pool elsewhere give --code and --address",
    });
  }
  const client = createControlClient({ address: daemon.address, token: daemon.token });
  return await client.request<T>("POST", path, body, { signal });
}
