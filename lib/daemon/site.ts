import type { Clock } from "../base/clock.ts";
import { runProcess } from "../base/process.ts";
import { isInstalled } from "../schedulers/choose.ts";
import type { Limits } from "../schedulers/scheduler.ts";
import { createSlurmScheduler } from "../schedulers/slurm/scheduler.ts";

/** What a machine knows of SLURM, without any workspace. */
export type Site =
  | { slurm: "absent" }
  | { slurm: "silent"; message: string }
  | { slurm: "present"; limits: Limits };

/** Asks the cluster what it allows. An outage is an answer too. */
export async function askSite(
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock,
): Promise<Site> {
  if (!isInstalled("sbatch", env)) return { slurm: "absent" };
  const uid = process.getuid?.() ?? 0;
  const scheduler = createSlurmScheduler({ run: runProcess, clock, uid, environment: env });
  try {
    return { slurm: "present", limits: await scheduler.limits() };
  } catch (error) {
    return { slurm: "silent", message: error instanceof Error ? error.message : String(error) };
  }
}
