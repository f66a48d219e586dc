import { basename, relative } from "node:path";
import type { WorkspaceFiles } from "../actions/parts.ts";
import type { Clock } from "../base/clock.ts";
import type { Runner } from "../base/process.ts";
import { userName } from "../base/user-name.ts";
import { createMirror, type Mirror } from "../mirror/create-mirror.ts";
import { createMirroredScheduler } from "../mirror/mirrored-scheduler.ts";
import type { Scheduler } from "../schedulers/scheduler.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import { type WorkspacePaths, workspacePaths } from "../store/paths.ts";
import { createSlurmElsewhere } from "./slurm-elsewhere.ts";
import type { SweepFile } from "./sweep-file.ts";

export interface FarSideParts {
  host: SshHost;
  paths: WorkspacePaths;
  /** The YAML as it is now; throws UserError. */
  sweep(): SweepFile;
  adopts: boolean;
  isWished: boolean;
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

export function createFarSide(parts: FarSideParts): FarSide {
  const { host, paths, clock } = parts;
  const told = new Set<string>();

  /** Each once: the same is wrong at each look. */
  function warn(message: string): void {
    if (told.has(message)) return;
    told.add(message);
    parts.onWarning(message);
  }

  const mirror = createMirror({
    host,
    here: paths,
    pathsAt: (root) => workspacePaths(root, `${root}/${basename(paths.config)}`),
    wish() {
      const { name, launcher, trialsFile, slurm, sync } = parts.sweep().config;
      const needed = [relative(paths.root, paths.config), launcher, trialsFile ?? ""];
      return {
        path: slurm.path,
        name,
        files: { needed: needed.filter((one) => one !== ""), patterns: sync },
      };
    },
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
