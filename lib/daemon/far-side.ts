import { basename, isAbsolute, join, normalize, relative } from "node:path";
import type { WorkspaceFiles } from "../actions/parts.ts";
import type { Clock } from "../base/clock.ts";
import type { Runner } from "../base/process.ts";
import { userName } from "../base/user-name.ts";
import { createMirror } from "../mirror/create-mirror.ts";
import type { Mirror } from "../mirror/mirror.ts";
import { MirrorError } from "../mirror/mirror-error.ts";
import { createMirroredScheduler } from "../mirror/mirrored-scheduler.ts";
import type { Scheduler } from "../schedulers/scheduler.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import { readHome } from "../store/home.ts";
import { acquireLease } from "../store/lease.ts";
import { describeHolder } from "../store/lease-holder.ts";
import { type WorkspacePaths, workspacePaths } from "../store/paths.ts";
import { createSlurmElsewhere } from "./slurm-elsewhere.ts";
import type { SweepFile } from "./sweep-file.ts";

export interface FarSideParts {
  host: SshHost;
  paths: WorkspacePaths;
  /** The YAML as it is now; throws UserError. */
  sweep(): SweepFile;
  /** Where on the host the workspace is; throws UserError. */
  folder(): string;
  /** Whether jobs may be alive there. */
  isLive(): boolean;
  adopts: boolean;
  isWished(): boolean;
  clock: Clock;
  /** Told of each call to SLURM; what it gives back is called at the answer. */
  announced(run: Runner): Runner;
  onWarning(message: string): void;
}

/** Where the jobs of a workspace run when that is not here. */
export interface FarSide extends AsyncDisposable {
  readonly mirror: Mirror;
  readonly scheduler: Scheduler;
  /** The workspace's files; what is written for jobs goes there. */
  telling(files: WorkspaceFiles): WorkspaceFiles;
}

/** So long one process waits for another one that brings or fetches files; large ones take a while. */
const ALONE_WAIT_MS = 120_000;

export function createFarSide(parts: FarSideParts): FarSide {
  const { host, paths, clock } = parts;
  const told = new Set<string>();

  /** Each once: the same is wrong at each look. */
  function warn(message: string): void {
    if (told.has(message)) return;
    told.add(message);
    parts.onWarning(message);
  }

  async function alone<T>(purpose: string, act: () => Promise<T>): Promise<T> {
    const lease = await acquireLease({
      ...{ dir: join(paths.state, "mirror-lease"), clock, purpose, waitMs: ALONE_WAIT_MS },
    });
    if ("heldBy" in lease) {
      throw new MirrorError(
        "unreachable",
        `Cannot ${purpose}: ${describeHolder(lease.heldBy)} is at it and does not end`,
      );
    }
    try {
      return await act();
    } finally {
      lease.release();
    }
  }

  const mirror = createMirror({
    host,
    here: paths,
    pathsAt: (root) => workspacePaths(root, `${root}/${basename(paths.config)}`),
    folder: parts.folder,
    wish() {
      const { launcher, trialsFile, sync } = parts.sweep().config;
      const needed = [relative(paths.root, paths.config), launcher, trialsFile ?? ""];
      return {
        // An absolute path is one of the host's own.
        needed: needed.filter((one) => one !== "" && !isAbsolute(one)).map((one) => normalize(one)),
        patterns: sync.map((one) => one.replace(/^(!?)(\.\/+)+/, "$1")),
      };
    },
    isLive: parts.isLive,
    inode: () => readHome(paths)?.inode,
    alone,
    adopts: parts.adopts,
    isWished: parts.isWished,
    user: userName(),
    clock,
    log: (level, message) => level === "warn" ? warn(message) : undefined,
  });
  const scheduler = createMirroredScheduler({
    mirror,
    root: paths.root,
    clock,
    make: ({ facts }) => createSlurmElsewhere({ ...parts, facts }),
    log: (_, message) => warn(message),
  });

  return {
    mirror,
    scheduler,
    telling(files) {
      const and = <A extends unknown[]>(act: (...given: A) => void) => (...given: A) => {
        act(...given);
        mirror.touched();
      };
      return {
        ...files,
        voidSubmission: and(files.voidSubmission),
        unvoidSubmission: and(files.unvoidSubmission),
        writeSignal: and(files.writeSignal),
        clearSignals: and(files.clearSignals),
      };
    },
    [Symbol.asyncDispose]: () => mirror[Symbol.asyncDispose](),
  };
}
