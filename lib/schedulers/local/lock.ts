import { readdirSync, readlinkSync, statSync, symlinkSync, unlinkSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { codeOf } from "../../base/files.ts";
import { bootId, processStart } from "../../base/pid.ts";
import { heartbeatPath } from "./spool.ts";

/**
 * At most one supervisor for each spool. The lock is a row of numbered symbolic
 * links, each made exclusively with its owner as text; the highest number rules.
 * A dead owner is followed by number + 1, which one contender only can make, and
 * the highest is never removed: so nobody can take away a lock that was renewed
 * since he looked, as with one file that is deleted and made again.
 */
export interface Holder {
  /** 0 when nobody ever held it. */
  generation: number;
  alive: boolean;
  pid: number | undefined;
}

/** A supervisor on another host is believed dead when its heartbeat is this old: twelve missed beats. */
const FOREIGN_SILENCE_MS = 120_000;
const PREFIX = "supervisor.lock.";

/** Who holds the lock now. */
export function holderOf(spool: string, now: number): Holder {
  for (;;) {
    const generation = highest(spool);
    if (generation === 0) return { generation, alive: false, pid: undefined };
    const text = read(join(spool, `${PREFIX}${generation}`));
    // Cleaned away by a newer holder in between: look again.
    if (text === undefined) continue;
    const [pid, start, boot, ...host] = text.split(" ");
    if (text === "free" || pid === undefined) return { generation, alive: false, pid: undefined };
    const alive = host.join(" ") === hostname()
      ? boot === bootId() && processStart(Number(pid)) === start
      : now - heartbeat(spool) < FOREIGN_SILENCE_MS;
    return { generation, alive, pid: Number(pid) };
  }
}

/** Takes the lock for this process; undefined when a living one has it. */
export function acquireLock(spool: string, now: number): number | undefined {
  for (;;) {
    const holder = holderOf(spool, now);
    if (holder.alive) return undefined;
    const mine = holder.generation + 1;
    if (!make(spool, mine, ownerText())) continue;
    if (highest(spool) === mine) {
      for (const lower of generations(spool)) if (lower < mine) remove(spool, lower);
      return mine;
    }
    // We were slow: others came and went, and their cleaning freed an old number.
    remove(spool, mine);
  }
}

/** The generation that rules now: above one's own after a successor believed one dead, 0 with the spool gone. */
export function rulingGeneration(spool: string): number {
  return highest(spool);
}

/** Makes one's own lock again after somebody deleted it. */
export function restoreLock(spool: string, generation: number): void {
  make(spool, generation, ownerText());
}

/** Says that nobody works here any more; from now on whoever submits starts a new supervisor. */
export function releaseLock(spool: string, generation: number): void {
  if (highest(spool) === generation) make(spool, generation + 1, "free");
}

function ownerText(): string {
  return `${process.pid} ${processStart(process.pid)} ${bootId()} ${hostname()}`;
}

function make(spool: string, generation: number, text: string): boolean {
  try {
    symlinkSync(text, join(spool, `${PREFIX}${generation}`));
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

function remove(spool: string, generation: number): void {
  try {
    unlinkSync(join(spool, `${PREFIX}${generation}`));
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

function highest(spool: string): number {
  return Math.max(0, ...generations(spool));
}

function generations(spool: string): number[] {
  try {
    return readdirSync(spool).filter((name) => name.startsWith(PREFIX))
      .map((name) => Number(name.slice(PREFIX.length)));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

function heartbeat(spool: string): number {
  try {
    return statSync(heartbeatPath(spool)).mtimeMs;
  } catch {
    return 0;
  }
}

function read(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
