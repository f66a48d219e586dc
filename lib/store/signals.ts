import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { codeOf, replaceFile } from "../base/files.ts";
import { diskError } from "./disk-error.ts";

/** What a trainer is asked to do at its next `log_result(step=)`. */
export type SignalAction = "prune" | "pause";

export interface Signal {
  action: SignalAction;
  /** Milliseconds since the epoch, on the file server's clock: when it was written. */
  at: number;
}

/** The file by which HyperHerd's trainers are told to stop; `dir` is `.hyperherd/results`. */
export interface Signals {
  /** Undefined for none, and for a word that trainers do not know either. */
  read(trial: number): Signal | undefined;
  write(trial: number, action: SignalAction): void;
  /** Also clears HyperHerd's mark that it had cancelled the job by force. */
  clear(trial: number): void;
}

export function createSignals({ dir }: { dir: string }): Signals {
  const path = (trial: number) => join(dir, `${trial}`, "_signal");
  return {
    read(trial) {
      let file: number;
      try {
        file = openSync(path(trial), "r");
      } catch (error) {
        if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
        throw error;
      }
      try {
        const action = readFileSync(file, "utf8").trim();
        if (action !== "prune" && action !== "pause") return undefined;
        return { action, at: fstatSync(file).mtimeMs };
      } finally {
        closeSync(file);
      }
    },
    write(trial, action) {
      try {
        mkdirSync(dirname(path(trial)), { recursive: true });
        replaceFile(path(trial), action);
      } catch (error) {
        throw diskError(error, `Cannot signal trial ${trial} to ${action}`);
      }
    },
    clear(trial) {
      rmSync(path(trial), { force: true });
      rmSync(`${path(trial)}_escalated`, { force: true });
    },
  };
}
