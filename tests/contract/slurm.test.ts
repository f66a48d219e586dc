import { tmpdir } from "node:os";
import { test } from "node:test";
import { createSystemClock } from "../../lib/base/clock.ts";
import { runProcess } from "../../lib/base/process.ts";
import { createSlurmScheduler } from "../../lib/schedulers/slurm/scheduler.ts";
import { withoutSlurm } from "../support/slurm.ts";
import { schedulerContract } from "./scheduler.ts";
import { SLURM_SKIPS, slurmHarness } from "./slurm-harness.ts";

if (withoutSlurm !== false) {
  test("slurm: the scheduler contract", { skip: withoutSlurm }, () => {});
} else {
  const scheduler = () =>
    createSlurmScheduler({
      run: runProcess,
      clock: createSystemClock(),
      uid: process.getuid!(),
      environment: process.env,
    });
  const make = () => Promise.resolve(slurmHarness(scheduler(), tmpdir()));
  schedulerContract("slurm", make, SLURM_SKIPS);
}
