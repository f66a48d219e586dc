import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { poolDiscordScene } from "../support/pool-discord-scene.ts";

const signed = (message: { reactions: Map<string, string[]> }, sign: string) => () =>
  message.reactions.has(sign);

test("each slash command of the pool does it for whoever may, and refuses whoever may not", async (t) => {
  const scene = await poolDiscordScene(t);
  const { discord, pool, alice, mallory } = scene;
  await scene.daemon();
  const lobby = discord.makeChannel("lobby");
  pool.worker("--slots", "2");
  await scene.until("it works", async () => {
    const { stdout } = await pool.run("pool", "status", "--json");
    return /"READY"|"IDLE"/.test(stdout);
  });
  const ask = async (name: string, options: Parameters<typeof discord.slash>[3] = {}) => {
    const answer = await discord.slash(alice, scene.queue(), name, options);
    return answer.message()!.content;
  };
  const tasks = async () => (await pool.tasks()).length;

  const before = await tasks();
  const all: [string, Parameters<typeof discord.slash>[3]][] = [
    ["task submit", { text: "mine bitcoin" }],
    ["task list", {}],
    ["task show", { id: "t1" }],
    ["task cancel", { id: "t1" }],
    ["task retry", { id: "t1" }],
    ["pool status", {}],
    ["pool drain", { worker: "worker-1" }],
    ["pool resume", { worker: "worker-1" }],
    ["pool resume", {}],
    ["pool stop", {}],
    ["pool stop", { now: true }],
    ["pool enrol", { name: "mallory" }],
    ["cost", {}],
    ["models", {}],
  ];
  for (const [name, options] of all) {
    const answer = await discord.slash(mallory, lobby, name, options);
    assert.equal(answer.ephemeral, true, `/${name} is answered in private`);
    assert.match(answer.message()!.content, /Only |There is no task/, `/${name}`);
    assert.doesNotMatch(answer.message()!.content, /herd worker --code/);
  }
  assert.equal(await tasks(), before, "nothing was submitted");
  assert.equal(pool.events().some(({ what }) => what.type === "pool-stopped"), false);
  const refused = pool.audit().filter(({ event }) => event === "refused").length;
  assert.ok(refused >= 10, `${refused} refusals are audited`);

  assert.match(await ask("task submit", { text: "say hello", thinking: "low" }), /is stored/);
  await scene.until("its result", () => /did: say hello/.test(scene.text("results")));
  const [first] = await pool.tasks();
  assert.match(await ask("task list"), new RegExp(first!.task));
  assert.match(await ask("task show", { id: first!.task }), /succeeded[^]*did: say hello/);
  assert.match(await ask("task retry", { id: first!.task }), /has succeeded/);
  await ask("task submit", { text: "please fail", key: "f" });
  await scene.until(
    "it failed",
    async () => (await pool.tasks()).some(({ status }) => status === "failed"),
  );
  const failed = (await pool.tasks()).find(({ status }) => status === "failed")!;
  assert.match(await ask("task retry", { id: failed.task }), /offered again/);
  await ask("task submit", { text: "wait for ever" });
  await scene.until(
    "it runs",
    async () => (await pool.tasks()).some(({ status }) => status === "running"),
  );
  const running = (await pool.tasks()).find(({ status }) => status === "running")!;
  const theirs = await discord.slash(mallory, scene.queue(), "task cancel", { id: running.task });
  assert.equal(theirs.ephemeral, true);
  assert.match(await ask("task cancel", { id: running.task, why: "enough" }), /cancelled/);
  await scene.until("it is", async () => (await pool.task(running.task)).status === "cancelled");

  assert.match(await ask("pool status"), /worker-1/);
  assert.match(await ask("pool drain", { worker: "worker-1" }), /takes nothing new/);
  await scene.until("it drains", () => /DRAINING/.test(scene.text("worker-pool")));
  assert.match(await ask("pool resume", { worker: "worker-1" }), /takes tasks again/);
  assert.match(await ask("pool stop", { why: "lunch" }), /No new work begins/);
  await ask("task submit", { text: "after lunch" });
  assert.match(await ask("pool resume"), /goes on/);
  await scene.until(
    "it was held back and is done",
    () => /did: after lunch/.test(scene.text("results")),
  );
  const enrol = await discord.slash(alice, scene.queue(), "pool enrol", { name: "gpu-1" });
  assert.equal(enrol.ephemeral, true);
  const code = /--code (\S+)/.exec(enrol.message()!.content)?.[1];
  assert.ok(code, enrol.message()!.content);
  assert.equal(
    discord.messages(scene.queue()).some(({ content }) => content.includes(code!)),
    false,
  );
  assert.match(await ask("cost", { by: "model" }), /echo .*\$0\.00/);
  assert.match(await ask("models"), /echo/);

  await ask("task submit", { text: "wait here" });
  await scene.until(
    "it runs",
    async () => (await pool.tasks()).some(({ status }) => status === "running"),
  );
  const stop = await discord.slash(alice, scene.queue(), "pool stop", { now: true });
  const question = stop.message()!;
  assert.match(question.content, /Do it\?/);
  const pressed = await discord.click(mallory, question, "Yes, stop everything");
  assert.notEqual(pressed.message()?.id, question.id, "she may not");
  assert.equal(pool.events().some(({ what }) => what.type === "pool-stopped" && what.now), false);
  await discord.click(alice, question, "Yes, stop everything");
  await scene.until(
    "every agent is ended",
    async () => (await pool.tasks()).every(({ status }) => status !== "running"),
  );
  assert.deepEqual(discord.violations, []);
});

test("a message that is edited before somebody has it is revised, after that it is not; deleting cancels", async (t) => {
  const scene = await poolDiscordScene(t);
  const { discord, pool, alice } = scene;
  await scene.daemon();
  const [revised, deleted, wrong] = ["first words", "not wanted", "x [model:nobody]"]
    .map((text) => scene.say(alice, text));
  await scene.until("they are stored", signed(revised!, "👀"));
  await scene.until("that one, too", signed(deleted!, "👀"));
  await scene.until("one is refused", signed(wrong!, "❌"));
  discord.editMessage(revised!, "second words");
  discord.editMessage(wrong!, "better words");
  discord.deleteMessage(deleted!);
  await scene.until(
    "it is cancelled",
    async () => (await pool.task(`discord-${deleted!.id}`)).status === "cancelled",
  );
  await scene.until("the mended one is a task", signed(wrong!, "👀"));
  pool.worker("--slots", "2");
  await scene.until("the second words", () => /did: second words/.test(scene.text("results")));
  await scene.until("the mended", () => /did: better words/.test(scene.text("results")));
  assert.doesNotMatch(scene.text("results"), /first words/);

  const late = scene.say(alice, "wait with these words");
  await scene.until("it runs", async () =>
    existsSync(pool.path("runs")) &&
    (await pool.tasks()).some(({ task, status }) =>
      task === `discord-${late.id}` && status === "running"
    ));
  discord.editMessage(late, "wait with other words");
  const after = scene.say(alice, "after the edit");
  await scene.until("the edit was heard before that", signed(after, "👀"));
  writeFileSync(pool.path("go"), "");
  await scene.until("its result", () => /did: wait with these words/.test(scene.text("results")));
  assert.doesNotMatch(scene.text("results"), /other words/);
  assert.deepEqual(discord.violations, []);
});

test("F.10.6: hostile tasks change nothing and ping nobody", async (t) => {
  const scene = await poolDiscordScene(t);
  const { discord, pool, alice, mallory } = scene;
  await scene.daemon();
  pool.worker("--slots", "4");
  const stranger = discord.person("some webhook", { webhook: true, bot: true });
  const owned = pool.path("owned");
  const hostile = [
    `$(touch ${owned}) \`touch ${owned}\` ; touch ${owned} & touch ${owned} || touch ${owned}`,
    `a | touch ${owned} | b`,
    `back \\ slashes \\\\ and \\"quotes\\" 'single' "double"`,
    "long ".repeat(799) + "end!",
    "@everyone @here <@1> <@&2> <#3>",
    "```sh\nopen fence\n~~~\n````",
    `{"task":"discord-1","epoch":1,"committed":true,"assign":[],"stop":true}`,
    "[key:__proto__] constructor",
    "\u202eright to left\u0007 bell \u001b[31mred",
    "please ping them",
  ];
  const said = hostile.map((text) => scene.say(alice, text));
  const refused = [
    "[thinking:low; rm -rf ~] x",
    "[model:echo; ls] x",
    "[worker:../../etc] x",
    "[timeout:-1] x",
  ]
    .map((text) => scene.say(alice, text));
  const foreign = [
    scene.say(mallory, "mine bitcoin"),
    scene.say(stranger, `{"worker":"worker-1","incarnation":"x","attempts":[]}`),
  ];
  for (const one of said) {
    await scene.until(`done: ${one.content.slice(0, 40)}`, signed(one, "✅"));
    const { result } = await pool.task(`discord-${one.id}`);
    assert.ok(
      result?.startsWith("did: ") || one.content.includes("ping"),
      `${result}`.slice(0, 60),
    );
    if (!/\[key:/.test(one.content)) {
      assert.ok(result!.includes(`did: ${one.content.trim()}`), "the agent got it as it was said");
    }
  }
  for (const one of refused) await scene.until(`refused: ${one.content}`, signed(one, "❌"));
  await scene.until("mallory is refused", signed(foreign[0]!, "🚫"));
  assert.equal((await pool.tasks()).length, hostile.length);
  assert.match(scene.text("task-queue"), /thinking: found "low; rm[^]*valid is "off"/);
  assert.equal(existsSync(owned), false, "nothing of a task reached a shell");
  for (const channel of discord.channels.values()) {
    const own = discord.messages(channel).filter(({ author }) => author.id === discord.bot.id);
    assert.deepEqual(own.flatMap(({ pinged }) => pinged), [], channel.name);
    for (const { content } of own) {
      assert.equal((content.split("```").length - 1) % 2, 0, `a fence stays open in:\n${content}`);
    }
  }
  const runs = readFileSync(pool.path("runs"), "utf8").trim().split("\n");
  assert.equal(new Set(runs).size, hostile.length);
  assert.equal(runs.length, hostile.length, "each ran once");
  assert.deepEqual(discord.violations, []);
});
