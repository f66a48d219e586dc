import type { Clock } from "../base/clock.ts";
import { type Runner, runProcess } from "../base/process.ts";
import { askHost } from "../mirror/host-facts.ts";
import { isInstalled } from "../schedulers/choose.ts";
import type { Scheduler } from "../schedulers/scheduler.ts";
import { createSlurmScheduler } from "../schedulers/slurm/scheduler.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import { createSshRunner } from "../ssh/ssh-runner.ts";
import { createSlurmElsewhere } from "./slurm-elsewhere.ts";

/** Where SLURM's programs run: on this machine, or on one behind ssh. */
export interface SlurmPlace {
  /** As people call it. */
  name: string;
  isInstalled(program: string): boolean;
  run: Runner;
  environment: Readonly<Record<string, string | undefined>>;
  scheduler: Scheduler;
}

export function slurmHere(env: SlurmPlace["environment"], clock: Clock): SlurmPlace {
  return {
    name: "this machine",
    isInstalled: (program) => isInstalled(program, env),
    run: runProcess,
    environment: env,
    scheduler: createSlurmScheduler({
      run: runProcess,
      clock,
      uid: process.getuid?.() ?? 0,
      environment: env,
    }),
  };
}

/** `programs`: those that `isInstalled` will be asked for. Rejects with MirrorError or SshError. */
export async function slurmAt(
  host: SshHost,
  { clock, signal, programs }: {
    clock: Clock;
    signal: AbortSignal;
    programs: readonly string[];
  },
): Promise<SlurmPlace> {
  await host.connect(signal);
  const facts = await askHost(host, signal);
  const run = createSshRunner(host, facts.bare);
  const script = 'for p; do command -v "$p" >/dev/null 2>&1 && echo "$p"; done; :';
  const { stdout } = await run(["/bin/sh", "-c", script, "sh", ...programs], {
    env: facts.login,
    timeoutMs: 60_000,
    signal,
  });
  const found = new Set(stdout.split("\n"));
  return {
    name: `"${host.name}"`,
    isInstalled: (program) => found.has(program),
    run,
    environment: facts.login,
    scheduler: createSlurmElsewhere({ host, facts, clock }),
  };
}
