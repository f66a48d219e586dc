import * as S from "./support/pool-discord-schedule.ts";
(globalThis as any).DEBUG = true;
try {
  console.log(await S.runDiscordSchedule(Number(Deno.args[0])));
} catch (e) {
  console.log((e as Error).message);
}
