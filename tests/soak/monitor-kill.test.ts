import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { abreast } from "../support/kill-campaign.ts";
import { killedRun } from "../support/monitor-campaign.ts";
import type { KilledRun, KilledRunCase } from "../support/monitor-campaign.ts";
import { PARTITION, withoutSlurm } from "../support/slurm.ts";

/** For another campaign: HERD_SEED=7 deno task soak. */
const SEED = Number(process.env["HERD_SEED"] ?? 1);

/** Runs until the daemon was killed so many times; all of them, also after one that went wrong. */
async function campaign(
  kills: number,
  width: number,
  caseOf: (index: number) => KilledRunCase,
): Promise<void> {
  const runs: KilledRun[] = [];
  const wrong: unknown[] = [];
  const started = Date.now();
  const sum = (of: (run: KilledRun) => number) => runs.reduce((all, run) => all + of(run), 0);
  let next = 0;
  await abreast([...Array(width).keys()], width, async () => {
    while (sum((run) => run.kills) < kills && wrong.length < 5) {
      try {
        runs.push(await killedRun(caseOf(next++)));
      } catch (error) {
        wrong.push(error);
        console.log((error as Error).message);
      }
    }
  });
  const { scheduler } = caseOf(0);
  const at = (kind: keyof KilledRun["moments"]) => sum((run) => run.moments[kind]);
  console.log(
    `monitor killed, ${scheduler}: ${runs.length} runs, ${wrong.length} wrong, ` +
      `${sum((run) => run.kills)} kills (${at("time")} at a time, ${at("events")} after an ` +
      `event, ${at("point")} at a fault point), ${sum((run) => run.messages)} messages ` +
      `(${sum((run) => run.heardBefore)} sent again), ${sum((run) => run.modelCalls)} model ` +
      `calls, ${sum((run) => run.budgets)} looks at the budget, ` +
      `${Math.round((Date.now() - started) / 1000)} s`,
  );
  if (wrong.length > 0) throw wrong[0];
  assert.ok(sum((run) => run.kills) >= kills);
  assert.equal(sum((run) => run.messages), 3 * runs.length);
}

test("a hundred kills of the daemon at random moments lose nothing and do nothing twice", async () => {
  await campaign(100, 3, (i) => ({ seed: SEED * 1000 + i, kills: 8, scheduler: "local" }));
});

test(
  "thirty kills of the daemon on SLURM lose nothing and do nothing twice",
  { skip: withoutSlurm },
  async () => {
    await campaign(30, 2, (i) => ({
      seed: SEED * 1000 + 500 + i,
      kills: 12,
      scheduler: "slurm",
      partition: PARTITION,
    }));
  },
);
