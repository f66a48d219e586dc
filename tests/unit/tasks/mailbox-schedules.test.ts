import { test } from "node:test";
import { mailWay } from "../../support/mail-schedule.ts";
import { runSchedules } from "../../support/pool-schedule.ts";

const SCHEDULES = process.env["HERD_SOAK"] ? 5_000 : 100;
/** Another start makes other schedules; a failure names its own. */
const FROM = Number(process.env["HERD_SEED"] ?? 1);

test(`${SCHEDULES} random schedules over an unreliable Discord lose no task, commit none twice and share none`, async (t) => {
  const tally = await runSchedules(FROM, SCHEDULES, mailWay);
  for (const [what, count] of Object.entries(tally)) t.diagnostic(`${what}: ${Math.round(count)}`);
});
