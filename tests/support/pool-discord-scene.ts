import { startDiscord } from "./discord/start-discord.ts";
import type { FakeDiscord } from "./discord/start-discord.ts";
import type { FakeChannel, FakeMessage, Person } from "./discord/world.ts";
import { livePool } from "./live-pool.ts";
import type { LivePool, LiveProcess } from "./live-pool.ts";

interface Test {
  after(act: () => unknown): void;
}

/** A pool of compiled binaries with its three channels on a loopback Discord. */
export interface PoolDiscordScene {
  discord: FakeDiscord;
  pool: LivePool;
  /** May manage the queue's channel. */
  alice: Person;
  /** May nothing in particular. */
  mallory: Person;
  /** Starts it; resolves when the three channels are there and the commands are registered. */
  daemon(): Promise<LiveProcess>;
  queue(): FakeChannel;
  results(): FakeMessage[];
  text(name: "task-queue" | "results" | "worker-pool"): string;
  say(by: Person, text: string): FakeMessage;
  until(what: string, holds: () => boolean | Promise<boolean>, ms?: number): Promise<void>;
}

/** Leaves a mark of each run; waits for `go` where the task says so. */
const ECHO = `#!/bin/bash
text=$(cat)
home=$(dirname "$0")
echo "$HERD_TASK" >> "$home/runs"
case "$text" in
  *wait*) until [ -e "$home/go" ]; do sleep 0.05; done ;;
  *fail*) echo "it cannot be" >&2; exit 3 ;;
  *ping*) printf '@everyone <@1> <@&2> @here' ;;
  *table*) for i in $(seq 60); do printf '| a | b |\\n|---|---|\\n| %s | x |\\n\\n\`\`\`\\n%0470d\\n\`\`\`\\n' "$i" "$i"; done ;;
esac
printf '%s' "did: $text"
`;

export async function poolDiscordScene(
  t: Test,
  { more = "", discord: given }: { more?: string; discord?: FakeDiscord } = {},
): Promise<PoolDiscordScene> {
  const discord = given ?? await startDiscord();
  t.after(() => discord[Symbol.asyncDispose]());
  const pool = livePool(t, {
    env: { DISCORD_API_URL: discord.url, POOL_TOKEN: discord.token },
    programs: { "echo.sh": ECHO },
    yaml: `pool:
  discord: {guild_id: "${discord.guild.id}", token_env: POOL_TOKEN}
  defaults: {model: echo, sandbox: none}
  backends:
    echo: {kind: command, command: [FOLDER/echo.sh], input: stdin, result: stdout}
  models:
    echo: {backend: echo, usd_per_million_tokens: {input: 0, output: 0}}
${more}`,
  });
  const places = ["task-queue", "results", "worker-pool"] as const;
  const scene: PoolDiscordScene = {
    discord,
    pool,
    alice: discord.person("alice", { manages: true }),
    mallory: discord.person("mallory"),
    async daemon() {
      const daemon = await pool.daemon();
      await scene.until(
        "the channels are there",
        () => places.every((name) => discord.channel(name) !== undefined),
      );
      await scene.until(
        "it has commands",
        () => JSON.stringify(discord.commands.get(discord.guild.id) ?? []).includes('"task"'),
      );
      return daemon;
    },
    queue: () => discord.channel("task-queue")!,
    results: () => discord.messages(discord.channel("results")!),
    text: (name) => discord.transcript(discord.channel(name)!),
    say: (by, text) => discord.say(by, scene.queue(), text),
    async until(what, holds, ms = 60_000) {
      try {
        await pool.until(what, holds, ms);
      } catch (error) {
        const seen = places.map((name) => discord.channel(name) && scene.text(name));
        throw new Error(`${(error as Error).message}\n${seen.join("\n====\n").slice(-4_000)}`);
      }
    },
  };
  return scene;
}
