import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readIfThere } from "../../lib/base/files.ts";
import { userPlace } from "../../lib/control/user-place.ts";
import { findConfinement } from "../../lib/tasks/confine.ts";
import type { FakeChannel, FakeMessage } from "../support/discord/world.ts";
import { auditOf } from "../support/daemon.ts";
import { type DiscordScene, discordScene } from "../support/discord-scene.ts";
import { startChatServer } from "../unit/backends/chat-server.ts";

/** An agent, and the program of its tools, start within it also on a busy machine. */
const PATIENCE_MS = 90_000;

interface Test {
  after(act: () => unknown): void;
}

/** A sweep and a bot of the broker with the same token in one daemon; not started yet. */
async function sharedScene(
  t: Test,
  { agent, workspace = "{sandbox: none}", more = "" }: {
    agent?: (program: string) => string;
    workspace?: string;
    more?: string;
  } = {},
) {
  const scene = await discordScene(t);
  const { discord, home } = scene;
  const lab = discord.makeChannel("lab");
  const program = new URL("../support/acp-chatter.py", import.meta.url).pathname;
  const folder = join(home.env["HOME"]!, ".config/herd");
  mkdirSync(folder, { recursive: true });
  home.env["HERD_CONFIG"] = join(folder, "config.yaml");
  const yaml = `broker:
  discord: {allow_all_channels: true, allow_all_users: true}
  agent: ${
    agent?.(program) ?? `{kind: acp, command: [python3, ${program}, ${folder}/prompts.jsonl]}`
  }
  workspace: ${workspace}
${more}`;
  writeFileSync(home.env["HERD_CONFIG"], yaml, { mode: 0o600 });
  const own = (channel: FakeChannel) =>
    discord.messages(channel).filter(({ author }) => author.id === discord.bot.id);
  return {
    ...scene,
    lab,
    own,
    /** Says it with a mention, and resolves with what the bot's next words hold that match. */
    async ask(by: DiscordScene["alice"], channel: FakeChannel, words: string, wanted: RegExp) {
      const before = own(channel).length;
      discord.say(by, channel, `<@${discord.bot.id}> ${words}`);
      const found = () => own(channel).slice(before).find(({ content }) => wanted.test(content));
      await scene.until(`"${words}" is answered`, () => found() !== undefined, PATIENCE_MS);
      return found()!.content;
    },
    audit(): Record<string, unknown>[] {
      const { folder } = userPlace(home.env, userInfo().uid, hostname());
      const text = readIfThere(join(folder, "broker/herd/audit.jsonl")) ?? "";
      return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
    },
  };
}

const running = (scene: DiscordScene) =>
  scene.until("all run", () => /3 trials? running|Running.*3|3 running/i.test(scene.transcript()));

const hasButton = ({ components }: FakeMessage, label: string) =>
  JSON.stringify(components).includes(label);

test("a bot that a sweep and the broker share: each answers in its own channels, their commands are one set", async (t) => {
  const scene = await sharedScene(t);
  const { discord, alice, lab } = scene;
  scene.start();
  const channel = await scene.channel();
  const names = () => JSON.stringify(discord.commands.get(discord.guild.id) ?? []);
  await scene.until(
    "both parts' commands are there",
    () => /"prune"/.test(names()) && /"reset"/.test(names()),
  );
  const asked = discord.say(alice, lab, `<@${discord.bot.id}> hello`);
  await scene.until("its thread", () => discord.channels.has(asked.id));
  const thread = discord.channels.get(asked.id)!;
  await scene.until("the broker answers", () => /You said hello/.test(discord.transcript(thread)));

  const status = discord.say(alice, channel, `<@${discord.bot.id}> status`);
  await scene.until(
    "the sweep answers",
    () => scene.posts().some(({ replyTo }) => replyTo === status.id),
  );
  assert.ok(!discord.channels.has(status.id), "no thread of the broker's");
  const connections = discord.gateway.counts.identified;
  assert.equal(connections, 1, "one connection");
  const inThread = await discord.slash(alice, thread, "cancel-all");
  assert.match(inThread.message()!.content, /Nothing runs in this conversation/);
  for (const place of [thread, channel]) {
    const where = await discord.slash(alice, place, "whereami");
    assert.ok(where.ephemeral);
    assert.ok(where.message()!.content.includes(`You: \`${alice.id}\``), "the broker's everywhere");
  }
  const ofPlain = await scene.ask(alice, thread, "tools?", /^tools:/);
  assert.match(ofPlain, /^tools: cancel_wait list_waits wait$/m, "no sweep, no tools of one");
  assert.deepEqual(discord.violations, []);
});

test("in a thread below a sweep's channel the agent reads the sweep and asks for what ends work", async (t) => {
  const scene = await sharedScene(t);
  const { discord, alice } = scene;
  const mallory = discord.person("mallory");
  scene.start();
  const channel = await scene.channel();
  await running(scene);
  const thread = discord.startThread(alice, channel, "why is it slow");
  const tools = await scene.ask(alice, thread, "tools?", /^tools:/);
  for (const name of ["read_state", "stop_all", "tail_log", "wait"]) {
    assert.match(tools, new RegExp(` ${name}( |$)`, "m"));
  }
  assert.doesNotMatch(tools, /wait_for_event/);
  const read = await scene.ask(alice, thread, 'tool read_trial {"trial": 1}', /read_trial:/);
  assert.match(read, /running/);
  const refused = await scene.ask(mallory, thread, "tool run_trials", /run_trials:/);
  assert.match(refused, /Only members who may manage this channel may do that/);
  const asked = await scene.ask(
    alice,
    thread,
    'tool stop_all {"reason": "too slow"}',
    /stop_all:/,
  );
  assert.match(asked, /A person was asked and decides/);
  assert.ok(!scene.own(thread).some((one) => hasButton(one, "Once")), "nobody is asked twice");
  const question = () => scene.posts().find((one) => hasButton(one, "Yes, do it"));
  await scene.until("a question with buttons", () => question() !== undefined);
  await discord.click(alice, question()!, "Yes, do it");
  await scene.until("they are stopped", () => /3 trials cancelled/.test(scene.transcript()));

  // The agent's own questions have their buttons there, too.
  discord.say(alice, thread, "ask");
  const asks = () => scene.own(thread).find((one) => hasButton(one, "Once"));
  await scene.until("the agent asks", () => asks() !== undefined);
  await discord.click(alice, asks()!, "Once");
  await scene.until(
    "it has its answer",
    () => /answer: allow_once/.test(discord.transcript(thread)),
  );
  const cost = await discord.slash(alice, thread, "cost");
  await scene.until("the broker tells of cost", () => cost.message() !== undefined);
  assert.doesNotMatch(cost.message()!.content, /another version/);

  const by = `broker:herd:discord:${alice.id}`;
  const told = scene.audit().filter(({ event }) => event === "tool");
  assert.deepEqual(
    told.map((one) => [one["by"], one["tool"], "refused" in one]),
    [
      [by, "read_trial", false],
      [`broker:herd:discord:${mallory.id}`, "run_trials", true],
      [by, "stop_all", true],
    ],
  );
  const ofSweep = auditOf(scene.sweep.path);
  assert.ok(ofSweep.some((one) => one["event"] === "confirmation-asked" && one["by"] === by));
  assert.deepEqual(discord.violations, []);
});

test("a trial's thread becomes a conversation by a mention; /cancel says which of both it means", async (t) => {
  const scene = await sharedScene(t);
  const { discord, alice } = scene;
  scene.start();
  const channel = await scene.channel();
  await running(scene);
  await discord.slash(alice, channel, "thread", { index: 1 });
  const find = () => [...discord.channels.values()].find(({ name }) => /^trial 1/.test(name));
  await scene.until("the trial's thread", () => find() !== undefined);
  const thread = find()!;
  discord.say(alice, thread, "people talk among themselves");
  await scene.ask(alice, thread, "hello", /You said hello/);
  assert.doesNotMatch(discord.transcript(thread), /You said people/);
  discord.say(alice, thread, "slow 30");
  await scene.until("it runs", () => /I begin/.test(discord.transcript(thread)));
  const turn = await discord.slash(alice, thread, "cancel");
  await scene.until("answered", () => turn.message() !== undefined);
  assert.match(turn.message()!.content, /agent's turn in this conversation is ended; no job/);
  const job = await discord.slash(alice, channel, "cancel", { indices: "1" });
  await scene.until(
    "answered",
    () => /trial 1/i.test(job.message()?.content ?? ""),
  );
  await scene.until("a job is ended", () => /cancelled/.test(scene.transcript()));
});

test("an agent waits for a trial over a kill -9 of herd, and is woken when it ends", async (t) => {
  const scene = await sharedScene(t);
  const { discord, alice, sweep } = scene;
  const monitor = scene.start();
  const channel = await scene.channel();
  await running(scene);
  const thread = discord.startThread(alice, channel, "tell me");
  const set = await scene.ask(
    alice,
    thread,
    'tool wait {"seconds": 600, "trial": 2, "note": "compare with 0"}',
    /wait:/,
  );
  assert.match(set, /waits until trial 2 of "mnist" ends, for at most 10 min/);
  const other = await scene.ask(alice, thread, 'tool wait {"seconds": 900}', /wait:/);
  const id = /\b(w\w{6})\b/.exec(other)![1];
  await scene.ask(alice, thread, `tool cancel_wait {"id": "${id}"}`, /is cancelled/);
  assert.doesNotMatch(
    await scene.ask(alice, thread, "tool list_waits", /list_waits:/),
    /900|15 min/,
  );
  monitor.kill("SIGKILL");
  await monitor.ended;
  sweep.write("go", "");
  scene.start();
  await scene.until("it is woken", () => /🔔/.test(discord.transcript(thread)), 60_000);
  const woken = scene.own(thread).find(({ content }) => content.startsWith("🔔"))!;
  assert.match(woken.content, /Trial 2 of "mnist" has ended: completed/);
  assert.match(woken.content, /Note of the agent: compare with 0/);
  await scene.until(
    "the agent goes on",
    () => scene.own(thread).some(({ content }) => /You said .*no person wrote this/.test(content)),
  );
  assert.equal(scene.own(thread).filter(({ content }) => content.startsWith("🔔")).length, 1);
  const waits = scene.audit().filter(({ event }) => `${event}`.startsWith("wait-"));
  assert.deepEqual(waits.map((one) => [one["event"], one["how"]]), [
    ["wait-set", undefined],
    ["wait-set", undefined],
    ["wait-over", "dropped"],
    ["wait-over", "told"],
  ]);
});

test("a model behind an API has the same tools, and waits for a time", async (t) => {
  const server = await startChatServer([
    { calls: [{ name: "read_state", input: {} }, { name: "wait", input: { seconds: 5 } }] },
    { text: "I wait." },
    { text: "I am awake." },
  ]);
  t.after(() => server[Symbol.asyncDispose]());
  const scene = await sharedScene(t, {
    agent: () => `{kind: openai, base_url: "${server.url}", api_key_env: KEY}`,
    more: "  model: some-model\n",
  });
  const { discord, alice, home } = scene;
  home.env["KEY"] = "k";
  scene.start();
  const channel = await scene.channel();
  await running(scene);
  const thread = discord.startThread(alice, channel, "api");
  await scene.ask(alice, thread, "wake me", /I wait\./);
  await scene.until("it is woken", () => /I am awake/.test(discord.transcript(thread)));
  const results = server.requests[1]!.body.messages.filter(({ role }) => role === "tool");
  assert.match(`${results[0]?.content}`, /mnist/);
  assert.match(`${results[1]?.content}`, /End your turn now/);
  assert.match(JSON.stringify(server.requests[2]!.body.messages.at(-1)), /5 s are over/);
});

test("an agent in a sandbox without network reaches herd's tools", async (t) => {
  const { kind } = await findConfinement(process.env);
  if (kind !== "bwrap") return t.skip("without bubblewrap there is no door into a closed sandbox");
  const scene = await sharedScene(t, {
    agent: (program) =>
      `{kind: acp, command: [/usr/bin/python3, ${program}, prompts.jsonl], reads: [${program}]}`,
    workspace: "{sandbox: workspace, network: false}",
  });
  const { discord, alice } = scene;
  scene.start();
  const channel = await scene.channel();
  await running(scene);
  const thread = discord.startThread(alice, channel, "closed");
  const read = await scene.ask(alice, thread, 'tool read_trial {"trial": 1}', /read_trial:/);
  assert.match(read, /running/);
});
