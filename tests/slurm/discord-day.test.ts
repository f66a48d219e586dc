import assert from "node:assert/strict";
import { test } from "node:test";
import { eventsOf } from "../support/daemon.ts";
import { discordScene } from "../support/discord-scene.ts";
import type { FakeMessage } from "../support/discord/world.ts";
import { statusOf } from "../support/herd.ts";
import { startModelServer } from "../support/model-server.ts";
import { PARTITION, withoutSlurm } from "../support/slurm.ts";

/** `oom` needs more memory than it asks for; `stay` runs until it is cancelled. */
const LAUNCHER = `#!/bin/bash
stream=.hyperherd/results/$HYPERHERD_TRIAL_ID/stream
mkdir -p "$stream"
log() { printf '{"step": %s, "value": %s, "ts": %s}\\n' "$1" "$2" "$(date +%s.%N)" >> "$stream/loss.jsonl"; }
case "$1" in
  *do=oom*) python3 -c "
import time
x = bytearray(75 << 20)
for i in range(0, len(x), 4096): x[i] = 1
time.sleep(2)" || exit $? ;;
  *do=stay*) log 1 0.9; echo "epoch 1 loss=0.9"; sleep 600 ;;
esac
for i in 1 2 3; do log $i 0.$((5 - i)); echo "epoch $i loss=0.$((5 - i))"; sleep 0.3; done
`;

/** What people read, each list in its order; other lines may stand between. */
const DAY = [
  [
    /^HerdDog: 🐕 monitoring day: 5 trials, nothing has run yet/mu,
    /^HerdDog: 🐕 .*What are you optimizing\?/mu,
    /^alice: HerdDog: minimize loss\n {2}👀/mu,
    /^HerdDog: 🐕 .*On failures/mu,
    /^alice: @HerdDog remediate/mu,
    /^HerdDog: 🐕 .*[Ww]here do I read/mu,
    /^HerdDog: 🐕 plan: minimize loss, on failures remediate/mu,
    /^HerdDog: 🐕 canary: submitting trial 0/mu,
    /^HerdDog: ▶️ trial 0 running/mu,
    /^HerdDog: 🐕 stage 2: submitting trials 1-2/mu,
    /^HerdDog: 🐕 live: submitting the remaining trials 3-4/mu,
    /^alice: <@\d+> why is trial 1 slow\?/mu,
    /^HerdDog: 🐕 It ran out of memory once and runs again with 90M\./mu,
  ],
  // What a tick did is told at its end: the rest may be submitted before that, or after it.
  [
    /^HerdDog: 🐕 stage 2: submitting trials 1-2/mu,
    /^HerdDog: ⚠️ trial 1 failed: out of memory/mu,
    /^HerdDog: 🐕 bumped slurm\\?\.mem 60M→90M after 1 OUT/mu,
    /^HerdDog: 🛑 monitor stopped/mu,
  ],
  // Answers to commands stand at once; a line of the daemon may still be on its way.
  [
    /^alice: <@\d+> why is trial 1 slow\?/mu,
    /^HerdDog: loss: best so far 0\.2 by trial \d/mu,
    /^HerdDog: ```\n[^]*epoch 1 loss=0\.9/mu,
    /^HerdDog: <@\d+> wants to cancel all 2 live trials\. Do it\?\nalice: Stopped trials/mu,
    /^HerdDog: 🛑 monitor stopped/mu,
  ],
];

test(
  "a day of a sweep on SLURM, directed from its channel: interview, canary, rollout, a failure, a person who asks, plots, tails, cancels and stops",
  { skip: withoutSlurm },
  async (t) => {
    const model = await startModelServer([
      {
        when: ({ text }) => text.includes("why is trial 1 slow?"),
        reply: { text: "It ran out of memory once and runs again with 90M." },
        times: Infinity,
      },
      { reply: { text: "Noted." }, times: Infinity },
    ]);
    t.after(() => model.close());
    const scene = await discordScene(t, {
      name: "day",
      launcher: LAUNCHER,
      env: { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: "sk-ant-test" },
      yaml: (guild) =>
        `name: day
launcher: ./launch.sh
scheduler: slurm
slurm: {partition: ${PARTITION}, time: 5, mem: 60M}
discord: {guild_id: "${guild}", dashboard_refresh_seconds: 1}
grid: all
parameters:
  do: {type: discrete, values: [fine, oom, plain, stay, stay2]}
`,
    });
    const { discord, alice, sweep, home } = scene;
    const monitor = scene.start();
    const channel = await scene.channel();
    const told = (pattern: RegExp) =>
      scene.until(`${pattern}`, () => pattern.test(scene.transcript()), 120_000);

    await told(/optimizing/);
    discord.say(alice, channel, "HerdDog: minimize loss");
    await told(/On failures/);
    discord.say(alice, channel, "@HerdDog remediate");
    await told(/[Ww]here do I read/);
    const bot = discord.bot.id;
    discord.say(alice, channel, `<@${bot}> results-json`);
    await told(/live: submitting the remaining trials 3-4/);
    const running = async () => (await statusOf(sweep.path, home.env)).totals;
    const until = async (what: string, holds: () => Promise<boolean>) => {
      const end = Date.now() + 120_000;
      while (!await holds()) {
        if (Date.now() > end) assert.fail(`${what}\n${scene.transcript()}`);
        await new Promise((next) => setTimeout(next, 200));
      }
    };
    await until("three are over, two run", async () => {
      const { completed, running: live } = await running();
      return completed === 3 && live === 2;
    });
    discord.say(alice, channel, `<@${bot}> why is trial 1 slow?`);
    await told(/It ran out of memory once/);

    const plot = await discord.slash(alice, channel, "plot", { metric: "loss" });
    const [picture] = plot.message()!.files;
    assert.equal(new TextDecoder("latin1").decode(picture!.bytes.subarray(1, 4)), "PNG");
    const stay = (await statusOf(sweep.path, home.env)).trials
      .find(({ status }) => status === "running")!.index;
    const tail = await discord.slash(alice, channel, "tail", { index: stay, stream: "stdout" });
    assert.match(tail.message()!.content, /epoch 1 loss=0\.9/);
    const bump = await discord.slash(alice, channel, "bump", { what: "mem", amount: "100M" });
    assert.match(bump.message()!.content, /Raised slurm\.mem from 90M to 100M/);
    const thread = [...discord.channels.values()].find(({ type }) => type === 11);
    assert.match(thread!.name, /^trial 1 · /, "the failure has a thread of its own");
    await scene.until("its log is there", () => discord.messages(thread!).length > 0);

    const all = await discord.slash(alice, channel, "cancel_all");
    await discord.click(alice, all.message()!, "Yes, do it");
    await until("they are cancelled", async () => (await running())["cancelled"] === 2);
    await told(/cancelled/);
    if (monitor.child.exitCode === null) {
      const stop = await discord.slash(alice, channel, "stop");
      await discord.click(alice, stop.message()!, "Yes, do it");
    }
    const { code, output } = await monitor.ended;
    assert.equal(code, 0, output);

    const transcript = scene.transcript();
    for (const lines of DAY) {
      let from = 0;
      for (const wanted of lines) {
        const found = wanted.exec(transcript.slice(from));
        assert.ok(found, `${wanted} after ${from} of\n${transcript}`);
        from += found.index;
      }
    }
    const totals = (await statusOf(sweep.path, home.env)).totals;
    assert.deepEqual(totals, { total: 5, completed: 3, cancelled: 2 });
    assert.deepEqual(discord.violations, []);
    assert.deepEqual(scene.posts().flatMap(({ pinged }: FakeMessage) => pinged), []);
    const by = eventsOf(sweep.path).flatMap(({ what, by }) =>
      what.type === "intent-set" ? [by] : []
    );
    assert.ok(by.every((one) => one === `discord:${alice.id}`), `${by}`);
  },
);
