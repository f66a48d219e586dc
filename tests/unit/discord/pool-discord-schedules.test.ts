import { test } from "node:test";
import { runDiscordSchedules } from "../../support/pool-discord-schedule.ts";

const SCHEDULES = process.env["HERD_SOAK"] ? 1_000 : 20;
/** Another start makes other schedules; a failure names its own. */
const FROM = Number(process.env["HERD_SEED"] ?? 1);

test(`${SCHEDULES} random schedules on a Discord with faults: what was accepted is one task, and its end is told`, async (t) => {
  const tally = await runDiscordSchedules(FROM, SCHEDULES);
  for (const [what, count] of Object.entries(tally)) t.diagnostic(`${what}: ${Math.round(count)}`);
});
