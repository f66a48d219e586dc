import assert from "node:assert/strict";
import { test } from "node:test";
import { killedRun } from "../support/monitor-campaign.ts";

test("a hundred kills of the daemon at random moments lose nothing and do nothing twice", async () => {
  const from = Number(process.env["HERD_SEED"] ?? 1) * 1000;
  let [kills, messages, runs] = [0, 0, 0];
  while (kills < 100) {
    const run = await killedRun(from + runs, 8);
    kills += run.kills;
    messages += run.messages;
    runs++;
  }
  console.log(`monitor killed: ${runs} runs, ${kills} kills, ${messages} messages, 0 wrong`);
  assert.ok(messages > 0);
});
