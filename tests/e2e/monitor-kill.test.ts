import assert from "node:assert/strict";
import { test } from "node:test";
import { abreast } from "../support/kill-campaign.ts";
import { killedRun } from "../support/monitor-campaign.ts";

test("a daemon that is killed again and again ends the sweep as if it never had been", async () => {
  let kills = 0;
  await abreast([11, 12, 13], 3, async (seed) => {
    kills += (await killedRun({ seed, kills: 6 })).kills;
  });
  assert.ok(kills >= 3, `${kills} kills`);
});
