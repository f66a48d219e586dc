import { test } from "node:test";
import { sumOf, troubledRun } from "../support/far-campaign.ts";
import { withoutSlurm } from "../support/slurm.ts";
import { withoutSshd } from "../support/sshd.ts";

test(
  "laptop mode: a few cuts and kills lose nothing and submit nothing twice (a sample of the soak)",
  { skip: withoutSlurm || withoutSshd },
  async () => console.log(sumOf([await troubledRun({ seed: 5, kills: 2, cuts: 4 })])),
);
