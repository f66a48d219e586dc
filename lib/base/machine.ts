import { readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";

/** Processors that this process may use. */
export function processors(): number {
  return Math.max(1, availableParallelism());
}

/** Bytes of memory that this process may use: the machine's, or its control group's if less. */
export function memoryBytes(): number {
  return Math.min(totalmem(), ...controlGroupLimits());
}

/** Bytes of a page and clock ticks of a second: the units of /proc. */
export function kernelUnits(): { pageBytes: number; ticksPerSecond: number } {
  const units = { pageBytes: 4096, ticksPerSecond: 100 };
  try {
    // The auxiliary vector: pairs of words; 6 is AT_PAGESZ, 17 is AT_CLKTCK. No getconf to run.
    const words = readFileSync("/proc/self/auxv");
    for (let at = 0; at + 16 <= words.length; at += 16) {
      const kind = words.readBigUInt64LE(at);
      if (kind === 6n) units.pageBytes = Number(words.readBigUInt64LE(at + 8));
      if (kind === 17n) units.ticksPerSecond = Number(words.readBigUInt64LE(at + 8));
    }
  } catch {
    // Not Linux, or no /proc: the usual values.
  }
  return units;
}

/** Memory limits of our control group and the ones around it, version 1 or 2. */
function controlGroupLimits(): number[] {
  const limits: number[] = [];
  for (const line of read("/proc/self/cgroup").split("\n")) {
    const [, controllers, path] = line.match(/^\d+:([^:]*):(.*)$/) ?? [];
    if (path === undefined || controllers === undefined) continue;
    if (controllers !== "" && !controllers.split(",").includes("memory")) continue;
    const [root, file] = controllers === ""
      ? ["/sys/fs/cgroup", "memory.max"] as const
      : ["/sys/fs/cgroup/memory", "memory.limit_in_bytes"] as const;
    const parts = path.split("/").filter((part) => part !== "");
    for (let depth = parts.length; depth >= 0; depth--) {
      const limit = Number(read(join(root, ...parts.slice(0, depth), file)).trim() || "max");
      if (limit > 0) limits.push(limit);
    }
  }
  return limits;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
