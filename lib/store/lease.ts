import { clearInterval, setInterval } from "node:timers";
import type { Clock } from "../base/clock.ts";
import { RefusedError } from "../base/errors.ts";
import { diskError } from "./disk-error.ts";
import { createLeaseFiles } from "./lease-files.ts";
import type { LeaseFiles, Seen } from "./lease-files.ts";
import { describeHolder, lifeOf, nobodyKnown, parseHolder, thisHolder } from "./lease-holder.ts";
import type { Holder } from "./lease-holder.ts";

/*
 * One writer per workspace, on file systems whose locks cannot be trusted.
 *
 * The lease is the highest number n for which `lease.<n>` exists. The highest is
 * never deleted, only followed by a higher one, so whoever creates n+1 and then
 * sees nothing higher owns the workspace, and two can never both see that:
 * creating a name is exclusive on the server (link(2) and O_EXCL create are, on
 * NFS 3 and 4, Lustre and GPFS; locks are not always), and if somebody went
 * past n+1 while we looked at an old listing, their higher number is there to
 * be seen after our own create, which makes an NFS client drop its cached
 * listing of the directory. That is why the second look is not optional.
 *
 * The numbers 15 and 90 seconds: an NFS client may show a file or a directory
 * as it was up to 60 s ago (acregmax, acdirmax). A living holder is therefore
 * seen to change at least every 75 s, and a holder that slept long enough to be
 * overtaken wakes with a listing too old to be served from its cache. What
 * remains is a process stopped between its check and its write for 90 s or more.
 *
 * Clocks of two machines are never compared: staleness is "did not change while
 * I watched", and each pause between two looks counts for 5 s at the most, so
 * that a file server's outage does not pass for its holder's silence.
 */
const REFRESH_MS = 15_000;
/** Who wants to outlast a holder that died on another machine waits longer than this. */
export const STALE_MS = 90_000;
const TORN_STALE_MS = 5_000;
const LONGEST_COUNTED_PAUSE_MS = 5_000;
const TRUSTED_MS = 45_000;
/** A wait that is shorter need not be explained. */
const NOTICED_MS = 2_000;

export interface Lease {
  readonly holder: Holder;
  /** Throws RefusedError when the lease is lost or released. To be called just before each write. */
  assertHeld(): void;
  /** Gives the workspace back; once is enough. Never throws. */
  release(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface LeaseRequest {
  dir: string;
  clock: Clock;
  /** How long to wait for another holder; 0 tries once. */
  waitMs: number;
  /** How long to wait for one that is seen to live, where nobody would outlast it; by default `waitMs`. */
  aliveMs?: number;
  purpose: string;
  signal?: AbortSignal;
  /** Told once who has the workspace when the wait has taken 2 s. */
  onWaiting?: ((holder: Holder) => void) | undefined;
  /** Milliseconds that never jump; by default the machine's. */
  monotonic?: () => number;
}

/** Takes the workspace, or says who has it after `waitMs`. Rejects with the signal's reason when aborted. */
export async function acquireLease(request: LeaseRequest): Promise<Lease | { heldBy: Holder }> {
  const monotonic = request.monotonic ?? (() => performance.now());
  const files = orDiskError(() => createLeaseFiles(request.dir), request.dir);
  const watch = createWatch(monotonic);
  const started = monotonic();
  const deadline = started + request.waitMs;
  const deadlineAlive = started + Math.min(request.waitMs, request.aliveMs ?? request.waitMs);
  let { onWaiting } = request;
  let pause = 5;
  let looks = 0;
  let alive = false;
  for (;;) {
    request.signal?.throwIfAborted();
    const { free, heldBy, number, changed, lives } = look(files, watch);
    if (free) {
      const lease = take(files, number + 1, request);
      if (lease !== undefined) return lease;
      continue;
    }
    // The first look finds everything changed.
    alive ||= lives || (looks > 0 && changed);
    looks++;
    const left = (alive ? deadlineAlive : deadline) - monotonic();
    if (left <= 0) return { heldBy };
    if (onWaiting !== undefined && monotonic() - started >= NOTICED_MS) {
      onWaiting(heldBy);
      onWaiting = undefined;
    }
    // While others pass the lease on among themselves, stay quick; a long holder is asked seldom.
    pause = changed ? 5 : Math.min(pause * 1.5, 125);
    await request.clock.sleep(
      Math.min(left, pause + Math.random() * Math.max(35, pause)),
      request.signal,
    );
  }
}

/** Like `acquireLease`, for callers to whom a held workspace is an end: throws RefusedError naming the holder. */
export async function requireLease(request: LeaseRequest): Promise<Lease> {
  const lease = await acquireLease(request);
  if (!("heldBy" in lease)) return lease;
  throw new RefusedError(
    `Cannot change the workspace: it is held by ${describeHolder(lease.heldBy)}`,
    {
      hint: "Wait until it is done, or stop that process",
      facts: { holder: lease.heldBy },
    },
  );
}

type Look =
  | { free: true; number: number; heldBy?: undefined; changed?: undefined; lives?: undefined }
  | { free: false; number: number; heldBy: Holder; changed: boolean; lives: boolean };

function look(files: LeaseFiles, watch: Watch): Look {
  const seen = orDiskError(() => files.newest(), files.dir);
  if (seen === undefined) return { free: true, number: 0 };
  const { number } = seen;
  const holder = parseHolder(seen.text);
  if (holder?.released) return { free: true, number };
  const { unchangedMs, changed } = watch(seen);
  if (holder === undefined) {
    if (unchangedMs >= TORN_STALE_MS) return { free: true, number };
    return { free: false, number, heldBy: nobodyKnown(), changed, lives: false };
  }
  const life = lifeOf(holder);
  if (life === "gone" || (life === "cannot-tell" && unchangedMs >= STALE_MS)) {
    return { free: true, number };
  }
  return { free: false, number, heldBy: holder, changed, lives: life === "alive" };
}

function orDiskError<T>(act: () => T, dir: string): T {
  try {
    return act();
  } catch (error) {
    throw diskError(error, `Cannot take the lease of the workspace in "${dir}"`);
  }
}

type Watch = (seen: Seen) => { unchangedMs: number; changed: boolean };

/** How long the same file has looked the same to us. */
function createWatch(monotonic: () => number): Watch {
  let before: Seen | undefined;
  let at = 0;
  let unchangedMs = 0;
  return (seen) => {
    const now = monotonic();
    const changed = before === undefined || before.number !== seen.number ||
      before.text !== seen.text || before.mtimeMs !== seen.mtimeMs;
    unchangedMs = changed ? 0 : unchangedMs + Math.min(now - at, LONGEST_COUNTED_PAUSE_MS);
    before = seen;
    at = now;
    return { unchangedMs, changed };
  };
}

function take(files: LeaseFiles, number: number, request: LeaseRequest): Lease | undefined {
  const holder = thisHolder(request.purpose, request.clock.now());
  return orDiskError(() => {
    if (!files.create(number, JSON.stringify(holder), holder.nonce)) return undefined;
    // Twice: a listing that runs while names come and go may miss one, the next one shows it.
    if (files.highest() > number || files.highest() > number) {
      files.remove(number);
      return undefined;
    }
    files.removeBelow(number);
    return held(files, number, holder, request);
  }, files.dir);
}

function held(
  files: LeaseFiles,
  number: number,
  holder: Holder,
  { clock, monotonic = () => performance.now() }: LeaseRequest,
): Lease {
  // Both: the monotonic clock stands still while a machine is suspended, the other may be set back.
  const times = (): readonly [number, number] => [monotonic(), clock.now()];
  let released = false;
  let provenAt = times();
  const timer = setInterval(() => {
    try {
      if (stillOurs()) beat();
    } catch {
      // A disk that fails now may work in 15 s; `assertHeld` decides before anything is written.
    }
  }, REFRESH_MS);
  timer.unref();

  function stillOurs(): boolean {
    return files.highest() === number &&
      parseHolder(files.read(number) ?? "")?.nonce === holder.nonce;
  }

  function beat(): void {
    holder.beat++;
    files.replace(number, JSON.stringify(holder), holder.nonce);
    provenAt = times();
  }

  function release(): void {
    if (released) return;
    released = true;
    clearInterval(timer);
    try {
      if (stillOurs()) giveBack();
    } catch {
      // Unreadable now; the next one sees that this process is gone, or that nothing changes.
    }
  }

  function giveBack(): void {
    try {
      files.replace(number, JSON.stringify({ ...holder, released: true }), holder.nonce);
    } catch {
      // A full disk: an empty lease is free after 5 s, where ours would hold as long as we live.
      files.empty(number);
    }
  }

  function proven(): boolean {
    const now = times();
    return now[0] - provenAt[0] <= TRUSTED_MS && now[1] - provenAt[1] <= TRUSTED_MS;
  }

  return {
    holder,
    assertHeld() {
      if (released) throw lost("it was given back already", undefined);
      orDiskError(() => {
        // Own change to the directory: an NFS client then looks again instead of trusting its cache.
        if (!proven() && stillOurs()) beat();
        if (stillOurs()) return;
        const other = parseHolder(files.newest()?.text ?? "");
        const by = other === undefined || other.nonce === holder.nonce
          ? "its lease file is gone"
          : `it was taken over by ${describeHolder(other)}`;
        throw lost(by, other);
      }, files.dir);
    },
    release,
    [Symbol.asyncDispose]() {
      release();
      return Promise.resolve();
    },
  };
}

function lost(how: string, holder: Holder | undefined): RefusedError {
  return new RefusedError(`Cannot change the workspace: the lease on it is lost, ${how}`, {
    hint: "Nothing of this change was written; run the command again",
    facts: { lost: true, ...(holder === undefined ? {} : { holder }) },
  });
}
