import type { Resources } from "./config.ts";
import { formatDuration } from "./duration.ts";
import { formatMemory } from "./memory.ts";
import type { Value } from "./value.ts";

/** Resources as the YAML's `slurm` section names and writes them; what is not set is left out. */
export function resourceFields(resources: Partial<Resources>): Record<string, Value> {
  const { memoryMiB, timeSeconds, extraArgs, mailUser, mailType } = resources;
  const mail = defined({ user: mailUser, type: mailType });
  return defined({
    partition: resources.partition,
    account: resources.account,
    qos: resources.qos,
    constraint: resources.constraint,
    nodes: resources.nodes,
    ntasks: resources.ntasks,
    cpus_per_task: resources.cpusPerTask,
    mem: memoryMiB === undefined ? undefined : formatMemory(memoryMiB),
    time: timeSeconds === undefined ? undefined : formatDuration(timeSeconds),
    gres: resources.gres,
    gpus: resources.gpus,
    exclude: resources.exclude,
    requeue: resources.requeue,
    mail: Object.keys(mail).length === 0 ? undefined : mail,
    extra_args: extraArgs === undefined || extraArgs.length === 0 ? undefined : extraArgs,
  });
}

/** The sweep's resources with what conditions change for one trial. */
export function effectiveResources<T extends Resources>(all: T, changed: Partial<Resources>): T {
  return { ...all, ...defined(changed) };
}

function defined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [K in keyof T]: Exclude<T[K], undefined> };
}
