import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../base/clock.ts";
import { RefusedError } from "../base/errors.ts";
import { processStart } from "../base/pid.ts";
import { spawnDetached, withoutBunSwitches } from "../base/detach.ts";
import { createControlClient } from "../control/client.ts";
import { findDaemon } from "../control/find-daemon.ts";
import type { FoundDaemon } from "../control/find-daemon.ts";
import { lastLines } from "./last-lines.ts";
import { placeOf, sameWorkspace } from "./reach.ts";

export interface BackgroundRequest {
  self: readonly string[];
  workspaces: readonly string[];
  flags: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  signal: AbortSignal;
}

export interface Background {
  pid: number;
  log: string;
  port: number;
  sweeps: readonly { id: string; path: string }[];
  /** Workspaces that it does not hold, and what it said. */
  refused: readonly string[];
  lastWords: string;
}

/** It came up, and its sweeps were over before it could be asked. */
export interface AlreadyOver {
  ended: string;
  log: string;
}

/** So long a daemon may take until it answers and holds its sweeps. */
const START_WAIT_MS = 30_000;

/**
 * Starts the daemon as a process of its own session and resolves when it holds
 * the sweeps. Throws RefusedError with its last words when it does not come up.
 */
export async function startInBackground(
  request: BackgroundRequest,
): Promise<Background | AlreadyOver> {
  const { self, workspaces, flags, env, clock, signal } = request;
  const place = placeOf(env);
  mkdirSync(dirname(place.log), { recursive: true, mode: 0o700 });
  const child = spawnDetached([...self, "monitor", ...workspaces, "--background", ...flags], {
    cwd: "/",
    env: withoutBunSwitches(env),
    stdout: place.log,
    stderr: place.log,
  });
  let gone: { how: string; well: boolean } | undefined;
  void child.exited.then(({ exitCode, signal: by }) => {
    gone = { how: `exit ${exitCode ?? by}`, well: exitCode === 0 };
  });
  const until = clock.now() + START_WAIT_MS;
  for (;;) {
    const before = gone;
    const late = clock.now() > until;
    const found = await findDaemon(place, { signal });
    const sweeps = found === undefined ? [] : await heldBy(found);
    const refused = workspaces.filter((one) =>
      !sweeps.some(({ path }) => sameWorkspace(one, path))
    );
    const some = refused.length < workspaces.length;
    // One that lives and holds nothing yet waits for a lease.
    if (found !== undefined && (refused.length === 0 || (before === undefined ? late : some))) {
      const { pid, port } = found.record;
      const lastWords = refused.length === 0 ? "" : lastLines(place.log);
      return { pid, port, log: place.log, sweeps, refused, lastWords };
    }
    if (before?.well) return { ended: lastLines(place.log), log: place.log };
    if (before !== undefined || late) {
      throw new RefusedError(
        `Cannot start the monitor in the background: ${before?.how ?? "it does not answer"}`,
        { hint: `Its last words, in ${place.log}:\n${lastLines(place.log)}` },
      );
    }
    await clock.sleep(100, signal);
  }
}

/** The same for a daemon that is there for the pool or the broker; resolves when that is open. */
export async function startPartInBackground(
  part: "pool" | "broker",
  { self, env, clock, signal }: Omit<BackgroundRequest, "workspaces" | "flags">,
): Promise<{ pid: number; port: number; log: string }> {
  const place = placeOf(env);
  mkdirSync(dirname(place.log), { recursive: true, mode: 0o700 });
  const child = spawnDetached([...self, part, "start"], {
    cwd: "/",
    env: withoutBunSwitches(env),
    stdout: place.log,
    stderr: place.log,
  });
  let gone: string | undefined;
  void child.exited.then(({ exitCode, signal: by }) => gone = `exit ${exitCode ?? by}`);
  const until = clock.now() + START_WAIT_MS;
  for (;;) {
    const before = gone;
    const found = await findDaemon(place, { signal });
    // The record of a daemon that was killed is there until the new one has written its own.
    const isItsOwn = found !== undefined && processStart(found.record.pid) !== undefined;
    if (isItsOwn && await has(part, found)) {
      return { pid: found.record.pid, port: found.record.port, log: place.log };
    }
    if (before !== undefined || clock.now() > until) {
      throw new RefusedError(
        `Cannot start the ${part} in the background: ${before ?? "it does not answer"}`,
        { hint: `Its last words, in ${place.log}:\n${lastLines(place.log)}` },
      );
    }
    await clock.sleep(100, signal);
  }
}

async function has(
  part: "pool" | "broker",
  { address, token }: FoundDaemon,
): Promise<boolean> {
  try {
    await createControlClient({ address, token }).request("GET", `/v1/${part}`);
    return true;
  } catch {
    return false;
  }
}

/** None where it ends at this moment. */
async function heldBy({ address, token }: FoundDaemon): Promise<{ id: string; path: string }[]> {
  try {
    const sweeps = await createControlClient({ address, token }).sweeps();
    return sweeps.map(({ id, path }) => ({ id, path }));
  } catch {
    return [];
  }
}
