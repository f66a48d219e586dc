import { test } from "node:test";
import { livePool } from "../support/live-pool.ts";
import {
  countsText,
  KILL_PROGRAMS,
  KILL_YAML,
  poolKillCampaign,
} from "../support/pool-kill-campaign.ts";

/** For another campaign: HERD_SEED=7 deno task soak. */
const SEED = Number(process.env["HERD_SEED"] ?? 1);
const MOMENTS = Number(process.env["HERD_MOMENTS"] ?? 200);

test(`kill -9 and freezes of ${MOMENTS} random moments, seed ${SEED}: every task ends once`, async (t) => {
  const pool = livePool(t, { yaml: KILL_YAML, programs: KILL_PROGRAMS });
  const counts = await poolKillCampaign(pool, {
    moments: MOMENTS,
    seed: SEED,
    longestFreezeMs: 15_000,
    patienceMs: 900_000,
  });
  console.log(`Kill campaign of the pool, seed ${SEED}: ${countsText(counts)}`);
});
