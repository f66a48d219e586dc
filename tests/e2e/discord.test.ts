import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { auditOf, eventsOf } from "../support/daemon.ts";
import { discordScene } from "../support/discord-scene.ts";
import type { DiscordScene } from "../support/discord-scene.ts";
import type { FakeMessage } from "../support/discord/world.ts";
import { herd, statusOf } from "../support/herd.ts";
import { startModelServer } from "../support/model-server.ts";

/** CI runs a sample; `deno task soak` the whole. */
const IS_SOAK = process.env["HERD_SOAK"] !== undefined;
const CUTS = IS_SOAK ? 50 : 12;
const KILLS = IS_SOAK ? 100 : 8;
const PATIENCE_MS = IS_SOAK ? 600_000 : 60_000;

const isDashboard = ({ embeds }: FakeMessage) => `${embeds[0]?.["title"] ?? ""}`.startsWith("📊");

async function running(scene: DiscordScene, count: number): Promise<void> {
  const { sweep, home } = scene;
  for (;;) {
    const status = await statusOf(sweep.path, home.env).catch(() => undefined);
    if (status?.totals["running"] === count) return;
    await new Promise((next) => setTimeout(next, 100));
  }
}

/** Posts of the journal that are missing in the channel, and those that are there twice. */
function delivered(scene: DiscordScene): { missing: string[]; doubled: string[] } {
  const said = eventsOf(scene.sweep.path).flatMap(({ what }) =>
    what.type === "said" ? [what.said.text] : []
  );
  const plain = (text: string) => text.replace(/[\\\s]+/g, " ").trim();
  const posts = scene.posts().map(({ content }) => plain(content));
  const missing = said.filter((text) => !posts.some((post) => post.includes(plain(text))));
  const seen = new Map<string, number>();
  for (const { nonce } of scene.posts()) {
    if (nonce !== undefined) seen.set(nonce, (seen.get(nonce) ?? 0) + 1);
  }
  return { missing, doubled: [...seen].filter(([, n]) => n > 1).map(([nonce]) => nonce) };
}

test("a sweep lives in its channel: posts, dashboard, slash commands, buttons, words, and its end", async (t) => {
  const scene = await discordScene(t);
  const { discord, alice, sweep } = scene;
  const monitor = scene.start();
  const channel = await scene.channel();
  assert.equal(channel.name, "mnist");
  assert.match(channel.topic, /^Sweep mnist \[herd:[0-9a-z]+\]$/);
  await running(scene, 3);
  await scene.until("they are told to run", () => /▶️ .*running/.test(scene.transcript()));

  const board = () => scene.posts().filter(isDashboard);
  await scene.until("there is a dashboard", () => board().length === 1 && board()[0]!.pinned);
  const fields = () => JSON.stringify(board()[0]!.embeds);
  await scene.until("it is up to date", () => /▶️ 3 running/.test(fields()));
  assert.ok(board()[0]!.edits > 0);

  const names = (discord.commands.get(discord.guild.id) as { name: string }[]).map(({ name }) =>
    name
  );
  for (
    const name of [
      "status",
      "stats",
      "params",
      "info",
      "plan",
      "run",
      "run_all",
      "cancel",
      "cancel_all",
      "tail",
      "stop",
      "help",
      "running",
      "metrics",
      "plot",
      "results",
      "pause",
      "resume",
      "prune",
      "sh",
      "budget",
      "shutdown",
    ]
  ) assert.ok(names.includes(name), name);
  const status = await discord.slash(alice, channel, "status");
  assert.match(status.message()!.content, /3 running, 0 failed of 3/);
  assert.equal(status.ephemeral, false);
  const tail = await discord.slash(alice, channel, "tail", { index: 1 });
  assert.match(tail.message()!.content, /epoch 1 loss=0\.5/);
  const help = await discord.slash(alice, channel, "help");
  assert.equal(help.ephemeral, true);
  const wrong = await discord.slash(alice, channel, "tail", { index: 99 });
  assert.match(wrong.message()!.content, /There is no trial 99/);
  const choices = await discord.complete(alice, channel, "cancel", { name: "indices", value: "" });
  assert.deepEqual(choices.map(({ value }) => value), ["0", "1", "2"]);
  assert.match(choices[0]!.name, /^0 · running · x-1$/);

  for (const address of [`<@${discord.bot.id}> status`, "HerdDog: status", "@herddog status"]) {
    const said = discord.say(alice, channel, address);
    await scene.until("👀", () => said.reactions.has("👀"));
    await scene.until("an answer", () => scene.posts().some(({ replyTo }) => replyTo === said.id));
  }
  const chatter = discord.say(alice, channel, "lunch? the herddog is asleep");
  const reply = discord.say(alice, channel, "status", { replyTo: board()[0]!.id });
  await scene.until("a reply is heard", () => reply.reactions.has("👀"));
  assert.equal(chatter.reactions.size, 0);

  const one = await discord.slash(alice, channel, "cancel", { indices: "2" });
  assert.match(one.message()!.content, /Stopped trial 2/);
  const asked = await discord.slash(alice, channel, "cancel_all");
  assert.match(asked.message()!.content, /wants to cancel all 2 live trials\. Do it\?/);
  assert.deepEqual(asked.message()!.pinged, []);
  await discord.click(alice, asked.message()!, "No");
  assert.match(asked.message()!.content, /Not done, says alice/);
  assert.deepEqual(asked.message()!.components, []);
  await running(scene, 2);

  sweep.write("go", "");
  const end = await discord.slash(alice, channel, "stop");
  await discord.click(alice, end.message()!, "Yes, do it");
  const { code, output } = await monitor.ended;
  assert.equal(code, 0, output);
  assert.match(scene.transcript(), /🛑 monitor stopped/);
  assert.match(fields(), /offline since <t:\d+:R>/);
  assert.deepEqual(board()[0]!.components, []);
  assert.equal(board().length, 1);
  assert.deepEqual(delivered(scene), { missing: [], doubled: [] });
  assert.deepEqual(discord.violations, []);
  assert.deepEqual(scene.posts().flatMap(({ pinged }) => pinged), []);
  const audit = auditOf(sweep.path).filter(({ by }) => by === `discord:${alice.id}`);
  assert.ok(audit.some(({ event, name }) => event === "slash" && name === "alice"));
  for (const place of [sweep.read(".hyperherd/journal.jsonl"), output]) {
    assert.ok(!place.includes(discord.token));
  }
});

test("G.3.22: who may not act is refused in private and audited; bots and webhooks are not heard", async (t) => {
  const scene = await discordScene(t);
  const { discord, alice, sweep } = scene;
  const bob = discord.person("bob");
  const machine = discord.person("other-bot", { bot: true, manages: true });
  const hook = discord.person("hook", { webhook: true });
  scene.start();
  const channel = await scene.channel();
  await running(scene, 3);
  const looked = await discord.slash(bob, channel, "status");
  assert.equal(looked.ephemeral, false);
  for (const name of ["cancel_all", "run_all", "stop", "halt"]) {
    const answer = await discord.slash(bob, channel, name);
    assert.equal(answer.ephemeral, true, name);
    assert.match(answer.message()!.content, /Only members who may manage this channel/);
  }
  const direct = () =>
    [...discord.channels.values()].find(({ type, name }) => type === 1 && name === bob.id);
  const first = discord.say(bob, channel, `<@${discord.bot.id}> stop`);
  await scene.until(
    "he is told privately",
    () => direct() !== undefined && discord.messages(direct()!).length > 0,
  );
  assert.match(
    discord.messages(direct()!)[0]!.content,
    /^mnist: Only members who may manage this channel/,
  );
  assert.equal(first.reactions.size, 0);
  const second = discord.say(bob, channel, `<@${discord.bot.id}> stop`);
  await scene.until("🚫", () => second.reactions.has("🚫"));
  assert.equal(discord.messages(direct()!).length, 1, "no letter for each word");
  for (const by of [machine, hook]) {
    discord.say(by, channel, `<@${discord.bot.id}> stop`);
  }
  const asked = await discord.slash(alice, channel, "cancel_all");
  const click = await discord.click(bob, asked.message()!, "Yes, do it");
  assert.equal(click.ephemeral, true);
  const later = discord.say(alice, channel, "HerdDog: status");
  await scene.until("an answer", () => scene.posts().some(({ replyTo }) => replyTo === later.id));
  await running(scene, 3);
  const heard = eventsOf(sweep.path).flatMap(({ what }) =>
    what.type === "message-received" ? [what.message.from] : []
  );
  assert.deepEqual(heard, [`discord:${alice.id}`]);
  const refused = auditOf(sweep.path).filter(({ event }) => event === "refused");
  assert.ok(refused.length >= 6);
  assert.ok(refused.every(({ by, name }) => by === `discord:${bob.id}` && name === "bob"));
});

test("operators and viewers: roles and people, in slash commands, buttons and words alike", async (t) => {
  const role = "424242424242424242";
  const scene = await discordScene(t, { discordMore: `, operators: ["${role}"], viewers: ["1"]` });
  const { discord, alice } = scene;
  const carol = discord.person("carol", { roles: [role] });
  scene.start();
  const channel = await scene.channel();
  await running(scene, 3);
  const managing = await discord.slash(alice, channel, "status");
  assert.equal(managing.ephemeral, true, "to manage the channel is no right where there is a list");
  discord.say(alice, channel, "HerdDog: stop");
  await scene.until(
    "she is told privately",
    () => discord.calls.some(({ path }) => path === "/users/@me/channels"),
  );
  const halted = await discord.slash(carol, channel, "halt", { reason: "to see" });
  assert.match(halted.message()!.content, /Halted/);
  const board = () => scene.posts().find(isDashboard);
  await scene.until(
    "the dashboard offers to go on",
    () => JSON.stringify(board()?.components ?? "").includes("Continue"),
  );
  await discord.click(carol, board()!, "Continue");
  await scene.until("it goes on", () => /The sweep goes on/.test(scene.transcript()));
});

test("what is asked in a trial's thread is heard and answered there, also what the gateway lost", async (t) => {
  const scene = await discordScene(t);
  const { discord, alice } = scene;
  scene.start();
  const channel = await scene.channel();
  await running(scene, 3);
  const none = await discord.slash(alice, channel, "thread", { index: 7 });
  assert.match(none.message()!.content, /There is no trial 7/);
  const opened = await discord.slash(alice, channel, "thread", { index: 1 });
  await scene.until("the answer", () => opened.message() !== undefined);
  const thread = () => [...discord.channels.values()].find(({ type }) => type === 11)!;
  assert.equal(opened.message()!.content, `<#${thread().id}>`);
  assert.match(discord.messages(thread())[0]!.content, /epoch 1 loss=0\.5/);
  assert.match(thread().name, /^trial 1 · x-2/);
  const answers = (to: FakeMessage) =>
    [...discord.messages(thread()), ...scene.posts()].filter(({ replyTo }) => replyTo === to.id);

  const said = discord.say(alice, thread(), `<@${discord.bot.id}> status`);
  await scene.until("an answer", () => answers(said).length > 0);
  assert.deepEqual(answers(said).map(({ channelId }) => channelId), [thread().id]);

  const { faults } = discord.gateway;
  faults.fate = () => "lost";
  const lost = discord.say(alice, thread(), "HerdDog: status");
  faults.fate = () => "once";
  faults.refuseResume = true;
  discord.gateway.cut();
  await scene.until("an answer to what was lost", () => answers(lost).length > 0);
  assert.deepEqual(answers(lost).map(({ channelId }) => channelId), [thread().id]);
  assert.deepEqual(discord.violations, []);
});

test("an agent's answer grows in one message while it is written, and ends whole", async (t) => {
  const pieces = Array.from({ length: 12 }, (_, i) => `Sentence ${i} of the answer. `);
  const model = await startModelServer([
    {
      when: ({ text }) => text.includes("tell me all"),
      reply: { fault: "slow", pieces, everyMs: 400 },
    },
    { reply: { text: "Noted." }, times: Infinity },
  ]);
  t.after(() => model.close());
  const scene = await discordScene(t, {
    env: { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: "sk-ant-test" },
  });
  const { discord, alice } = scene;
  scene.start();
  const channel = await scene.channel();
  await running(scene, 3);
  discord.say(alice, channel, "HerdDog: tell me all about it");
  const part = () => scene.posts().find(({ content }) => content.includes("Sentence 0"));
  await scene.until("its beginning is shown", () => part() !== undefined);
  assert.ok(!part()!.content.includes("Sentence 11"));
  const { id } = part()!;
  await scene.until("its end is shown", () => part()!.content.includes("Sentence 11"));
  assert.equal(part()!.id, id);
  assert.ok(part()!.edits >= 2, `${part()!.edits} edits`);
  await scene.until(
    "it is written down",
    () =>
      eventsOf(scene.sweep.path).some(({ what }) =>
        what.type === "said" && what.said.text.includes("Sentence 11")
      ),
  );
  assert.equal(scene.posts().filter(({ content }) => content.includes("Sentence 0")).length, 1);
  assert.ok(discord.calls.some(({ path }) => path.endsWith("/typing")));
});

test("a thousand transitions within a minute: few posts, no limit run into, and every trial's fate is told", async (t) => {
  const count = 500;
  const scene = await discordScene(t, {
    name: "flood",
    launcher: "#!/bin/bash\nexit $(( RANDOM % 10 == 0 ))\n",
    yaml: (guild) =>
      `name: flood
launcher: ./launch.sh
scheduler: local
local: {slots: 64}
slurm: {partition: none, time: 5, mem: 50M}
discord: {guild_id: "${guild}", dashboard_refresh_seconds: 1}
monitor: {objective: none, rollout: [rest]}
remediation: {mode: notify}
grid: all
parameters:
  x: {type: discrete, values: [${Array.from({ length: count }, (_, i) => i).join(", ")}]}
`,
  });
  const { discord, sweep, home } = scene;
  discord.haste = 1;
  const began = Date.now();
  const monitor = scene.start();
  await scene.channel();
  const { code, output } = await monitor.ended;
  assert.equal(code, 0, output);
  const told = new Set<number>();
  for (const { content } of scene.posts()) {
    const lists = [
      ...content.matchAll(/^✅ \d+ trials completed \(([\d,-]+)\)/gmu),
      ...content.matchAll(/^- trials? ([\d,-]+): exit 1$/gm),
      // Where several waited for Discord, one tells of all.
      ...content.matchAll(/^- \d+ trials? (?:completed|failed): ([\d,-]+)$/gm),
      ...content.matchAll(/^(?:✅|⚠️) trial (\d+) (?:completed|failed)/gmu),
    ];
    for (const range of lists.flatMap(([, list]) => list!.split(","))) {
      const [from = NaN, to = from] = range.split("-").map(Number);
      for (let i = from; i <= to; i++) told.add(i);
    }
  }
  const { totals } = await statusOf(sweep.path, home.env);
  assert.equal(Number(totals["completed"]) + Number(totals["failed"]), count);
  assert.equal(told.size, count, scene.transcript());
  const limited = discord.calls.filter(({ status }) => status === 429).length;
  const seconds = (Date.now() - began) / 1000;
  t.diagnostic(
    `${2 * count} transitions in ${Math.round(seconds)} s: ${scene.posts().length} posts, ` +
      `${discord.calls.length} requests, ${limited} answered 429`,
  );
  assert.ok(scene.posts().length < 100, `${scene.posts().length} posts`);
  assert.ok(discord.calls.length < 10 * seconds + 100, `${discord.calls.length} requests`);
  assert.ok(limited <= 3, `${limited} answered 429`);
  assert.deepEqual(discord.violations, []);
});

test("the gateway is cut again and again, events are doubled, late and lost: every word is heard once", async (t) => {
  const scene = await discordScene(t);
  const { discord, alice, sweep } = scene;
  scene.start();
  const channel = await scene.channel();
  await running(scene, 3);
  const { gateway } = discord;
  const fates = ["once", "twice", "late", "lost", "once"] as const;
  let n = 0;
  gateway.faults.fate = (name) => name === "MESSAGE_CREATE" ? fates[n++ % fates.length]! : "once";
  const words: FakeMessage[] = [];
  for (let i = 0; i < CUTS; i++) {
    words.push(discord.say(alice, channel, "HerdDog: status"));
    gateway.faults.refuseResume = i % 3 === 0;
    if (i % 2 === 0) gateway.cut(i % 4 === 0 ? undefined : 4000);
    else gateway.askToReconnect();
    words.push(discord.say(alice, channel, "HerdDog: status"));
    const before = gateway.counts.resumed + gateway.counts.identified;
    await scene.until(
      "it is back",
      () => gateway.counts.resumed + gateway.counts.identified > before,
      PATIENCE_MS,
    );
  }
  gateway.faults.fate = () => "once";
  gateway.faults.refuseResume = false;
  // What the gateway lost is read when it says "ready" the next time.
  gateway.faults.refuseResume = true;
  gateway.cut();
  await scene.until(
    "all are seen",
    () => words.every(({ reactions }) => reactions.has("👀")),
    PATIENCE_MS,
  );
  const answered = () =>
    words.map(({ id }) => scene.posts().filter(({ replyTo }) => replyTo === id).length);
  await scene.until("all are answered", () => answered().every((count) => count > 0), PATIENCE_MS);
  const heard = eventsOf(sweep.path).flatMap(({ what }) =>
    what.type === "message-received" ? [what.message.id] : []
  );
  assert.equal(new Set(heard).size, words.length);
  assert.equal(heard.length, words.length, "none twice");
  assert.deepEqual(delivered(scene).doubled, []);
});

test("REST fails after success, breaks, and limits every route: nothing is doubled and nothing is lost", async (t) => {
  const scene = await discordScene(t, { values: ["1", "2", "3", "4", "5", "6"] });
  const { discord, sweep } = scene;
  let n = 0;
  discord.fault = ({ method, path }) => {
    if (method === "GET" && !/messages/.test(path)) return undefined;
    switch (n++ % 6) {
      case 0:
        return { kind: "status", status: 502, when: "after" };
      case 1:
        return { kind: "drop", when: "after" };
      case 2:
        return { kind: "limit", seconds: 0.05, scope: n % 12 === 2 ? "global" : "user" };
      case 3:
        return { kind: "status", status: 503, when: "before" };
      default:
        return undefined;
    }
  };
  const monitor = scene.start();
  await scene.channel();
  await running(scene, 4);
  sweep.write("go", "");
  const { code, output } = await monitor.ended;
  assert.equal(code, 0, output);
  assert.deepEqual((await statusOf(sweep.path, scene.home.env)).totals, { total: 6, completed: 6 });
  discord.fault = () => undefined;
  // The daemon has a few seconds for its last words; what is left is said by the next one.
  const next = scene.start();
  await scene.until("everything is told", () => delivered(scene).missing.length === 0);
  next.kill("SIGTERM");
  await next.ended;
  assert.deepEqual(delivered(scene).doubled, []);
  assert.equal([...discord.channels.values()].length <= 2, true);
});

test("Discord is away from the start: the sweep runs, and all is told when it is back", async (t) => {
  const scene = await discordScene(t, { launcher: "#!/bin/bash\necho ok\n" });
  const { discord, sweep, home } = scene;
  let away = true;
  discord.gateway.faults.refuse = true;
  discord.fault = () => away ? { kind: "drop", when: "before" } : undefined;
  const first = scene.start();
  const { code, output } = await first.ended;
  assert.equal(code, 0, output);
  assert.deepEqual((await statusOf(sweep.path, home.env)).totals, { total: 3, completed: 3 });
  assert.equal(discord.channels.size, 0);
  away = false;
  discord.gateway.faults.refuse = false;
  sweep.write(
    "hyperherd.yaml",
    sweep.read("hyperherd.yaml").replace("values: [1, 2, 3]", "values: [1, 2, 3, 4]"),
  );
  const second = scene.start();
  await scene.channel();
  assert.equal((await second.ended).code, 0, second.output());
  assert.match(scene.transcript(), /4 completed/);
  assert.deepEqual(delivered(scene).doubled, []);
});

test("a channel that is deleted comes again, a permission that is withdrawn is named, a token that is revoked is told", async (t) => {
  const scene = await discordScene(t);
  const { discord, alice, sweep, home } = scene;
  const monitor = scene.start();
  const first = await scene.channel();
  await running(scene, 3);
  discord.deleteChannel(first);
  await scene.until("a new channel with a dashboard", () => scene.posts().some(isDashboard));
  const channel = await scene.channel();
  assert.notEqual(channel.id, first.id);
  const said = discord.say(alice, channel, "HerdDog: status");
  await scene.until(
    "an answer there",
    () => scene.posts().some(({ replyTo }) => replyTo === said.id),
  );

  discord.permit("ADD_REACTIONS", false);
  const unseen = discord.say(alice, channel, "HerdDog: status");
  await scene.until(
    "heard without 👀",
    () => scene.posts().some(({ replyTo }) => replyTo === unseen.id),
  );
  assert.equal(unseen.reactions.size, 0);
  discord.permit("SEND_MESSAGES", false);
  const silent = discord.say(alice, channel, "HerdDog: status");
  await scene.until(
    "it is stored",
    () =>
      eventsOf(sweep.path).some(({ what }) =>
        what.type === "messages-handled" && what.ids.includes(`discord:${silent.id}`)
      ),
  );
  discord.permit("SEND_MESSAGES", true);
  await scene.until(
    "it is answered when it may",
    () => scene.posts().some(({ replyTo }) => replyTo === silent.id),
    90_000,
  );

  discord.revokeToken();
  discord.gateway.cut(4004);
  await scene.until(
    "the journal says it",
    () =>
      eventsOf(sweep.path).some(({ what }) =>
        // Rights that were missing are in it already.
        what.type === "peripheral-health" && !what.ok && what.detail.includes("token")
      ),
  );
  const status = await herd(["status", sweep.path], { env: home.env });
  assert.match(status.stderr, /Discord has been out for .*Discord refuses the bot token/);
  const log = readFileSync(join(home.env["XDG_STATE_HOME"]!, "herd/herd.log"), "utf8");
  assert.match(log, /Discord refuses the bot token/);
  sweep.write("go", "");
  const { code } = await monitor.ended;
  assert.equal(code, 0, monitor.output());
  assert.deepEqual((await statusOf(sweep.path, home.env)).totals, { total: 3, completed: 3 });
});

test("each permission is withdrawn in turn: the sweep goes on, what was said is said when it may be", async (t) => {
  const scene = await discordScene(t);
  const { discord, alice, sweep, home } = scene;
  const monitor = scene.start();
  const channel = await scene.channel();
  await running(scene, 3);
  await scene.until("there is a dashboard", () => scene.posts().some(isDashboard));
  const answered = ({ id }: FakeMessage) => () =>
    [...discord.messages(channel)].some(({ replyTo }) => replyTo === id);
  const names = [
    "EMBED_LINKS",
    "ATTACH_FILES",
    "ADD_REACTIONS",
    "CREATE_PUBLIC_THREADS",
    "SEND_MESSAGES_IN_THREADS",
    "PIN_MESSAGES",
    "MANAGE_CHANNELS",
    "READ_MESSAGE_HISTORY",
    "SEND_MESSAGES",
    "VIEW_CHANNEL",
  ] as const;
  for (const name of names) {
    discord.permit(name, false);
    const said = discord.say(alice, channel, `<@${discord.bot.id}> status`);
    const silenced = name === "SEND_MESSAGES" || name === "VIEW_CHANNEL";
    if (!silenced) await scene.until(`an answer without ${name}`, answered(said));
    assert.equal((await statusOf(sweep.path, home.env)).totals["running"], 3, name);
    discord.permit(name, true);
    await scene.until(`an answer with ${name} again`, answered(said), 90_000);
  }

  discord.messageContent(false);
  discord.gateway.cut();
  const { faults } = discord.gateway;
  faults.refuseResume = true;
  const mention = discord.say(alice, channel, `<@${discord.bot.id}> status`);
  await scene.until("a mention is heard without MESSAGE CONTENT", answered(mention), 90_000);
  sweep.write("go", "");
  const { code } = await monitor.ended;
  assert.equal(code, 0, monitor.output());
  const { missing, doubled } = delivered(scene);
  assert.deepEqual({ missing, doubled }, { missing: [], doubled: [] });
  assert.equal(scene.posts().filter(isDashboard).length, 1);
  assert.match(monitor.output(), /MESSAGE CONTENT INTENT/);
});

test("what words would end waits for a yes, which is a button", async (t) => {
  const scene = await discordScene(t);
  const { discord, alice } = scene;
  scene.start();
  const channel = await scene.channel();
  await running(scene, 3);
  for (const words of ["cancel all trials", "/cancel_all"]) {
    const said = discord.say(alice, channel, `HerdDog: ${words}`);
    await scene.until("an answer", () => scene.posts().some(({ replyTo }) => replyTo === said.id));
    const answer = scene.posts().find(({ replyTo }) => replyTo === said.id)!;
    assert.match(answer.content, /Not done yet: say "yes [\w-]+" to stop all 3 live trials/, words);
    await running(scene, 3);
  }
  const asked = () =>
    scene.posts().find(({ components }) => JSON.stringify(components).includes("Yes, do it"));
  await scene.until("a question with buttons", () => asked() !== undefined);
  await discord.click(alice, asked()!, "Yes, do it");
  await scene.until("they are stopped", () => /3 trials cancelled/.test(scene.transcript()));
  const table = discord.say(alice, channel, "HerdDog: /status");
  await scene.until("a table", () => scene.posts().some(({ replyTo }) => replyTo === table.id));
  const status = scene.posts().find(({ replyTo }) => replyTo === table.id)!;
  assert.match(status.content, /^🐕\n```\n[^]*```$/);
});

test("what is wrong with Discord is told by its true name, at the time, and no longer than it lasts", async (t) => {
  const scene = await discordScene(t);
  const { discord, alice, sweep, home } = scene;
  const first = scene.start();
  const channel = await scene.channel();
  await running(scene, 3);
  const health = (name: "discord" | "discord-rights") =>
    eventsOf(sweep.path).flatMap(({ what }) =>
      what.type === "peripheral-health" && what.name === name ? [what] : []
    ).at(-1);

  discord.permit("PIN_MESSAGES", false);
  discord.permit("ATTACH_FILES", false);
  await scene.until("missing rights are told", () => health("discord-rights")?.ok === false);
  assert.match(health("discord-rights")!.detail, /"Attach Files".*"Pin Messages"/);
  const status = await herd(["status", sweep.path], { env: home.env });
  assert.match(status.stderr, /Something is missing in Discord, for .*"Attach Files"/);
  const api = await herd(["api", "sweeps/mnist"], { env: home.env });
  assert.equal(JSON.parse(api.stdout).peripherals["discord-rights"].ok, false);
  discord.permit("PIN_MESSAGES", true);
  discord.permit("ATTACH_FILES", true);
  await scene.until("that is over", () => health("discord-rights")?.ok === true);

  // Answers that are none: nobody is refused for them, and nothing that was said is lost.
  const said: FakeMessage[] = [];
  for (const body of ["<html>Please log in</html>", "", "null", "[{}]", "x".repeat(20_000_000)]) {
    discord.fault = ({ path }) =>
      /^\/(guilds|channels)\/\d+$|\/members\//.test(path) ? { kind: "nonsense", body } : undefined;
    discord.permit("ATTACH_FILES", true);
    said.push(discord.say(alice, channel, "HerdDog: status"));
    await new Promise((next) => setTimeout(next, 300));
  }
  discord.fault = () => undefined;
  discord.permit("ATTACH_FILES", true);
  await scene.until(
    "all are answered",
    () => said.every(({ id }) => scene.posts().some(({ replyTo }) => replyTo === id)),
    90_000,
  );
  assert.ok(said.every(({ reactions }) => reactions.has("👀") && !reactions.has("🚫")));

  discord.permit("SEND_MESSAGES", false);
  await herd(["api", "sweeps/mnist/messages", "-d", '{"text": "status"}'], { env: home.env });
  first.kill("SIGKILL");
  await first.ended;
  scene.start();
  await scene.until(
    "it is told in the next life",
    () => health("discord-rights")?.ok === false,
    90_000,
  );
  discord.permit("SEND_MESSAGES", true);
  await scene.until("that is over as well", () => health("discord-rights")?.ok === true, 90_000);
  await scene.until("and all is well", () => health("discord")?.ok !== false, 90_000);
  const after = await herd(["status", sweep.path], { env: home.env });
  assert.doesNotMatch(after.stderr, /Discord/);
});

test("killed and started again: one dashboard, buttons that work, no answer lost or doubled", async (t) => {
  const scene = await discordScene(t);
  const { discord, alice, sweep } = scene;
  let monitor = scene.start();
  const channel = await scene.channel();
  await running(scene, 3);
  const asked = await discord.slash(alice, channel, "cancel", { indices: "0-1" });
  const words: FakeMessage[] = [];
  for (let i = 0; i < KILLS; i++) {
    words.push(discord.say(alice, channel, "HerdDog: status"));
    await new Promise((next) => setTimeout(next, (i * 137) % 400));
    monitor.kill("SIGKILL");
    await monitor.ended;
    words.push(discord.say(alice, channel, "HerdDog: status"));
    monitor = scene.start();
  }
  const answers = () =>
    words.map(({ id }) => scene.posts().filter(({ replyTo }) => replyTo === id).length);
  await scene.until("all are answered", () => answers().every((count) => count > 0), PATIENCE_MS);
  assert.deepEqual(answers(), words.map(() => 1));
  assert.deepEqual(delivered(scene), { missing: [], doubled: [] });
  await scene.until("one dashboard", () => scene.posts().filter(isDashboard).length === 1);
  assert.equal([...discord.channels.values()].filter(({ type }) => type === 0).length, 1);
  await discord.click(alice, asked.message()!, "Yes, do it");
  await scene.until(
    "the old button works",
    () => /alice: Stopped trials 0-1/.test(asked.message()!.content),
  );
  sweep.write("go", "");
  assert.equal((await monitor.ended).code, 0, monitor.output());
});

test("herd discord check names what is wrong and prints the invite link", async (t) => {
  const scene = await discordScene(t);
  const { discord, sweep, home } = scene;
  const check = (env: Record<string, string> = {}) =>
    herd(["discord", "check", sweep.path], { env: { ...home.env, ...env } });
  const well = await check();
  assert.equal(well.code, 0, well.stdout + well.stderr);
  assert.match(well.stdout, /Server "lab" is visible/);
  assert.match(
    well.stdout,
    /https:\/\/discord\.com\/oauth2\/authorize\?client_id=\d+&permissions=\d+&scope=bot\+applications\.commands/,
  );
  const missing = await check({ DISCORD_BOT_TOKEN: "" });
  assert.equal(missing.code, 1);
  assert.match(missing.stdout, /DISCORD_BOT_TOKEN is not in the environment/);
  const refused = await check({ DISCORD_BOT_TOKEN: "not.a.token" });
  assert.match(refused.stdout, /Discord refuses the bot token/);
  discord.messageContent(false);
  discord.permit("MANAGE_CHANNELS", false);
  const doubts = await check();
  assert.match(doubts.stdout, /MESSAGE CONTENT INTENT is off/);
  assert.match(
    doubts.stdout,
    /lacks the permission "Manage Channels" .*discord\.channel_id still works/,
  );
  discord.guild.members.delete(discord.bot.id);
  const unseen = await check();
  assert.equal(unseen.code, 1);
  assert.match(unseen.stdout, /The bot cannot see server "\d+": it has not been invited/);
  const json = await herd(["discord", "check", sweep.path, "--json"], { env: home.env });
  assert.equal(JSON.parse(json.stdout).ok, false);
  for (const said of [well, missing, refused, doubts, unseen]) {
    assert.ok(!(said.stdout + said.stderr).includes(discord.token));
  }
});
