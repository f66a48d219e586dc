import { basename } from "node:path";
import type { Parts, WorkspaceFiles } from "../actions/parts.ts";
import { RefusedError, SchedulerError, UserError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { Runner } from "../base/process.ts";
import { asScheduler } from "../mirror/as-scheduler.ts";
import {
  freshMirrorMemory,
  mirrorMemoryPath,
  readMirrorMemory,
  writeMirrorMemory,
} from "../mirror/mirror-memory.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import type { Place } from "../sweep/place.ts";
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
  /** Where jobs may be alive now. */
  live(): Place | "here" | undefined;
  adopts(): boolean;
  announced(run: Runner): Runner;
}

/** Whether a sweep's jobs run on another computer, and all that follows from it. */
export interface Elsewhere {
  /** The YAML's words with the host that a command line named. Throws UserError while jobs live in another place. */
  asked(sweep: SweepFile): SweepFile;
  /** Where what is submitted now goes; undefined where jobs run here. */
  place(): Place | undefined;
  /** Its name; undefined where jobs run here. */
  host(): string | undefined;
  /** Undefined where jobs run here. Throws RefusedError where nobody can go there. */
  side(): FarSide | undefined;
  /** Makes a job's texts for there; undefined for a job that runs here. */
  composer(job: Parameters<Parts["compose"]>[0]): Parts["compose"] | undefined;
  /** When what jobs wrote was last fetched; undefined where they run here. */
  heardAt(): number | undefined;
  telling(files: WorkspaceFiles): WorkspaceFiles;
  /** See `Outside.wishHost`. */
  wish(host: string, how: { isKept: boolean }): void;
  /** Connects to where jobs go, and looks whether they may. Throws SchedulerError. */
  prove(signal: AbortSignal): Promise<void>;
  /** What jobs there are to know is there when it resolves, or is told to go later. */
  settle(signal: AbortSignal): Promise<void>;
  /** What an earlier life did not come to fetch is here when it resolves. */
  catchUp(signal: AbortSignal): Promise<void>;
  /** Remembers what was sent and fetched; `whole`: where all jobs are over, the rest comes first. */
  close(options?: { whole: boolean }): Promise<void>;
}

/** So long the end of a sweep waits for what is left to fetch; the next command goes on with it. */
const REST_MS = 5 * 60_000;

export function createElsewhere(parts: ElsewhereParts): Elsewhere {
  const { request, paths } = parts;
  const memoryPath = mirrorMemoryPath(paths.state);
  let made: FarSide | undefined;
  let at: Place | undefined;
  let supposed: string | undefined;

  /** Named on a command line, this one's or an earlier one's. */
  function wished(): string | undefined {
    return supposed === undefined ? kept() : supposed || undefined;
  }

  function kept(): string | undefined {
    const memory = remembered();
    return memory?.isWished === true ? memory.host : undefined;
  }

  const remembered = () => readMirrorMemory(memoryPath);

  /** By the YAML; where that cannot be read, the one where jobs live, or that is known. */
  function place(): Place | undefined {
    try {
      return placeOf(parts.sweep());
    } catch {
      const live = parts.live();
      if (live !== undefined) return live === "here" ? undefined : live;
      const memory = remembered();
      return memory?.root === undefined ? undefined : { host: memory.host, folder: memory.root };
    }
  }

  function side(): FarSide | undefined {
    const there = place();
    if (there !== undefined && isSame(there, at)) return made;
    if (made !== undefined) void made[Symbol.asyncDispose]();
    at = there;
    made = undefined;
    if (there === undefined) return undefined;
    const { host, folder } = there;
    if (request.reach === undefined) {
      throw new RefusedError(`Cannot reach "${host}", where this sweep's jobs run, from here`);
    }
    made = createFarSide({
      ...parts,
      folder: () => folder,
      isLive: () => parts.live() !== undefined,
      ...{ host: request.reach(host), isWished: () => kept() === host, adopts: parts.adopts() },
      ...{ clock: request.clock, onWarning: request.onWarning },
    });
    return made;
  }

  function asked(sweep: SweepFile): SweepFile {
    const host = wished();
    if (host === undefined) return sweep;
    const { config, notices } = sweep;
    const scheduler = config.scheduler ?? "slurm";
    const named = config.slurm.host;
    const other = named === undefined || named === host ? [] : [{
      message: `Jobs go to "${host}", as --host says; this file names "${named}", which ` +
        '--host "" takes again',
    }];
    return {
      ...sweep,
      notices: [...notices, ...other],
      config: { ...config, scheduler, slurm: { ...config.slurm, host } },
    };
  }

  function remember(host: string): void {
    const memory = remembered();
    const fresh = memory?.host === host ? memory : freshMirrorMemory(host);
    if (host !== "") writeMirrorMemory(memoryPath, { ...fresh, isWished: true });
    else if (memory !== undefined) writeMirrorMemory(memoryPath, { ...memory, isWished: false });
  }

  return {
    side,
    place,
    host: () => place()?.host,
    asked(sweep) {
      const wanted = asked(sweep);
      const live = parts.live();
      const there = placeOf(wanted);
      if (live === undefined || isSame(there, live === "here" ? undefined : live)) return wanted;
      throw new UserError(
        `Cannot use "${basename(paths.config)}": jobs of the sweep live ${shown(live)}, and it ` +
          `sends them ${shown(there ?? "here")}`,
        {
          hint: `Put ${told(live)} back, or end them with \`herd stop\`; those that were done ` +
            "stay done",
        },
      );
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
    heardAt: () => made && (made.mirror.pulledAt() ?? 0),
    telling(files) {
      return request.reach === undefined ? files : side()?.telling(files) ?? files;
    },
    wish(host, { isKept }) {
      const live = parts.live();
      const before = live === "here" ? "" : live?.host;
      if (before !== undefined && before !== host) {
        const where = before === "" ? "this machine" : `"${before}"`;
        throw new RefusedError(`Cannot move the sweep: jobs of it live on ${where}`, {
          hint: "`herd stop` ends them; those that were done stay done",
        });
      }
      if (!isKept) {
        supposed = host;
        return;
      }
      supposed = undefined;
      remember(host);
    },
    async prove(signal) {
      const there = side();
      if (there !== undefined) await asScheduler(there.mirror.survey(signal));
    },
    async settle(signal) {
      await made?.mirror.settle(signal);
    },
    async catchUp(signal) {
      if (remembered()?.isWhole !== false || parts.live() !== undefined) return;
      await side()?.mirror.pull({ untilWhole: true, signal });
    },
    async close({ whole } = { whole: false }) {
      try {
        if (whole && made?.mirror.isWhole() === false && parts.live() === undefined) {
          await made.mirror.pull({ untilWhole: true, signal: AbortSignal.timeout(REST_MS) });
        }
      } catch (error) {
        request.onWarning((error as Error).message);
      }
      await made?.[Symbol.asyncDispose]();
    },
  };
}

function placeOf({ config: { name, slurm: { host, path } } }: SweepFile): Place | undefined {
  return host === undefined ? undefined : { host, folder: path ?? `herd/${name}` };
}

function isSame(one: Place | undefined, other: Place | undefined): boolean {
  return one?.host === other?.host && one?.folder === other?.folder;
}

function shown(place: Place | "here"): string {
  return place === "here" ? "on this machine" : `on "${place.host}", in "${place.folder}"`;
}

/** The keys of the YAML that say so. */
function told(place: Place | "here"): string {
  if (place === "here") return "`slurm` without `host`";
  return `\`slurm: {host: ${place.host}, path: ${place.folder}}\``;
}
