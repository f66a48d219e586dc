import { statSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "../base/files.ts";
import type { Clock } from "../base/clock.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import { RemoteFileError } from "../ssh/remote-files.ts";
import { fetchFile, stamp } from "./fetch-file.ts";
import { LIST_SCRIPT, type Listed, type Listing, parseListing } from "./listing.ts";
import { MirrorError } from "./mirror-error.ts";
import { sideBySide } from "./side-by-side.ts";
import { type Fetched, isRecord, wantedOf } from "./wanted.ts";

export interface PullParts {
  host: Pick<SshHost, "name" | "run" | "files">;
  /** The workspace there; its `.hyperherd` is read. */
  root: string;
  /** `.hyperherd` here. */
  here: string;
  clock: Clock;
  /** What was fetched in an earlier life. */
  known: ReadonlyMap<string, Fetched>;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

export interface PullReport {
  /** Files of which something came. */
  files: number;
  bytes: number;
  /** What this machine's clock says more than the host's. Milliseconds. */
  skewMs: number;
}

/** Brings here what jobs wrote there: what is new of it, each byte once. */
export interface Puller {
  /** Rejects with SshError when the host cannot be reached, with MirrorError when it cannot be read. */
  pull(signal?: AbortSignal): Promise<PullReport>;
  known(): ReadonlyMap<string, Fetched>;
}

/** Files whose reading is under way at once: each costs three exchanges, which then wait together. */
const AT_ONCE = 64;
const TIMEOUT_MS = 60_000;
/** Clocks of the login node and of the file servers may differ by so much. Seconds. */
const OVERLAP = 120;
/** All files are listed again so often, for whatever the times did not tell. */
const ALL_EVERY_MS = 10 * 60_000;

export function createPuller(parts: PullParts): Puller {
  const { host, clock, log } = parts;
  const known = new Map(parts.known);
  /** Listed, and not here whole yet. */
  const owed = new Map<string, Listed>();
  const refused = new Set<string>();
  let since: number | undefined;
  let allAt = -Infinity;

  async function list(signal: AbortSignal | undefined): Promise<Listing | undefined> {
    const isAll = since === undefined || clock.now() - allAt >= ALL_EVERY_MS;
    const from = isAll ? "" : (since! / 1000 - OVERLAP).toFixed(3);
    const ended = await host.run(["/bin/sh", "-c", LIST_SCRIPT, "sh", parts.root, from], {
      timeoutMs: TIMEOUT_MS,
      ...(signal === undefined ? {} : { signal }),
    });
    if (ended.lost !== undefined || ended.timedOut || ended.canceled) {
      throw new MirrorError(
        "unreachable",
        `Cannot list what jobs wrote on "${host.name}": ${
          ended.lost ?? (ended.timedOut ? `no answer in ${TIMEOUT_MS / 1000} s` : "it was stopped")
        }`,
      );
    }
    // Before the first job there is no such folder.
    if (ended.exitCode === 3) return undefined;
    const listing = parseListing(ended.stdout);
    if (listing === undefined) {
      throw new MirrorError(
        "unusable",
        `Cannot list what jobs wrote on "${host.name}": ${
          ended.stderr.trim().split("\n").at(-1) || "GNU find is needed there"
        }`,
      );
    }
    if (isAll) allAt = clock.now();
    return listing;
  }

  function sizeHere(path: string): number | undefined {
    try {
      return statSync(join(parts.here, path)).size;
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  function touch({ path, modified, inode, size }: Listed, skewMs: number): void {
    const before = known.get(path);
    if (before === undefined || before.modified === modified || before.size !== size) return;
    stamp(join(parts.here, path), modified, skewMs);
    known.set(path, { size, modified, inode });
  }

  async function pull(signal?: AbortSignal): Promise<PullReport> {
    const begun = clock.now();
    const listing = await list(signal);
    const report: PullReport = { files: 0, bytes: 0, skewMs: 0 };
    if (listing === undefined) return report;
    // Half of the way there and back is the best guess of when the host looked at its clock.
    const skewMs = (begun + clock.now()) / 2 - listing.at;
    report.skewMs = skewMs;
    for (const file of listing.files) owed.set(file.path, file);
    const wanted = wantedOf([...owed.values()], known, sizeHere);
    const missing = new Set(wanted.map(({ file }) => file.path));
    for (const [path, file] of owed) {
      if (missing.has(path)) continue;
      owed.delete(path);
      if (isRecord(file)) touch(file, skewMs);
    }
    await sideBySide(wanted, AT_ONCE, async (one) => {
      const { path } = one.file;
      try {
        const there = join(parts.root, ".hyperherd");
        const fetching = { files: host.files, there, here: parts.here, skewMs, signal };
        const got = await fetchFile(one, fetching);
        if (got !== undefined) {
          known.set(path, got.fetched);
          report.files++;
          report.bytes += got.bytes;
        }
        if (got === undefined || got.fetched.size >= one.file.size || got.bytes === 0) {
          owed.delete(path);
        }
      } catch (error) {
        if (!(error instanceof RemoteFileError) || error.code === "LOST") throw error;
        // One file that cannot be read keeps back no other; it is listed again in a while.
        owed.delete(path);
        if (!refused.has(path)) log("warn", error.message, { path });
        refused.add(path);
      }
    });
    since = listing.at;
    return report;
  }

  return { pull, known: () => known };
}
