import type { Cause, Usage } from "./attempt.ts";
import { count } from "../base/text.ts";
import { formatDuration } from "./duration.ts";
import { formatMemory } from "./memory.ts";

/** What was used of what was asked for, as shares (1 is all of it); null where one of both is unknown. */
export interface Efficiency {
  memory: number | null;
  time: number | null;
  cpu: number | null;
}

/** One trial's latest attempt, for `efficiencyOf` and `adviceOf`. */
export interface UsageRow {
  usage: Usage | undefined;
  elapsedSeconds: number | undefined;
  /** Null is unlimited, undefined unknown. */
  limitSeconds: number | null | undefined;
  cause: Cause | undefined;
}

export function efficiencyOf({ usage, elapsedSeconds, limitSeconds }: UsageRow): Efficiency {
  const { maxRssBytes, requestedMemoryBytes, cpuSeconds, allocatedCpus } = usage ?? {};
  const processorSeconds = elapsedSeconds === undefined || allocatedCpus === undefined
    ? undefined
    : elapsedSeconds * allocatedCpus;
  return {
    memory: share(maxRssBytes, requestedMemoryBytes),
    time: share(elapsedSeconds, limitSeconds),
    cpu: share(cpuSeconds, processorSeconds),
  };
}

function share(used: number | undefined, of: number | null | undefined): number | null {
  if (used === undefined || of === undefined || of === null || of <= 0) return null;
  return Math.round((used / of) * 10_000) / 10_000;
}

/** Shorter trials say little: SLURM looks at their memory every half minute, and starting up takes time. */
const TELLING_SECONDS = 60;
/** Asking for less is worth it when no trial used half of what it asked for. */
const WASTE = 0.5;

/** Sentences on what the trials used of memory, time and processors, and what would do. */
export function adviceOf(rows: readonly UsageRow[]): string[] {
  return [...memoryAdvice(rows), ...timeAdvice(rows), ...cpuAdvice(rows)];
}

function memoryAdvice(rows: readonly UsageRow[]): string[] {
  return grouped(rows, ({ usage }) => usage?.requestedMemoryBytes).flatMap(([asked, group]) => {
    const most = highest(group, ({ usage }) => usage?.maxRssBytes);
    const killed = group.filter(({ cause }) => cause === "out-of-memory").length;
    if (killed > 0) {
      return [
        `${count(killed, "trial")} ran out of memory, having reached ${
          killed === 1 ? "its" : "their"
        } limit of ${memoryText(asked)}: raise slurm.mem`,
      ];
    }
    if (most === undefined || most === 0) return [];
    const used = `Memory: at most ${memoryText(most)} used of ${memoryText(asked)}`;
    const enough = niceMemoryMiB(most * 1.25);
    const waste = most < asked * WASTE && enough * MIB < asked && isTelling(group);
    return [waste ? `${used}; slurm.mem: ${formatMemory(enough)} would do` : used];
  });
}

function timeAdvice(rows: readonly UsageRow[]): string[] {
  const limited = (row: UsageRow) => row.limitSeconds ?? undefined;
  return grouped(rows, limited).flatMap(([limit, group]) => {
    const longest = highest(group, ({ elapsedSeconds }) => elapsedSeconds);
    const late = group.filter(({ cause }) => cause === "timeout").length;
    if (late > 0) {
      return [
        `${count(late, "trial")} ran out of time at ${formatDuration(limit)}: raise slurm.time, ` +
        "or let the trainer go on from its checkpoint",
      ];
    }
    if (longest === undefined || longest === 0) return [];
    const used = `Time: the longest took ${formatDuration(longest)} of ${formatDuration(limit)}`;
    const enough = niceSeconds(longest * 1.5);
    const waste = longest < limit * WASTE && enough < limit && isTelling(group);
    return [waste ? `${used}; slurm.time: "${formatDuration(enough)}" would do` : used];
  });
}

function cpuAdvice(rows: readonly UsageRow[]): string[] {
  return grouped(rows, ({ usage }) => usage?.allocatedCpus).flatMap(([cpus, group]) => {
    const shares = group.filter(isLong).flatMap((row) => efficiencyOf(row).cpu ?? []);
    if (cpus < 2 || shares.length === 0) return [];
    const mean = shares.reduce((sum, one) => sum + one, 0) / shares.length;
    const used = `Processors: ${Math.round(mean * 100)} % of ${cpus} used on average`;
    const enough = Math.max(1, Math.ceil(Math.max(...shares) * cpus * 1.1));
    const waste = mean < WASTE && enough < cpus && isTelling(group);
    return [waste ? `${used}; slurm.cpus_per_task: ${enough} would do` : used];
  });
}

function isLong({ elapsedSeconds }: UsageRow): boolean {
  return (elapsedSeconds ?? 0) >= TELLING_SECONDS;
}

/** A trial that was cut short may have needed more. */
function isTelling(group: readonly UsageRow[]): boolean {
  return group.some((row) => row.cause === "completed" && isLong(row));
}

/** Rows of which the number is known, by number, in order of appearance. */
function grouped(
  rows: readonly UsageRow[],
  by: (row: UsageRow) => number | undefined,
): [number, UsageRow[]][] {
  const groups = new Map<number, UsageRow[]>();
  for (const row of rows) {
    const key = by(row);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups];
}

function highest(
  rows: readonly UsageRow[],
  of: (row: UsageRow) => number | undefined,
): number | undefined {
  let most: number | undefined;
  for (const row of rows) {
    const value = of(row);
    if (value !== undefined && (most === undefined || value > most)) most = value;
  }
  return most;
}

const MIB = 1024 ** 2;

/** Up to the next 256M below 4G, to the next whole G above. */
function niceMemoryMiB(bytes: number): number {
  const mib = bytes / MIB;
  const step = mib <= 4096 ? 256 : 1024;
  return Math.ceil(mib / step) * step;
}

/** Up to the next 10 minutes, half hour or hour, as long as it is. */
function niceSeconds(seconds: number): number {
  const step = seconds <= 3600 ? 600 : seconds <= 6 * 3600 ? 1800 : 3600;
  return Math.ceil(seconds / step) * step;
}

/** "1.2G", "8G", "312M": three digits are enough to compare by. */
export function memoryText(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  const digits = size < 10 && unit > 0 ? 1 : 0;
  return `${size.toFixed(digits).replace(/\.0$/, "")}${UNITS[unit]}`;
}

const UNITS = ["B", "K", "M", "G", "T", "P"] as const;
