import type { MonitorHappening } from "../sweep/monitor-event.ts";
import { bump } from "./bump.ts";
import type { BumpAction, BumpResult } from "./bump.ts";
import { changeFiles } from "./change-files.ts";
import type { ChangeFilesAction, ChangeFilesResult } from "./change-files.ts";
import { cleanUp } from "./clean.ts";
import type { CleanResult } from "./clean.ts";
import { halve } from "./halve.ts";
import type { HalveAction, HalveResult } from "./halve.ts";
import { look, lookAtRecords } from "./look.ts";
import type { LookResult } from "./look.ts";
import { mark } from "./mark.ts";
import type { MarkResult } from "./mark.ts";
import type { Refusal } from "./outcome.ts";
import type { Parts } from "./parts.ts";
import { resume } from "./resume.ts";
import type { ResumeResult } from "./resume.ts";
import { run } from "./run.ts";
import type { RunAction, RunResult } from "./run.ts";
import { stop } from "./stop.ts";
import type { StopResult } from "./stop.ts";

interface Chosen {
  indices: readonly number[];
  reason?: string;
  graceSeconds: number;
}

/** Everything that anybody can have done to a sweep, whatever door they come through. */
export type Action =
  /** `records`: only what the jobs wrote is read, and no scheduler asked. */
  | { verb: "look"; graceSeconds: number; records?: boolean }
  | ({ verb: "run" } & RunAction)
  | ({ verb: "stop"; indices: readonly number[] | "all" } & Omit<Chosen, "indices">)
  | ({ verb: "pause" } & Chosen)
  | ({ verb: "prune" } & Chosen)
  | ({ verb: "resume"; indices: readonly number[] } & Omit<HalveAction, "settings">)
  | ({ verb: "halve" } & HalveAction)
  | { verb: "clean" }
  /** Asks for more memory or time from now on: by editing the YAML, or for some trials only. */
  | ({ verb: "bump" } & BumpAction)
  /** A change of the YAML or the launcher that somebody has seen and said yes to. */
  | ({ verb: "change-files" } & ChangeFilesAction)
  /** The monitor's own memory: what it decided, heard and said. */
  | { verb: "record"; whats: readonly MonitorHappening[] };

interface Results {
  look: LookResult & { done: true };
  run: RunResult;
  stop: StopResult;
  pause: MarkResult;
  prune: MarkResult;
  resume: ResumeResult;
  halve: HalveResult;
  clean: CleanResult;
  bump: BumpResult;
  "change-files": ChangeFilesResult;
  record: { done: true };
}

/** The one function that changes a sweep. An expected no comes back as a value. */
export type Perform = <A extends Action>(action: A) => Promise<Results[A["verb"]] | Refusal>;

export function createPerform(parts: Parts): Perform {
  async function perform(action: Action): Promise<Results[keyof Results] | Refusal> {
    switch (action.verb) {
      case "look":
        return {
          done: true,
          ...action.records ? lookAtRecords(parts) : await look(parts, action.graceSeconds),
        };
      case "run":
        return await run(parts, action);
      case "stop":
        return await stop(parts, action);
      case "pause":
      case "prune":
        return await mark(parts, { ...action, intent: action.verb });
      case "resume":
        return await resume(parts, action);
      case "halve":
        return await halve(parts, action);
      case "clean":
        return await cleanUp(parts);
      case "bump":
        return bump(parts, action);
      case "change-files":
        return changeFiles(parts, action);
      case "record":
        parts.append(action.whats);
        return { done: true };
    }
  }
  return perform as Perform;
}
