import { makeHome, startMonitor } from "./daemon.ts";
import type { Home, RunningMonitor } from "./daemon.ts";
import { startDiscord } from "./discord/start-discord.ts";
import type { FakeDiscord } from "./discord/start-discord.ts";
import type { FakeChannel, FakeMessage, Person } from "./discord/world.ts";
import { herd, makeSweep } from "./herd.ts";

interface Test {
  after(act: () => unknown): void;
}

export interface DiscordSceneOptions {
  name?: string;
  /** Values of x, one trial each. */
  values?: readonly string[];
  launcher?: string;
  more?: string;
  discordMore?: string;
  /** Instead of all that; the guild's id goes in. */
  yaml?: (guildId: string) => string;
  env?: Record<string, string>;
  args?: readonly string[];
  /** Between two heartbeats of the gateway. */
  heartbeatMs?: number;
}

/** A monitor of one sweep on this machine, with its channel. At the end nothing of it is left. */
export interface DiscordScene {
  discord: FakeDiscord;
  home: Home;
  sweep: ReturnType<typeof makeSweep>;
  /** May manage the channel. */
  alice: Person;
  monitor(): RunningMonitor;
  /** Starts it, again after it has ended. */
  start(): RunningMonitor;
  /** Resolves when the channel is there. */
  channel(): Promise<FakeChannel>;
  transcript(): string;
  /** Posts of the bot, oldest first. */
  posts(): FakeMessage[];
  until(what: string, holds: () => boolean, ms?: number): Promise<void>;
}

const PATIENT = `#!/bin/bash
echo "epoch 1 loss=0.5"
until [ -e go ]; do sleep 0.05; done
`;

export async function discordScene(
  t: Test,
  options: DiscordSceneOptions = {},
): Promise<DiscordScene> {
  const { name = "mnist", values = ["1", "2", "3"], launcher = PATIENT } = options;
  const discord = await startDiscord(
    options.heartbeatMs === undefined ? {} : { heartbeatMs: options.heartbeatMs },
  );
  const home = makeHome({
    NO_COLOR: "1",
    DISCORD_BOT_TOKEN: discord.token,
    DISCORD_API_URL: discord.url,
    ...options.env,
  });
  const sweep = makeSweep({
    yaml: options.yaml?.(discord.guild.id) ?? `name: ${name}
launcher: ./launch.sh
scheduler: local
local: {slots: 4}
grid: all
slurm: {partition: none, time: 5, mem: 50M}
discord: {guild_id: "${discord.guild.id}", dashboard_refresh_seconds: 1${options.discordMore ?? ""}}
${options.more ?? "monitor: {objective: none, rollout: [rest]}\nremediation: {mode: notify}"}
parameters:
  x: {type: discrete, values: [${values.join(", ")}]}
`,
    launcher,
  }, "herd-discord-");
  let monitor: RunningMonitor | undefined;
  const isAlive = () =>
    monitor !== undefined && monitor.child.exitCode === null && monitor.child.signalCode === null;
  t.after(async () => {
    try {
      if (isAlive()) monitor!.kill("SIGKILL");
      await monitor?.ended;
      sweep.write("go", "");
      await herd(["clean", sweep.path, "--all", "--yes"], { env: home.env });
    } finally {
      await discord[Symbol.asyncDispose]();
      sweep.remove();
      home.remove();
    }
  });
  const find = () =>
    [...discord.channels.values()].find(({ type, name: one }) =>
      type === 0 && one.startsWith(name)
    );
  const scene: DiscordScene = {
    discord,
    home,
    sweep,
    alice: discord.person("alice", { manages: true }),
    monitor: () => monitor!,
    start() {
      monitor = startMonitor([sweep.path, ...options.args ?? []], home.env);
      return monitor;
    },
    async channel() {
      await scene.until("there is a channel", () => find() !== undefined);
      return find()!;
    },
    transcript: () => find() === undefined ? "" : discord.transcript(find()!),
    posts: () =>
      find() === undefined
        ? []
        : discord.messages(find()!).filter(({ author }) => author.id === discord.bot.id),
    async until(what, holds, ms) {
      try {
        await discord.until(what, holds, ms);
      } catch (error) {
        const said = monitor?.output() ?? "";
        throw new Error(`${(error as Error).message}\n${scene.transcript()}\n${said}`);
      }
    },
  };
  return scene;
}
