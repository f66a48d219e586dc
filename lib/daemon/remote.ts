import { hostname, userInfo } from "node:os";
import { createControlClient } from "../control/client.ts";
import type { ControlClient } from "../control/client.ts";
import { findDaemon } from "../control/find-daemon.ts";
import { userPlace } from "../control/user-place.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import { readControlFile } from "./control-file.ts";
import type { Remote } from "./outside.ts";

/** A daemon of this user on this host that holds the sweep of a workspace. */
export interface Holding {
  id: string;
  client: ControlClient;
}

/**
 * Undefined where no daemon holds it that can be reached from here. One on another
 * host cannot: then the workspace's lease orders who writes, as without a daemon.
 */
export async function holdingOf(
  paths: WorkspacePaths,
  env: Readonly<Record<string, string | undefined>>,
  options: { way?: "cli" | "mcp"; signal?: AbortSignal } = {},
): Promise<Holding | undefined> {
  const held = readControlFile(paths);
  if (held === undefined || held.host !== hostname() || held.pid === process.pid) return undefined;
  const daemon = await findDaemon(placeOf(env), options);
  if (daemon === undefined || daemon.record.pid !== held.pid) return undefined;
  const { address, token } = daemon;
  return {
    id: held.id,
    client: createControlClient({ address, token, way: options.way ?? "cli" }),
  };
}

export function placeOf(env: Readonly<Record<string, string | undefined>>) {
  return userPlace(env, userInfo().uid, hostname());
}

/** How a command has something done by the daemon, where one holds the sweep. */
export function findRemoteIn(
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  way: "cli" | "mcp" = "cli",
): (paths: WorkspacePaths) => Promise<Remote | undefined> {
  return async (paths) => {
    const holding = await holdingOf(paths, env, { signal, way });
    if (holding === undefined) return undefined;
    return { perform: holding.client.perform(holding.id, signal) };
  };
}
