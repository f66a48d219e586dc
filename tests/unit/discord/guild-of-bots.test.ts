import assert from "node:assert/strict";
import { test } from "node:test";
import { BOT_TURN_LIMITS } from "../../../lib/chat/broker-defaults.ts";
import { guildOfBots } from "../../support/guild-of-bots.ts";

const LIMITS = BOT_TURN_LIMITS;

for (const bots of [2, 3]) {
  for (const botMode of ["off", "mentions", "all"] as const) {
    for (const userMode of ["involved", "mentions", "multibot-mentions"] as const) {
      test(`${bots} whole brokers, bots ${botMode}, people ${userMode}: 10,000 messages, no loop outlives its cap, each warning is said once, a person lets them go on`, async (t) => {
        const slow = { messages: 10_000, people: 3, everyMs: 60_000 };
        const stretches = await guildOfBots(t, { bots, botMode, userMode, ...slow });
        assert.equal(stretches.length, 3);
        for (const { answers, warnings } of stretches) {
          assert.deepEqual(warnings, botMode === "off" ? [] : ["soft", "hard"]);
          // What was under way when the cap was reached is said.
          assert.ok(answers <= LIMITS.soft + bots, `${answers} answers`);
          assert.ok(botMode === "off" ? answers === 0 : answers >= 10, `${answers} answers`);
        }
      });
    }
  }
}
