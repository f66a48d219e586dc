import type { Resources } from "./config.ts";
import { formatDuration } from "./duration.ts";
import { formatMemory } from "./memory.ts";

/** What a site allows, as far as it is known; undefined is unknown, null unlimited. */
export interface SiteLimits {
  maxTimeSeconds: number | null | undefined;
  /** Largest memory of a node, MiB. */
  maxMemoryMiB: number | undefined;
  maxCpusPerNode: number | undefined;
}

/**
 * Why a job that asks for this would never start, as sentences. SLURM accepts
 * such jobs where EnforcePartLimits is off and lets them wait for ever.
 */
export function misfits(resources: Resources, limits: SiteLimits): string[] {
  const where = resources.partition === undefined
    ? "the cluster"
    : `partition "${resources.partition}"`;
  const texts: string[] = [];
  const { timeSeconds, memoryMiB, cpusPerTask } = resources;
  const { maxTimeSeconds, maxMemoryMiB, maxCpusPerNode } = limits;
  if (
    typeof maxTimeSeconds === "number" && (timeSeconds === null || timeSeconds > maxTimeSeconds)
  ) {
    texts.push(
      `slurm.time is ${formatDuration(timeSeconds)}, ${where} allows ${
        formatDuration(maxTimeSeconds)
      }`,
    );
  }
  if (maxMemoryMiB !== undefined && memoryMiB > maxMemoryMiB) {
    texts.push(
      `slurm.mem is ${formatMemory(memoryMiB)}, the largest node of ${where} has ${
        formatMemory(maxMemoryMiB)
      }`,
    );
  }
  if (maxCpusPerNode !== undefined && cpusPerTask > maxCpusPerNode) {
    texts.push(
      `slurm.cpus_per_task is ${cpusPerTask}, the largest node of ${where} has ${maxCpusPerNode}`,
    );
  }
  return texts;
}
