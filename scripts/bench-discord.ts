/** What people wait for in Discord, and what an idle connection costs; on a loopback Discord. */
import { discordScene } from "../tests/support/discord-scene.ts";
import type { DiscordScene } from "../tests/support/discord-scene.ts";
import { eventsOf } from "../tests/support/daemon.ts";
import { cost, report } from "./bench-figures.ts";

const TIMES = 40;
/** herd beats no oftener than once a second; Discord's are 41 s apart. They are counted where they arrive. */
const HEARTBEAT_MS = 1_000;

export async function benchDiscord(): Promise<void> {
  const after: (() => unknown)[] = [];
  try {
    const scene = await discordScene({ after: (act) => void after.push(act) }, {
      heartbeatMs: HEARTBEAT_MS,
      values: Array.from({ length: 20 }, (_, i) => `${i}`),
      launcher: '#!/bin/bash\necho "epoch 1 loss=0.5"\nsleep 0.$((RANDOM % 9))\n' +
        '[ -e go ] || [ "$HYPERHERD_TRIAL_ID" -lt 17 ] || until [ -e go ]; do sleep 0.1; done\n',
    });
    scene.start();
    const channel = await scene.channel();
    await scene.until(
      "three run on",
      () => / 17 completed|17 trials completed/.test(states(scene)),
      60_000,
    );
    report("from an event to its post", postDelays(scene), "aim: 3000 at the 95th percentile");
    const { discord, alice } = scene;
    const eyes: number[] = [];
    const slash: number[] = [];
    for (let i = 0; i < TIMES; i++) {
      const at = performance.now();
      const said = discord.say(alice, channel, "HerdDog: status");
      await discord.until("👀", () => said.reactions.has("👀"));
      eyes.push(performance.now() - at);
      slash.push((await discord.slash(alice, channel, "status")).ms);
    }
    report("from a person's message to 👀", eyes, "aim: 300");
    report("a slash command answered", slash, "aim: 300");
    await idle(scene);
    scene.sweep.write("go", "");
    await scene.monitor().ended;
  } finally {
    for (const act of after.reverse()) await act();
  }
}

function states({ sweep }: DiscordScene): string {
  const done = eventsOf(sweep.path).flatMap(({ what }) =>
    what.type === "said" && what.said.kind === "completed" ? what.said.trials ?? [] : []
  );
  return ` ${new Set(done.map(([trial]) => trial)).size} completed`;
}

/** From the journal's line to the message, milliseconds. */
function postDelays(scene: DiscordScene): number[] {
  return eventsOf(scene.sweep.path).flatMap(({ at, what }) => {
    if (what.type !== "said") return [];
    const plain = (text: string) => text.replace(/[\\\s]+/g, " ").trim();
    const post = scene.posts().find(({ content }) =>
      plain(content).includes(plain(what.said.text))
    );
    return post === undefined ? [] : [Math.max(0, post.at - at)];
  });
}

/** A heartbeat and the dashboard each second; the sweep is silent. */
async function idle(scene: DiscordScene): Promise<void> {
  const seconds = Number(Deno.env.get("HERD_BENCH_IDLE_SECONDS") ?? 60);
  const pid = scene.monitor().child.pid!;
  const before = await cost(pid);
  const calls = scene.discord.calls.length;
  const { counts } = scene.discord.gateway;
  const beats = counts.heartbeats;
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const after = await cost(pid);
  console.log(
    `an idle connection, ${seconds} s`.padEnd(45) +
      `${after.megabytes} MB resident, ${(after.cpu - before.cpu).toFixed(2)} s of CPU, ` +
      `${scene.discord.calls.length - calls} requests (dashboard each second), ` +
      `${counts.heartbeats - beats} heartbeats (a day has 2095), ` +
      `${counts.connections} connection`,
  );
}

if (import.meta.main) await benchDiscord();
