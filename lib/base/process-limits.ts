import { readFileSync } from "node:fs";

/** Soft limits of this process (`ulimit`), by the kernel's names; Infinity is none. Empty without /proc. */
export function processLimits(): Map<string, number> {
  try {
    return parseLimits(readFileSync("/proc/self/limits", "utf8"));
  } catch {
    return new Map();
  }
}

/** Reads /proc/PID/limits: name, soft, hard and unit in columns. */
export function parseLimits(text: string): Map<string, number> {
  const limits = new Map<string, number>();
  for (const line of text.split("\n").slice(1)) {
    const [, name, soft] = /^(\S.*?)\s{2,}(\d+|unlimited)\s/.exec(line) ?? [];
    if (name === undefined) continue;
    limits.set(name, soft === "unlimited" ? Infinity : Number(soft));
  }
  return limits;
}
