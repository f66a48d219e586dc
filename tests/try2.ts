import { createVirtualTime } from "./support/virtual-time.ts";
import { startDiscord } from "./support/discord/start-discord.ts";
import { createPoolProcess } from "./support/pool-discord-life.ts";
const time = createVirtualTime(1_790_000_000_000, Number(Deno.args[0] ?? 60));
const discord = await startDiscord({ clock: time.now, isLocal: true, isChecked: false });
const p = createPoolProcess({
  discord,
  time,
  random: Math.random,
  authors: [],
  operators: [],
  onDeath() {},
});
p.start();
await time.runUntil(time.now() + 20_000);
console.log(
  discord.calls.map((c) => `${c.method} ${c.path} ${c.status}`),
  [...discord.channels.values()].map((c) => c.name),
);
await p.dispose();
