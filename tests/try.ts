import { runDiscordSchedule } from "./support/pool-discord-schedule.ts";
const [from, many] = Deno.args.map(Number);
let bad = 0;
const sum: Record<string, number> = {};
for (let s = from!; s < from! + many!; s++) {
  const t = performance.now();
  try {
    const tally = await runDiscordSchedule(s);
    for (const [k, v] of Object.entries(tally)) sum[k] = (sum[k] ?? 0) + v;
    if (tally["untold"]! > 0 || tally["doubled"]! > 0) {
      console.log(
        s,
        Math.round(performance.now() - t),
        "untold",
        tally["untold"],
        "doubled",
        tally["doubled"],
      );
    }
  } catch (e) {
    bad++;
    console.log(s, "BAD", (e as Error).stack?.slice(0, 700));
    if (bad > 5) break;
  }
}
console.log(sum, "bad", bad);
