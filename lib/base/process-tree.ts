import { readdirSync, readFileSync } from "node:fs";
import { kernelUnits } from "./machine.ts";
import { processGroup, processStart } from "./pid.ts";

/** A process at one moment, as /proc/PID/stat tells it. */
export interface ProcessInfo {
  pid: number;
  parent: number;
  group: number;
  session: number;
  /** Ticks since boot; with the pid and the boot it names the process for ever. */
  start: string;
  zombie: boolean;
  rssBytes: number;
  /** Its own and its ended, waited-for children's. */
  cpuSeconds: number;
}

/** Members of each of these sessions. One pass over /proc: measured 7 µs (Bun) to 13 µs (Deno) for every process of the machine. */
export function sessionMembers(sessions: ReadonlySet<number>): Map<number, ProcessInfo[]> {
  const found = new Map<number, ProcessInfo[]>();
  if (sessions.size === 0) return found;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const info = readProcess(Number(name));
    if (info === undefined || !sessions.has(info.session)) continue;
    const members = found.get(info.session);
    if (members === undefined) found.set(info.session, [info]);
    else members.push(info);
  }
  return found;
}

/**
 * Members of one session found from the ones known before and their children:
 * cheap on a machine with thousands of processes. What lost its parent since the
 * last whole pass is missed until the next.
 */
export function knownMembers(session: number, known: readonly ProcessInfo[]): ProcessInfo[] {
  const found = new Map<number, ProcessInfo>();
  const open = [session, ...known.map((member) => member.pid)];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    if (found.has(pid)) continue;
    const info = readProcess(pid);
    if (info === undefined || info.session !== session) continue;
    found.set(pid, info);
    for (const child of read(`/proc/${pid}/task/${pid}/children`).split(" ")) {
      if (child !== "") open.push(Number(child));
    }
  }
  return [...found.values()];
}

/** One process, zombies included; undefined when there is none. */
export function readProcess(pid: number): ProcessInfo | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === "") return undefined;
  // The command's name stands in brackets and may hold spaces and brackets itself.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const number = (at: number) => Number(fields[at]);
  return {
    pid,
    parent: number(1),
    group: number(2),
    session: number(3),
    start: fields[19] ?? "",
    zombie: fields[0] === "Z" || fields[0] === "X",
    rssBytes: number(21) * UNITS.pageBytes,
    cpuSeconds: (number(11) + number(12) + number(13) + number(14)) / UNITS.ticksPerSecond,
  };
}

const UNITS = kernelUnits();

/** Bytes with shared pages divided among those who share them; dearer to ask than RSS. Undefined when not told. */
export function proportionalBytes(pid: number): number | undefined {
  const kilobytes = read(`/proc/${pid}/smaps_rollup`).match(/^Pss:\s+(\d+) kB/m)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** When the process began, in milliseconds since the epoch; right to some hundredths of a second. */
export function startedAt(process: ProcessInfo): number {
  const upSeconds = Number(read("/proc/uptime").split(" ")[0]);
  return Date.now() - (upSeconds - Number(process.start) / UNITS.ticksPerSecond) * 1000;
}

/** Whether the process was started with this variable in its environment. */
export function hasVariable(pid: number, name: string, value: string): boolean {
  return `\0${read(`/proc/${pid}/environ`)}\0`.includes(`\0${name}=${value}\0`);
}

/**
 * Sends a signal to exactly these processes: one whose pid names another
 * process by now is left alone. Answers how many were reached.
 */
export function signalMembers(
  members: readonly { pid: number; start: string }[],
  signal: NodeJS.Signals,
): number {
  let reached = 0;
  for (const { pid, start } of members) {
    if (pid <= 1 || processStart(pid) !== start) continue;
    try {
      process.kill(pid, signal);
      reached++;
    } catch {
      // It ended in between, or it belongs to somebody else.
    }
  }
  return reached;
}

/**
 * The same to the whole process groups of these members: what they fork in the
 * meantime is reached too. A group lies within its session, so that nobody
 * outside the members' sessions is touched. Never our own group.
 */
export function signalGroups(
  members: readonly { pid: number; start: string; group: number }[],
  signal: NodeJS.Signals,
): number {
  const own = processGroup(process.pid);
  const groups = new Set<number>();
  let reached = 0;
  for (const { pid, start, group } of members) {
    if (group <= 1 || group === own || groups.has(group)) continue;
    if (processStart(pid) !== start || processGroup(pid) !== group) continue;
    groups.add(group);
    try {
      process.kill(-group, signal);
      reached++;
    } catch {
      // The group ended in between.
    }
  }
  return reached;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
