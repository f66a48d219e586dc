import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { type FarRun, sumOf, troubledRun } from "../support/far-campaign.ts";
import { abreast } from "../support/kill-campaign.ts";
import { withoutSlurm } from "../support/slurm.ts";
import { withoutSshd } from "../support/sshd.ts";

/** For another campaign: HERD_SEED=7 deno task soak. */
const SEED = Number(process.env["HERD_SEED"] ?? 1);
const [KILLS, CUTS] = [50, 100];
const WIDTH = 2;

test(
  "laptop mode: a hundred cuts and fifty kills lose nothing and submit nothing twice",
  { skip: withoutSlurm || withoutSshd },
  async () => {
    const runs: FarRun[] = [];
    const wrong: unknown[] = [];
    const started = Date.now();
    const sum = (of: (run: FarRun) => Record<string, number>) =>
      runs.flatMap((run) => Object.values(of(run))).reduce((all, n) => all + n, 0);
    let next = 0;
    await abreast([...Array(WIDTH).keys()], WIDTH, async () => {
      while ((sum((r) => r.kills) < KILLS || sum((r) => r.cuts) < CUTS) && wrong.length < 4) {
        try {
          runs.push(await troubledRun({ seed: SEED * 1000 + next++, kills: 7, cuts: 14 }));
          console.log(sumOf(runs));
        } catch (error) {
          wrong.push(error);
          console.log((error as Error).message);
        }
      }
    });
    const seconds = Math.round((Date.now() - started) / 1000);
    console.log(`laptop mode: ${sumOf(runs)}, ${wrong.length} wrong, ${seconds} s`);
    if (wrong.length > 0) throw wrong[0];
    assert.ok(sum((run) => run.kills) >= KILLS && sum((run) => run.cuts) >= CUTS);
  },
);
