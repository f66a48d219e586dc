import { readdirSync } from "node:fs";
import { hasVariable, readProcess, signalMembers } from "../base/process-tree.ts";

/** Each started program has it in its environment, with a value of its own. */
export const MARK = "HERD_PROGRAM";

const ROUNDS = 100;
const PAUSE_MS = 20;

/**
 * Ends what a program left behind in sessions of its own: every process with this value of the mark.
 * Resolves when there is none. One that took the mark out of its environment is not found; only a
 * sandbox holds that.
 */
export async function endMarked(value: string): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const found = markedWith(value);
    if (found.length === 0) return;
    signalMembers(found, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function markedWith(value: string): { pid: number; start: string }[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name) || !hasVariable(Number(name), MARK, value)) return [];
    const info = readProcess(Number(name));
    return info === undefined || info.zombie ? [] : [info];
  });
}
