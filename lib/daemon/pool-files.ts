import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { PoolState } from "../tasks/pool-state.ts";
import type { PoolPlace } from "./pool-place.ts";

/** Larger ones stay where they are. */
export const MOST_BYTES = 25 * 1024 * 1024;

/** A file that an attempt named in its last word; undefined when it is not here or is not what was named. */
export async function readAttemptFile(
  place: PoolPlace,
  state: PoolState,
  task: string,
  epoch: number,
  path: string,
): Promise<Uint8Array | undefined> {
  const report = state.tasks.get(task)?.attempts.find((one) => one.epoch === epoch)?.report;
  const named = report?.files.find((file) => file.path === path);
  if (report === undefined || named === undefined || named.bytes > MOST_BYTES) return undefined;
  // What a worker names may be on this machine's disk: never through a link, and only as it was.
  for (const folder of [join(place.tasks, task, `${epoch}`), report.folder]) {
    const bytes = await readPlain(join(folder, path), named.bytes);
    if (bytes !== undefined && await digest(bytes) === named.sha256) return bytes;
  }
  return undefined;
}

async function readPlain(path: string, size: number): Promise<Uint8Array | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      return stats.isFile() && stats.size === size ? await file.readFile() : undefined;
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

async function digest(bytes: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Buffer.from(hash).toString("hex");
}
