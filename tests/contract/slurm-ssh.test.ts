import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createSystemClock } from "../../lib/base/clock.ts";
import { createSlurmElsewhere } from "../../lib/daemon/slurm-elsewhere.ts";
import { askHost } from "../../lib/mirror/host-facts.ts";
import { removeTree } from "../support/remove-tree.ts";
import { withoutSlurm } from "../support/slurm.ts";
import { withoutSshd } from "../support/sshd.ts";
import { openSshdScene } from "../support/sshd-scene.ts";
import { schedulerContract } from "./scheduler.ts";
import { SLURM_SKIPS, slurmHarness } from "./slurm-harness.ts";

const skip = withoutSshd || withoutSlurm;
if (skip !== false) test("slurm over ssh: the scheduler contract", { skip }, () => {});
else {
  // Another home than ours, so that nothing works only because both are one machine's.
  const home = mkdtempSync(join(tmpdir(), "herd-ssh-there-"));
  const scene = await openSshdScene({
    config: [`SetEnv HOME=${home} SQUEUE_STATES=CA SACCT_FORMAT=x`],
  });
  after(async () => {
    await scene[Symbol.asyncDispose]();
    removeTree(home);
  });
  const host = scene.here();
  const make = async () => {
    const parts = { host, facts: await askHost(host), clock: createSystemClock() };
    return slurmHarness(createSlurmElsewhere(parts), home);
  };
  schedulerContract("slurm over ssh", make, SLURM_SKIPS);
}
