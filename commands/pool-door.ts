import { hostname, userInfo } from "node:os";
import { createControlClient } from "../lib/control/client.ts";
import { findDaemon } from "../lib/control/find-daemon.ts";
import { userPlace } from "../lib/control/user-place.ts";
import type { Context } from "./command.ts";
import { ownCommandLine } from "./open.ts";

/** The pool as a command operates it. */
export interface PoolDoor extends AsyncDisposable {
  /** Whether a daemon answers; else the records are opened here, for as long as it takes. */
  readonly running: boolean;
  /** The document of an answer; a failure is thrown as the error that it tells of. */
  request<T>(method: string, path: string, body?: unknown, timeoutMs?: number): Promise<T>;
  /** The bytes of an answer to GET. */
  bytes(path: string): Promise<Uint8Array>;
}

/**
 * Through the daemon where one runs. Without one the same routes are carried out in this process
 * under the pool's lease: a task that is submitted now is there when the daemon starts.
 */
export async function openPoolDoor(
  { env, clock, log, signal }: Pick<Context, "env" | "clock" | "log" | "signal">,
): Promise<PoolDoor> {
  const place = userPlace(env, userInfo().uid, hostname());
  const daemon = await findDaemon(place, { signal });
  if (daemon === undefined) {
    const { openPoolHere } = await import("../lib/daemon/open-pool-here.ts");
    return await openPoolHere({
      env,
      folder: place.folder,
      clock,
      log,
      self: ownCommandLine(),
    });
  }
  const { address, token } = daemon;
  const client = createControlClient({ address, token, way: "cli" });
  return {
    running: true,
    request: (method, path, body, timeoutMs) =>
      client.request(method, path, body, {
        signal,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      }),
    bytes: (path) => client.bytes(path, { signal }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
