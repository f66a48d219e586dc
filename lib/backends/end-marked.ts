import { readdirSync } from "node:fs";
import { hasVariable, readProcess, signalMembers } from "../base/process-tree.ts";

/** Each started program has it in its environment, with a value of its own. */
export const MARK = "HERD_PROGRAM";
/** So has all that a broker starts, with a value that its next life knows again. */
export const BROKER_MARK = "HERD_BROKER";

const ROUNDS = 100;
const PAUSE_MS = 20;

/**
 * Ends what a program left behind in sessions of its own: every process with this value of the mark.
 * Resolves when there is none. One that took the mark out of its environment is not found; only a
 * sandbox holds that.
 */
export async function endMarked(value: string): Promise<void> {
  await endAll(MARK, value, new Set());
}

/**
 * Ends what an earlier life of the broker left behind when it was killed. `value`: that of its
 * programs, the same in each life and no other broker's. This process and those that it was
 * started by are left alone, also when an agent started them. Answers how many were found.
 */
export async function endLeftOvers(value: string): Promise<number> {
  return await endAll(BROKER_MARK, value, ancestors());
}

async function endAll(mark: string, value: string, spared: ReadonlySet<number>): Promise<number> {
  const ended = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const found = markedWith(mark, value).filter(({ pid }) => !spared.has(pid));
    if (found.length === 0) break;
    for (const { pid, start } of found) ended.add(`${pid} ${start}`);
    signalMembers(found, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return ended.size;
}

function markedWith(mark: string, value: string): { pid: number; start: string }[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name) || !hasVariable(Number(name), mark, value)) return [];
    const info = readProcess(Number(name));
    return info === undefined || info.zombie ? [] : [info];
  });
}

function ancestors(): Set<number> {
  const found = new Set<number>();
  for (let pid = process.pid; pid > 1 && !found.has(pid);) {
    found.add(pid);
    pid = readProcess(pid)?.parent ?? 0;
  }
  return found;
}
