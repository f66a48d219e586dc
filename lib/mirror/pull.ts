import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "../base/files.ts";
import type { Clock } from "../base/clock.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import { RemoteFileError } from "../ssh/remote-files.ts";
import { fetchFile, stamp } from "./fetch-file.ts";
import { listThere } from "./list-there.ts";
import type { Listed, Listing } from "./listing.ts";
import { MirrorError } from "./mirror-error.ts";
import { sideBySide } from "./side-by-side.ts";
import { anew, type Fetched, isRecord, type Wanted, wantedOf } from "./wanted.ts";

export interface PullParts {
  host: Pick<SshHost, "name" | "run" | "files">;
  /** The workspace there; its `.hyperherd` is read. */
  root: string;
  /** `.hyperherd` here. */
  here: string;
  clock: Clock;
  /** What was fetched in an earlier life. */
  known: ReadonlyMap<string, Fetched>;
  /** Throws MirrorError where that marker says that the folder there is another workspace's by now. */
  assertOurs(marker: string): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

export interface PullReport {
  /** Files of which something came. */
  files: number;
  bytes: number;
  /** What this machine's clock says more than that of the disk there. Milliseconds. */
  skewMs: number;
  /** Nothing of what was listed is missing here; otherwise the next pull goes on with it. */
  isWhole: boolean;
}

export interface PullOptions {
  /** Ends only when everything is here; otherwise after some seconds. */
  untilWhole?: boolean;
  signal?: AbortSignal;
}

/** Brings here what jobs wrote there: what is new of it, each byte once. */
export interface Puller {
  /** Rejects with SshError when the host cannot be reached, with MirrorError when it cannot be read, or not be written here. */
  pull(options?: PullOptions): Promise<PullReport>;
  known(): ReadonlyMap<string, Fetched>;
}

/** Files whose reading is under way at once: each costs three exchanges, which then wait together. */
const AT_ONCE = 64;
/** A larger one takes up to 2 MiB of memory while it is read. Bytes. */
const LARGE = 256 * 1024;
const LARGE_AT_ONCE = 4;
/** Clocks of several file servers may differ by so much. Seconds. */
const OVERLAP = 120;
/** All files are listed again so often, for whatever the times did not tell. */
const ALL_EVERY_MS = 10 * 60_000;
/** So long one pull fetches, unless it is to end with everything. */
const BUDGET_MS = 5_000;
/** A listing that took longer was held up, perhaps by a lid that was closed: it tells nothing of clocks. */
const PROMPT_MS = 20_000;
/** Of what was on its way, after which age nobody is at it any more. */
const LEFT_MS = 60 * 60_000;
/** Nothing more can be written here; each further file would only say it again. Deno knows some by number only. */
const FULL = /^(ENOSPC|EDQUOT|EROFS)$|\(os error (28|30|122)\)$/;

export function createPuller(parts: PullParts): Puller {
  const { host, clock, log } = parts;
  const known = new Map(parts.known);
  const coming = join(parts.here, "coming");
  /** Listed, and not here whole yet. */
  const owed = new Map<string, Listed>();
  /** Told of once, until it comes. */
  const refused = new Set<string>();
  let since: number | undefined;
  let allAt = -Infinity;
  let skewMs: number | undefined;
  let number = 0;

  removeLeft(coming, clock.now());

  async function list(signal: AbortSignal | undefined): Promise<Listing> {
    const isAll = since === undefined || clock.now() - allAt >= ALL_EVERY_MS;
    const after = isAll ? undefined : since! / 1000 - OVERLAP;
    const { listing, said } = await listThere(host, { root: parts.root, after }, signal);
    parts.assertOurs(listing.marker);
    if (listing.isPartial) {
      complain("", `Cannot list what jobs wrote on "${host.name}" whole: ${said}`);
    } else refused.delete("");
    if (isAll && !listing.isPartial) allAt = clock.now();
    return listing;
  }

  function complain(path: string, message: string): void {
    if (!refused.has(path)) log("warn", message, { path });
    refused.add(path);
  }

  function sizeHere(path: string): number | undefined {
    try {
      return statSync(join(parts.here, path)).size;
    } catch (error) {
      if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
      throw error;
    }
  }

  function touch({ path, modified, inode, size }: Listed): void {
    const before = known.get(path);
    if (before === undefined || before.modified === modified || before.size !== size) return;
    stamp(join(parts.here, path), modified, skewMs ?? 0);
    known.set(path, { size, modified, inode });
  }

  /** What is owed now; what is here already is forgotten. */
  function wantedNow(): Wanted[] {
    const wanted = wantedOf([...owed.values()], known, sizeHere);
    const missing = new Set(wanted.map(({ file }) => file.path));
    for (const [path, file] of owed) {
      if (missing.has(path)) continue;
      owed.delete(path);
      if (isRecord(file)) touch(file);
    }
    return wanted;
  }

  async function fetch(
    one: Wanted,
    report: PullReport,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { path, size } = one.file;
    const files = host.files;
    const there = join(parts.root, ".hyperherd");
    try {
      const fetching = {
        ...{ files, there, here: parts.here, skewMs: skewMs ?? 0, signal },
        coming: join(coming, `${process.pid}-${++number}`),
      };
      const got = await fetchFile(one, fetching);
      if (got === "another") return await fetch(anew(one.file), report, signal);
      refused.delete(path);
      if (got === undefined) return void owed.delete(path);
      known.set(path, got.fetched);
      if (got.bytes > 0 || one.from === 0) report.files++;
      report.bytes += got.bytes;
      // One that is shorter by now is listed again.
      if (got.fetched.size >= size || got.bytes === 0) owed.delete(path);
    } catch (error) {
      if (error instanceof RemoteFileError && error.code !== "LOST") complain(path, error.message);
      else if (FULL.test(codeOf(error) ?? `${error}`)) throw full(parts.here, error);
      else if (codeOf(error) === undefined || error instanceof RemoteFileError) throw error;
      else complain(path, `Cannot write "${path}" here: ${(error as Error).message}`);
      // One file that cannot be had keeps back no other; it is listed again in a while.
      owed.delete(path);
    }
  }

  async function round(report: PullReport, signal: AbortSignal | undefined): Promise<void> {
    const wanted = wantedNow();
    const isLarge = ({ length }: Wanted) => length > LARGE;
    const get = (one: Wanted) => fetch(one, report, signal);
    await sideBySide(wanted.filter((one) => !isLarge(one)), AT_ONCE, get);
    await sideBySide(wanted.filter(isLarge), LARGE_AT_ONCE, get);
  }

  async function pull({ untilWhole = false, signal }: PullOptions = {}): Promise<PullReport> {
    const begun = clock.now();
    const listing = await list(signal);
    const tookMs = clock.now() - begun;
    // Half of the way there and back is the best guess of when the host looked at its clock.
    if (skewMs === undefined || (tookMs >= 0 && tookMs < PROMPT_MS)) {
      skewMs = begun + tookMs / 2 - listing.at;
    }
    const report: PullReport = { files: 0, bytes: 0, skewMs, isWhole: false };
    for (const file of listing.files) owed.set(file.path, file);
    const unnamed = listing.files.filter(({ path }) => path.includes("\uFFFD"));
    for (const { path } of unnamed) {
      owed.delete(path);
      complain(path, `Cannot fetch "${path}" from "${host.name}": its name is no UTF-8`);
    }
    do {
      await round(report, signal);
    } while (owed.size > 0 && (untilWhole || Math.abs(clock.now() - begun) < BUDGET_MS));
    if (!listing.isPartial) since = listing.at;
    report.isWhole = owed.size === 0;
    return report;
  }

  return { pull, known: () => known };
}

function removeLeft(coming: string, now: number): void {
  try {
    for (const name of readdirSync(coming)) {
      const path = join(coming, name);
      if (now - statSync(path).mtimeMs > LEFT_MS) rmSync(path, { force: true });
    }
  } catch {
    // It takes a little room, and nobody reads it.
  }
}

function full(here: string, error: unknown): MirrorError {
  const isReadOnly = codeOf(error) === "EROFS" || /error 30\)/.test(`${error}`);
  const why = isReadOnly ? "the file system is read-only" : "there is no room";
  return new MirrorError(
    "unusable",
    `Cannot write what jobs wrote to "${here}": ${why}`,
    { hint: "Nothing is lost: it is fetched when that is mended", cause: error },
  );
}
