import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { RefusedError } from "../base/errors.ts";
import { codeOf } from "../base/files.ts";
import { compactRanges } from "../base/text.ts";
import { retireSupervisor } from "../schedulers/local/retire.ts";
import { acquireLease, requireLease, STALE_MS } from "../store/lease.ts";
import type { Lease } from "../store/lease.ts";
import { describeHolder } from "../store/lease-holder.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import { refuseForeignOwner } from "../store/workspace.ts";
import { LIVE, statusOf } from "../sweep/status.ts";
import type { SweepState } from "../sweep/state.ts";
import type { Outside } from "./outside.ts";
import { holdingOf } from "./remote.ts";

/** Something that `herd clean` may delete. */
export interface Deletable {
  /** `leftover`: of an earlier clean that was interrupted. */
  what: "logs" | "state" | "leftover";
  path: string;
  files: number;
  bytes: number;
}

const LEASE_WAIT_MS = STALE_MS + 30_000;

/** One that lives may just be ending. */
const MONITOR_WAIT_MS = 5_000;

/** What there is to delete, with its size. */
export function deletables(
  paths: WorkspacePaths,
  wish: "nothing" | "logs" | "all",
): Deletable[] {
  if (wish === "nothing") return [];
  if (wish === "logs") return sized("logs", paths.logs);
  const left = leftovers(paths.state).flatMap((path) => sized("leftover", path));
  return [...sized("state", paths.state), ...left];
}

/** What is in a folder and below it. Nothing where it is not there. */
export function sizeOf(folder: string): { files: number; bytes: number } {
  const size = { files: 0, bytes: 0 };
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) addUp(folder, size);
  return size;
}

/** Trials whose jobs the cluster may still be working on. */
export function liveTrials(state: SweepState): number[] {
  return [...state.trials.keys()].filter((index) => LIVE.has(statusOf(state, index)))
    .sort((a, b) => a - b);
}

/**
 * Deletes, under the workspace's lease, and only while nothing is live: what was
 * seen before the lease was taken may have changed. Throws RefusedError then. A
 * monitor would go on with what was deleted: it is ended before, and its id is given back.
 */
export async function deleteAll(
  outside: Outside,
  items: readonly Deletable[],
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<string | undefined> {
  const { paths } = outside;
  refuseForeignOwner(paths);
  // A copy's jobs are not its own, nobody writes here, and its lease is copied too: another's.
  const copied = outside.standing().kind === "copy";
  if (copied || items.every(({ what }) => what === "leftover")) {
    items.forEach(remove);
    return undefined;
  }
  const whole = items.some(({ what }) => what === "state");
  const ended = whole ? await endMonitor(outside, signal) : undefined;
  await using _ = whole ? await keepMonitorsAway(outside, { clock, signal }) : undefined;
  const lease = await requireLease({
    dir: paths.lease,
    clock,
    waitMs: LEASE_WAIT_MS,
    purpose: "clean",
    signal,
    onWaiting: outside.tellWaiting,
  });
  try {
    refuseLive((await outside.watch()).state);
    if (whole && !await retireSupervisor({ spool: paths.local, clock, signal })) {
      throw new RefusedError(
        `Cannot delete "${paths.state}": the supervisor of the local scheduler is still at work`,
        { hint: "It may be on another machine; it ends 10 s after its last trial" },
      );
    }
    // First there: what stayed would be fetched again, or taken for a later sweep's.
    await outside.mirror()?.clear(whole ? "state" : "logs", signal);
    lease.assertHeld();
    for (const item of items) remove(item);
    return ended;
  } finally {
    lease.release();
  }
}

/** The id of the sweep at the daemon that held it. */
async function endMonitor(
  { paths, environment }: Outside,
  signal: AbortSignal,
): Promise<string | undefined> {
  const holding = await holdingOf(paths, environment, { signal });
  await holding?.client.release(holding.id);
  return holding?.id;
}

async function keepMonitorsAway(
  { paths, tellWaiting }: Outside,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<Lease | undefined> {
  // Workspaces of before there were monitors have none.
  if (!existsSync(paths.monitorLease)) return undefined;
  const lease = await acquireLease({
    dir: paths.monitorLease,
    clock,
    waitMs: LEASE_WAIT_MS,
    aliveMs: MONITOR_WAIT_MS,
    purpose: "clean",
    signal,
    onWaiting: tellWaiting,
  });
  if (!("heldBy" in lease)) return lease;
  throw new RefusedError(
    `Cannot delete "${paths.state}": it is monitored by ${describeHolder(lease.heldBy)}`,
    {
      hint: "`herd monitor --stop` there ends it",
      facts: { holder: lease.heldBy },
    },
  );
}

function refuseLive(state: SweepState): void {
  const live = liveTrials(state);
  if (live.length === 0) return;
  throw new RefusedError(`Cannot delete anything: trials ${compactRanges(live)} are live`, {
    hint: "Their jobs write into these files; run `herd clean` again when they have ended",
    facts: { alive: live },
  });
}

function remove({ what, path }: Deletable): void {
  if (what === "leftover") return removeTree(path);
  if (what === "logs") return removeContents(path);
  // A link to a scratch disk stays, with an empty folder behind it: the user put it there.
  const linked = lstatSync(path).isSymbolicLink();
  const real = realpathSync(path);
  const aside = `${real}.deleted-${randomBytes(4).toString("hex")}`;
  try {
    // One rename, so that nobody ever sees half of a workspace.
    renameSync(real, aside);
  } catch (error) {
    // A mount point, or a folder in which we may not rename.
    if (!["EBUSY", "EXDEV", "EACCES", "EPERM"].includes(codeOf(error) ?? "")) throw error;
    return removeContents(real);
  }
  if (linked) mkdirSync(real, { mode: 0o700 });
  removeTree(aside);
}

function removeContents(folder: string): void {
  for (const name of readdirSync(folder)) removeTree(join(folder, name));
}

function removeTree(path: string): void {
  // Network file systems keep files that somebody has open for a moment under another name.
  rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}

function leftovers(state: string): string[] {
  const folders = new Set([dirname(state)]);
  try {
    folders.add(dirname(realpathSync(state)));
  } catch {
    // There is no state.
  }
  const prefix = `${basename(state)}.deleted-`;
  return [...folders].flatMap((folder) =>
    readdirSync(folder).filter((name) => name.startsWith(prefix)).map((name) => join(folder, name))
  );
}

function sized(what: Deletable["what"], path: string): Deletable[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  const size = sizeOf(path);
  return what === "logs" && size.files === 0 ? [] : [{ what, path, ...size }];
}

function addUp(folder: string, size: { files: number; bytes: number }): void {
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      addUp(path, size);
      continue;
    }
    size.files++;
    size.bytes += lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    // Jobs and supervisors may remove files meanwhile.
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}
