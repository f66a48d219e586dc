import type { Clock } from "../base/clock.ts";
import type { Runner } from "../base/process.ts";
import type { HostFacts } from "../mirror/host-facts.ts";
import type { Scheduler } from "../schedulers/scheduler.ts";
import { createSlurmScheduler } from "../schedulers/slurm/scheduler.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import { runPacked } from "../ssh/run-packed.ts";
import { createSshRunner } from "../ssh/ssh-runner.ts";

/** What these print grows with the number of trials. */
const LONG: ReadonlySet<string> = new Set(["squeue", "sacct"]);

export interface SlurmElsewhereParts {
  host: Pick<SshHost, "run">;
  facts: HostFacts;
  clock: Clock;
  /** Told of each call to SLURM; what it gives back is called at the answer. */
  announced?(run: Runner): Runner;
}

/** SLURM of a computer behind ssh, in the environment of its user's login shell. */
export function createSlurmElsewhere(parts: SlurmElsewhereParts): Scheduler {
  const { host, facts, clock, announced = (run: Runner) => run } = parts;
  const whole = createSshRunner(host, facts.bare);
  const packing = {
    run: (...[argv, options]: Parameters<SshHost["run"]>) => runPacked(host, argv, options),
  };
  const packed = createSshRunner(packing, facts.bare);
  return createSlurmScheduler({
    run: announced((argv, options) => (LONG.has(argv[0] ?? "") ? packed : whole)(argv, options)),
    clock,
    uid: facts.uid,
    environment: facts.login,
  });
}
