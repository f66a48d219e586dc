import assert from "node:assert/strict";
import { test } from "node:test";
import { killedRun } from "../support/monitor-campaign.ts";

test("a daemon that is killed again and again ends the sweep as if it never had been", async () => {
  let kills = 0;
  let messages = 0;
  for (const seed of [11, 12, 13]) {
    const run = await killedRun(seed, 5);
    kills += run.kills;
    messages += run.messages;
  }
  assert.ok(kills >= 6 && messages >= 3, `${kills} kills, ${messages} messages`);
});
