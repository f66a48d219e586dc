import type { Parts, WorkspaceFiles } from "../actions/parts.ts";
import { RefusedError, SchedulerError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { Runner } from "../base/process.ts";
import {
  freshMirrorMemory,
  mirrorMemoryPath,
  readMirrorMemory,
  writeMirrorMemory,
} from "../mirror/mirror-memory.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import { createComposer } from "./compose.ts";
import { createFarSide, type FarSide } from "./far-side.ts";
import type { SweepFile } from "./sweep-file.ts";

export interface ElsewhereParts {
  request: {
    /** Undefined where nobody can go anywhere. */
    reach?: ((host: string) => SshHost) | undefined;
    clock: Clock;
    onWarning(message: string): void;
  };
  paths: WorkspacePaths;
  /** The YAML as it is now, with the host that was asked for; throws UserError. */
  sweep(): SweepFile;
  dotenv(): Readonly<Record<string, string>>;
  adopts(): boolean;
  announced(run: Runner): Runner;
}

/** Whether a sweep's jobs run on another computer, and all that follows from it. */
export interface Elsewhere {
  /** The YAML's words with the host that a command line named. */
  asked(sweep: SweepFile): SweepFile;
  /** Its name; undefined where jobs run here. */
  host(): string | undefined;
  /** Undefined where jobs run here. Throws RefusedError where nobody can go there. */
  side(): FarSide | undefined;
  /** Makes a job's texts for there; undefined for a job that runs here. */
  composer(job: Parameters<Parts["compose"]>[0]): Parts["compose"] | undefined;
  telling(files: WorkspaceFiles): WorkspaceFiles;
  /** See `Outside.wishHost`. */
  wish(host: string, how: { isBusy: boolean; isKept: boolean }): void;
  /** What jobs there are to know is there when it resolves, or is told to go later. */
  settle(signal: AbortSignal): Promise<void>;
}

export function createElsewhere(parts: ElsewhereParts): Elsewhere {
  const { request, paths } = parts;
  const memoryPath = mirrorMemoryPath(paths.state);
  let made: FarSide | undefined;
  let supposed: string | undefined;

  /** Named on a command line. */
  function wished(): string | undefined {
    return supposed === undefined ? kept() : supposed || undefined;
  }

  function kept(): string | undefined {
    const memory = remembered();
    return memory?.isWished === true ? memory.host : undefined;
  }

  const remembered = () => readMirrorMemory(memoryPath);

  /** By the YAML; where that cannot be read, the one that is known. */
  function hostName(): string | undefined {
    try {
      return parts.sweep().config.slurm.host;
    } catch {
      return remembered()?.host;
    }
  }

  function side(): FarSide | undefined {
    const name = made === undefined ? hostName() : undefined;
    if (name === undefined) return made;
    if (request.reach === undefined) {
      throw new RefusedError(`Cannot reach "${name}", where this sweep's jobs run, from here`);
    }
    made = createFarSide({
      ...parts,
      ...{ host: request.reach(name), isWished: kept() === name, adopts: parts.adopts() },
      ...{ clock: request.clock, onWarning: request.onWarning },
    });
    return made;
  }

  return {
    side,
    host: hostName,
    asked(sweep) {
      const host = wished();
      if (host === undefined) return sweep;
      const { config } = sweep;
      const scheduler = config.scheduler ?? "slurm";
      return { ...sweep, config: { ...config, scheduler, slurm: { ...config.slurm, host } } };
    },
    composer(job) {
      const other = job.scheduler === "slurm" ? side() : undefined;
      if (other === undefined) return undefined;
      const there = other.mirror.there();
      if (there === undefined) {
        throw new SchedulerError("unreachable", `"${other.mirror.host}" was not reached yet`);
      }
      const { herd, login: environment } = there.facts;
      return createComposer({ paths: there.paths, environment, dotenv: parts.dotenv, herd });
    },
    telling(files) {
      return request.reach === undefined ? files : side()?.telling(files) ?? files;
    },
    wish(host, { isBusy, isKept }) {
      const before = hostName() ?? "";
      if (before !== host && isBusy) {
        const place = before === "" ? "this machine" : `"${before}"`;
        throw new RefusedError(`Cannot move the sweep: jobs of it live on ${place}`, {
          hint: "`herd stop` ends them; those that were done stay done",
        });
      }
      made = undefined;
      if (!isKept) {
        supposed = host;
        return;
      }
      const memory = remembered();
      const fresh = memory?.host === host ? memory : freshMirrorMemory(host);
      if (host !== "") writeMirrorMemory(memoryPath, { ...fresh, isWished: true });
      else if (memory !== undefined) writeMirrorMemory(memoryPath, { ...memory, isWished: false });
    },
    async settle(signal) {
      await made?.mirror.settle(signal);
    },
  };
}
