import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { RefusedError } from "../base/errors.ts";
import { explain } from "../base/explain.ts";
import type { Log } from "../base/log.ts";
import { createControlApp } from "../control/app.ts";
import { removeDaemonRecord, writeDaemonRecord } from "../control/daemon-record.ts";
import { findDaemon } from "../control/find-daemon.ts";
import type { FoundDaemon } from "../control/find-daemon.ts";
import { startControl } from "../control/start-control.ts";
import { prepare } from "../control/user-place.ts";
import type { UserPlace } from "../control/user-place.ts";
import { acquireLease, STALE_MS } from "../store/lease.ts";
import { describeHolder, type Holder } from "../store/lease-holder.ts";
import type { RunningStation } from "./station.ts";
import { userName } from "../base/user-name.ts";

export interface DaemonParts {
  place: UserPlace;
  station: RunningStation;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

/** The control API of this user's daemon on this host, for as long as it is not disposed. */
export interface Daemon extends AsyncDisposable {
  port: number;
  socketPath: string;
}

/** Two that start at once: the second one waits so long for the first to answer, or to be gone. */
const START_WAIT_MS = 15_000;
/** One in a container that is gone cannot be seen to be gone: its lease has to stand still. */
const OUTLAST_MS = STALE_MS + 30_000;

/**
 * Becomes the daemon of this user on this host, or finds the one that runs. One
 * that was killed leaves its lease behind, which is free once its process is gone.
 */
export async function startDaemon(parts: DaemonParts): Promise<Daemon | { running: FoundDaemon }> {
  const { place, station, log, signal } = parts;
  const claimed = await claimOrFind(parts);
  if ("running" in claimed) return claimed;
  const { socketPath, token, release } = claimed;
  try {
    const app = createControlApp(station, {
      token,
      allowedHosts: [],
      user: userName(),
      onError: (error, request) =>
        log.write("error", `${request.method} ${request.path} failed`, {
          error: explain(error, "log"),
        }),
    });
    const control = await startControl({
      app,
      socketPath,
      onError: (error) => log.write("warn", "The control API stumbled", { error: `${error}` }),
    });
    signal.throwIfAborted();
    const { port } = control;
    const host = hostname();
    const { pid, version, startedAt } = station;
    writeDaemonRecord(place, {
      pid,
      port,
      socketPath,
      tokenPath: place.token,
      version,
      host,
      startedAt,
    });
    station.announce({ host, pid, port, socket: socketPath, token_file: place.token });
    return {
      port,
      socketPath,
      async [Symbol.asyncDispose]() {
        removeDaemonRecord(place, pid);
        await control.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

type Claimed = ReturnType<typeof prepare> & { release(): void };

/** One that has the place and does not answer is starting, or ending: then the place is free soon. */
async function claimOrFind(parts: DaemonParts): Promise<Claimed | { running: FoundDaemon }> {
  const { place, clock, signal } = parts;
  const until = clock.now() + START_WAIT_MS;
  for (;;) {
    const running = await findDaemon(place, { signal });
    if (running !== undefined) return { running };
    const isLast = clock.now() > until;
    const claimed = await claim(parts, isLast ? OUTLAST_MS : 0);
    if (!("heldBy" in claimed)) return claimed;
    if (isLast) {
      const { pid } = claimed.heldBy;
      throw new RefusedError(
        `Cannot start the monitor: another one, process ${pid}, holds "${place.folder}" and does ` +
          "not answer",
        { hint: `End it (kill ${pid}), then try again`, facts: { holder: claimed.heldBy } },
      );
    }
    await clock.sleep(200, signal);
  }
}

/** A token is made only by who has the place. */
async function claim(
  { place, clock, log, signal }: DaemonParts,
  waitMs: number,
): Promise<Claimed | { heldBy: Holder }> {
  mkdirSync(place.folder, { recursive: true, mode: 0o700 });
  const dir = join(place.folder, "lease");
  const lease = await acquireLease({
    ...{ dir, clock, signal, waitMs, purpose: "daemon" },
    aliveMs: 0,
    onWaiting: (holder) =>
      log.write("info", `Waits for ${describeHolder(holder)}, which may be gone`),
  });
  if ("heldBy" in lease) return lease;
  try {
    return { ...prepare(place), release: () => lease.release() };
  } catch (error) {
    lease.release();
    throw error;
  }
}
