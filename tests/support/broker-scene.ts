import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { homedir, hostname, userInfo } from "node:os";
import { join } from "node:path";
import type { ChatHappening } from "../../lib/chat/chat-event.ts";
import { userPlace } from "../../lib/control/user-place.ts";
import { readIfThere } from "../../lib/base/files.ts";
import type { Event } from "../../lib/sweep/event.ts";
import { makeHome } from "./daemon.ts";
import { startDiscord } from "./discord/start-discord.ts";
import type { FakeDiscord } from "./discord/start-discord.ts";
import type { FakeChannel, FakeMessage, Person } from "./discord/world.ts";
import { HERD, herd } from "./herd.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const FROM_SOURCE = [process.execPath, "run", "-A", "--no-check", MAIN];
const DENO_CACHE = process.env["DENO_DIR"] ?? join(homedir(), ".cache/deno");

interface Test {
  after(act: () => unknown): void;
}

export interface BrokerProcess {
  child: ChildProcess;
  output(): string;
  ended: Promise<number | null>;
}

/** One prompt as the agent saw it. */
export interface Prompted {
  pid: number;
  /** What people said, by message. */
  bodies: string[];
  text: string;
  /** Base64. */
  images: string[];
}

/** Bots of a compiled binary on a loopback Discord, with an agent that does as it is told. */
export interface BrokerScene {
  discord: FakeDiscord;
  /** May talk to the bot. */
  alice: Person;
  mallory: Person;
  /** Where the bot is allowed. */
  lab: FakeChannel;
  path(...parts: string[]): string;
  /** `isOther`: from its sources, which is another build and another version. */
  start(which?: { isOther?: boolean }): BrokerProcess;
  /** In which its processes run. */
  env: Readonly<Record<string, string | undefined>>;
  /** The connection is up. */
  ready(): Promise<void>;
  run(...args: string[]): ReturnType<typeof herd>;
  /** Of the first agent, unless another's file is named. */
  prompts(file?: string): Prompted[];
  events(bot?: string): Event<ChatHappening>[];
  /** `text` with a mention of the bot before it. */
  mention(
    text: string,
    more?: { by?: Person } & Pick<NonNullable<Parameters<FakeDiscord["say"]>[3]>, "files">,
  ): FakeMessage;
  /** The thread that hangs under a message. */
  thread(of: FakeMessage): Promise<FakeChannel>;
  /** The bot's messages there, oldest first. */
  answers(channel: FakeChannel): FakeMessage[];
  until(what: string, holds: () => boolean, ms?: number): Promise<void>;
}

export async function brokerScene(
  t: Test,
  { yaml, agent, more = "", discordMore = "", noload = false, env = {}, discord: given }: {
    /** The whole file; `FOLDER` is the home. */
    yaml?: string;
    /** The agent, in YAML of one line; absent: `acp-chatter.py`. */
    agent?: string;
    /** Further keys of the section, two spaces in. */
    more?: string;
    /** Further keys of `discord`. */
    discordMore?: string;
    noload?: boolean;
    env?: Record<string, string>;
    discord?: FakeDiscord;
  } = {},
): Promise<BrokerScene> {
  const discord = given ?? await startDiscord();
  if (given === undefined) t.after(() => discord[Symbol.asyncDispose]());
  const alice = discord.person("alice");
  const mallory = discord.person("mallory");
  const lab = discord.makeChannel("lab");
  const home = makeHome({
    NO_COLOR: "1",
    DISCORD_API_URL: discord.url,
    BOT_TOKEN: discord.token,
    ...env,
  });
  delete home.env["XDG_CONFIG_HOME"];
  const path = (...parts: string[]) => join(home.env["HOME"]!, ...parts);
  mkdirSync(path(".config/herd"), { recursive: true });
  const chatter = new URL("./acp-chatter.py", import.meta.url).pathname;
  const words = ["python3", chatter, "FOLDER/prompts.jsonl", ...(noload ? ["noload"] : [])];
  const text = yaml ?? `broker:
  discord:
    bot_token_env: BOT_TOKEN
    allowed_channels: ["${lab.id}"]
    allowed_users: ["${alice.id}"]
${discordMore}
  agent: ${agent ?? `{kind: acp, command: [${words.join(", ")}]}`}
  workspace: {sandbox: none}
${more}
`;
  writeFileSync(path(".config/herd/config.yaml"), text.replaceAll("FOLDER", path()), {
    mode: 0o600,
  });
  const all: BrokerProcess[] = [];
  t.after(async () => {
    for (const { child } of all) {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    }
    const patience = new Promise((resolve) => setTimeout(resolve, 10_000).unref());
    await Promise.race([Promise.all(all.map(({ ended }) => ended)), patience]);
    for (const { child } of all) {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    }
    home.remove();
  });

  const scene: BrokerScene = {
    discord,
    alice,
    mallory,
    lab,
    path,
    env: home.env,
    start({ isOther = false } = {}) {
      const command = isOther ? FROM_SOURCE : [HERD];
      const child = spawn(command[0]!, [...command.slice(1), "broker", "start"], {
        // Where Deno keeps what it has fetched is not the home of the test.
        env: isOther ? { ...home.env, DENO_DIR: DENO_CACHE } : home.env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let output = "";
      for (const stream of [child.stdout!, child.stderr!]) {
        stream.setEncoding("utf8").on("data", (piece) => output += piece);
      }
      const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
      const one = { child, output: () => output, ended };
      all.push(one);
      return one;
    },
    ready: () =>
      scene.until("the bot is connected", () => discord.gateway.isConnected(discord.bot.id)),
    run: (...args) => herd(args, { env: home.env }),
    prompts: (file = "prompts.jsonl") => lines(path(file)) as unknown as Prompted[],
    events: (bot = "herd") =>
      lines(
        join(
          userPlace(home.env, userInfo().uid, hostname()).folder,
          "broker",
          bot,
          "journal.jsonl",
        ),
      ) as unknown as Event<ChatHappening>[],
    mention: (words, { by = alice, files = [] } = {}) =>
      discord.say(by, lab, `<@${discord.bot.id}> ${words}`, { files }),
    async thread(of) {
      await scene.until("its thread", () => discord.channels.has(of.id));
      return discord.channels.get(of.id)!;
    },
    answers: (channel) =>
      discord.messages(channel).filter(({ author }) => author.id === discord.bot.id),
    async until(what, holds, ms = 30_000) {
      try {
        await discord.until(what, holds, ms);
      } catch (error) {
        const seen = [...discord.channels.values()].map((one) =>
          `#${one.name}\n${discord.transcript(one).slice(-1_500)}`
        );
        const said = all.map((one) => one.output()).join("\n--\n");
        throw new Error(`${(error as Error).message}\n${seen.join("\n====\n")}\n${said}`);
      }
    },
  };
  return scene;
}

/** Two bots of one herd that answer each other when they are mentioned, both connected. */
export async function twoBotScene(
  t: Test,
  { discordMore = "", second: secondMore = "" }: {
    discordMore?: string;
    /** Keys of the second bot alone, each with a comma behind it. */
    second?: string;
  } = {},
): Promise<BrokerScene & { second: ReturnType<FakeDiscord["addBot"]> }> {
  const discord = await startDiscord();
  t.after(() => discord[Symbol.asyncDispose]());
  const second = discord.addBot("Dealer");
  const agent = new URL("./acp-chatter.py", import.meta.url).pathname;
  const scene = await brokerScene(t, {
    discord,
    env: { SECOND_TOKEN: second.token },
    yaml: `broker:
  agents:
    one: {kind: acp, command: [python3, ${agent}, FOLDER/prompts.jsonl]}
    two: {kind: acp, command: [python3, ${agent}, FOLDER/second.jsonl]}
  discord:
    allow_all_channels: true
    allow_all_users: true
    allow_bot_messages: mentions
${discordMore}
  workspace: {sandbox: none}
  bots:
    herd: {agent: one, discord: {bot_token_env: BOT_TOKEN}}
    dealer: {agent: two, ${secondMore} discord: {bot_token_env: SECOND_TOKEN}}
`,
  });
  scene.start();
  await scene.ready();
  await scene.until("the other, too", () => discord.gateway.isConnected(second.person.id));
  return { ...scene, second };
}

function lines(file: string): unknown[] {
  const text = readIfThere(file) ?? "";
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}
