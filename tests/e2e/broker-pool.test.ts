import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readIfThere } from "../../lib/base/files.ts";
import { userPlace } from "../../lib/control/user-place.ts";
import { startDiscord } from "../support/discord/start-discord.ts";
import type { FakeChannel, FakeMessage, Person } from "../support/discord/world.ts";
import { poolDiscordScene } from "../support/pool-discord-scene.ts";

const AGENT = new URL("../support/acp-chatter.py", import.meta.url).pathname;

/** One daemon with a pool and a bot, both by the same token. Ada may do everything, others nothing. */
async function scene(t: Parameters<typeof poolDiscordScene>[0]) {
  const discord = await startDiscord();
  const ada = discord.person("ada", { manages: true });
  const lab = discord.makeChannel("lab");
  const both = await poolDiscordScene(t, {
    discord,
    more: `broker:
  discord:
    bot_token_env: POOL_TOKEN
    allowed_channels: ["${lab.id}"]
    allowed_users: ["${ada.id}"]
  agent: {kind: acp, command: [python3, ${AGENT}, FOLDER/prompts.jsonl]}
  workspace: {sandbox: none}
`,
  });
  const { env } = both.pool.home;
  const bot = join(userPlace(env, userInfo().uid, hostname()).folder, "broker/herd");
  const lines = (name: string) =>
    (readIfThere(join(bot, name)) ?? "").split("\n").filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  return {
    ...both,
    ada,
    mention: (by: Person, words: string) => discord.say(by, lab, `<@${discord.bot.id}> ${words}`),
    async thread({ id }: FakeMessage): Promise<FakeChannel> {
      await both.until("its thread", () => discord.channels.has(id));
      return discord.channels.get(id)!;
    },
    audit: () => lines("audit.jsonl") as Record<string, unknown>[],
    happened: () => lines("journal.jsonl").map(({ what }) => what.type as string),
  };
}

test("G.8.1: kill -9 during ten conversations and five tasks: all ten go on, answered once, and five tasks end once each", async (t) => {
  const { discord, pool, ada, ...rest } = await scene(t);
  const daemon = await rest.daemon();
  pool.worker("--slots", "2");
  const tasks = ["one, wait", "two, wait", "three", "four", "five"].map((text) =>
    rest.say(ada, text)
  );
  const asked = Array.from({ length: 10 }, () => rest.mention(ada, "wait"));
  const threads = await Promise.all(asked.map(rest.thread));
  const text = (i: number) => discord.transcript(threads[i]!);
  await rest.until("all ten are in mid-turn", () => threads.every((_, i) => /Half/.test(text(i))));
  await rest.until("two tasks run", async () => {
    const all = await pool.tasks();
    return all.filter(({ status }) => status === "running").length === 2;
  });
  daemon.child.kill("SIGKILL");
  await daemon.ended;
  await rest.daemon();
  writeFileSync(pool.path("go"), "");
  for (const [i, one] of asked.entries()) {
    await rest.until("its sign", () => one.reactions.has("🆗") && one.reactions.size === 1);
    await rest.until("its answer", () => /Half and whole/.test(text(i)));
    assert.equal(text(i).match(/Half/g)?.length, 1, text(i));
  }
  const ends = (id: string) =>
    pool.events().flatMap(({ what }) =>
      what.type === "task-ended" && what.task === `discord-${id}` ? [what.status] : []
    );
  const told = (id: string) =>
    rest.results().filter(({ content }) => content.includes(`\`discord-${id}\``)).length;
  await rest.until("five are told", () => tasks.every(({ id }) => told(id) > 0));
  for (const { id } of tasks) assert.deepEqual([ends(id), told(id)], [["succeeded"], 1]);
  assert.deepEqual(discord.violations, []);
});

test("G.8.7: who may not, may not: /reset, a button and a task are refused, audited, and change nothing", async (t) => {
  const { discord, pool, ada, mallory, ...rest } = await scene(t);
  await rest.daemon();
  const asked = rest.mention(ada, "ask");
  const thread = await rest.thread(asked);
  const question = () =>
    discord.messages(thread).find(({ content }) => content.includes("make clean"));
  await rest.until("the question", () => question() !== undefined);
  const before = rest.happened();

  const reset = await discord.slash(mallory, thread, "reset");
  const pressed = await discord.click(mallory, question()!, "Once");
  for (const answer of [reset, pressed]) {
    assert.equal(answer.ephemeral, true);
    assert.match(answer.message()!.content, /You may not talk to this bot/);
    assert.equal(answer.message()!.components.length, 0, "nothing to go on with");
  }
  const task = rest.say(mallory, "mine bitcoin");
  await rest.until("the task is refused", () => task.reactions.has("🚫"));
  assert.deepEqual(await pool.tasks(), []);
  assert.deepEqual(rest.happened(), before, "nothing has happened");
  assert.doesNotMatch(discord.transcript(thread), /allow_once/);
  const by = `discord:${mallory.id}`;
  const refusals = (lines: readonly Record<string, unknown>[]) =>
    lines.filter((line) => line["event"] === "refused" && line["by"] === by).length;
  assert.equal(refusals(rest.audit()), 2, JSON.stringify(rest.audit()));
  assert.equal(refusals(pool.audit()), 1, JSON.stringify(pool.audit()));

  await discord.click(ada, question()!, "Deny");
  await rest.until("she may", () => /answer: reject_once/.test(discord.transcript(thread)));
  assert.deepEqual(discord.violations, []);
});
