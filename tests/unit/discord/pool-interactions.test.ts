import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import type { Interaction } from "../../../lib/discord/gateway-event.ts";
import { brokenLimit } from "../../support/broken-limit.ts";
import { poolDefinitions } from "../../../lib/discord/pool-commands.ts";
import { readEvent } from "../../../lib/discord/read-event.ts";
import { slashDefinitions } from "../../../lib/discord/slash-definitions.ts";
import { writeCommand } from "../../../lib/discord/write-command.ts";
import { BOT, channel, GUILD } from "../../support/discord-rest.ts";
import type { Kept } from "../../support/discord-rest.ts";
import { checkChoices, checkCommands } from "../../support/discord/limits.ts";
import { openApiCheck } from "../../support/discord/openapi-check.ts";
import { withPool } from "../../support/pool-scene.ts";
import type { PoolScene } from "../../support/pool-scene.ts";
import { POOL_CONFIG } from "../../support/scripted-pool-desk.ts";

const ALICE = "1";
const OPERATOR = "2";
const EVE = "3";
const CLI = { kind: "cli", by: "cli:bob", name: "bob" } as const;

test("the pool's commands fit Discord's limits and its description, beside all others", () => {
  const models = Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => [`model-${i}`, POOL_CONFIG.models["coder"]!]),
  );
  for (const config of [POOL_CONFIG, { models: {} }, { models }]) {
    const own = poolDefinitions(config);
    const all = [...slashDefinitions(), ...own].map(writeCommand);
    checkCommands(all as Record<string, unknown>[]);
    const path = "/applications/1/guilds/2/commands";
    assert.equal(openApiCheck()?.check("PUT", path, JSON.parse(JSON.stringify(all))), undefined);
  }
  const [task] = poolDefinitions(POOL_CONFIG);
  const submit = task!.subcommands!.find(({ name }) => name === "submit")!;
  const choices = (name: string) =>
    submit.options.find((one) => one.name === name)!.choices!.map(({ value }) => value);
  assert.deepEqual(choices("model"), ["coder", "cheap"]);
  assert.deepEqual(choices("thinking"), ["off", "low", "medium", "high"]);
});

test("a subcommand comes over the wire with its name and its options", () => {
  const [event] = readEvent("INTERACTION_CREATE", {
    id: "80000000000000000",
    token: "t",
    application_id: "9",
    channel_id: "5",
    member: { user: { id: "1", username: "alice" }, roles: [] },
    type: 2,
    data: {
      name: "task",
      options: [{ type: 1, name: "show", options: [{ type: 3, name: "id", value: "t1" }] }],
    },
  })!;
  assert.ok(event?.type === "interaction" && event.interaction.kind === "command");
  assert.deepEqual(
    [event.interaction.name, event.interaction.sub, event.interaction.options],
    ["task", "show", { id: "t1" }],
  );
});

test("what is no command or button of the pool is left to others", () =>
  withPool((scene) => {
    const common = { id: "1", token: "t" };
    const others = [
      { kind: "command", name: "status", options: {} },
      { kind: "button", button: "herd1:refresh:abc123" },
      { kind: "button", button: "of another program" },
    ];
    for (const one of others) {
      const interaction = { ...common, ...one } as unknown as Interaction;
      assert.equal(scene.pool.handlePoolInteraction(interaction), false);
    }
    assert.deepEqual(scene.answers, []);
    return Promise.resolve();
  }));

test("/task submit stores, says so, and answers in the end where it was asked", () =>
  withPool(async (scene) => {
    scene.discord.channels.set("77", channel("77", "lab"));
    const options = { text: "count [thinking:low]", model: "cheap", thinking: "high", key: "k" };
    const answer = await scene.command("task", "submit", options, { channelId: "77", id: "6001" });
    assert.match(answer.content!, /👀 Task `discord-6001` is stored; its end is told here and/);
    const task = scene.desk.state().tasks.get("discord-6001")!;
    assert.deepEqual([task.wish.model, task.wish.thinking, task.wish.text], [
      "cheap",
      "high",
      "count",
    ]);
    // Told twice, it is one task.
    const again = await scene.command("task", "submit", options, { channelId: "77", id: "6001" });
    assert.match(again.content!, /is there already and is queued/);
    const worker = scene.desk.worker("w1");
    worker.beat();
    worker.end("discord-6001", { result: "42" });
    await scene.pass(5_000);
    assert.match(scene.discord.texts("77").at(-1)!, /\[SUCCESS\][\s\S]*42/);
    assert.equal(scene.audit.filter(({ event }) => event === "pool-slash").length, 2);
  }));

test("/task submit refuses what is no task, and whoever is no author", () =>
  withPool(async (scene) => {
    const wrong = await scene.command("task", "submit", { text: "[model:gpt9] x" });
    assert.match(wrong.content!, /There is no model "gpt9": known are coder, cheap/);
    const foreign = await scene.command("task", "submit", { text: "x" }, { user: EVE });
    assert.match(foreign.content!, /Only the authors of this pool/);
    assert.equal(foreign.ephemeral, true);
    assert.equal(scene.desk.state().tasks.size, 0);
    assert.deepEqual(scene.audit.map(({ event }) => event), ["refused"]);
    scene.desk.broken = new UserError("Cannot write the journal: the disk is full");
    const full = await scene.command("task", "submit", { text: "x" });
    assert.match(full.content!, /That did not work: Cannot write the journal: the disk is full/);
  }));

test("authors cancel and retry their own tasks, operators everybody's", () =>
  withPool(async (scene) => {
    await scene.command("task", "submit", { text: "mine" }, { id: "6001" });
    scene.desk.submit("bob's", {}, CLI);
    const theirs = await scene.command("task", "cancel", { id: "t1" });
    assert.match(theirs.content!, /That task is of bob.* Only the operators/);
    assert.equal(scene.desk.state().tasks.size, 2);
    const other = "t1";
    const mine = await scene.command("task", "cancel", { id: "discord-6001" });
    assert.match(mine.content!, /🛑 Task `discord-6001` is cancelled/);
    const again = await scene.command("task", "retry", { id: "discord-6001" });
    assert.match(again.content!, /🔁 Task `discord-6001` is offered again/);
    const operator = await scene.command("task", "cancel", { id: other }, { user: OPERATOR });
    assert.match(operator.content!, /is cancelled/);
    const none = await scene.command("task", "cancel", { id: "nothing" }, { user: OPERATOR });
    assert.match(none.content!, /There is no task `nothing`/);
    const over = await scene.command("task", "cancel", { id: other }, { user: OPERATOR });
    assert.match(over.content!, /is cancelled already/);
  }));

test("/task list and show fit, are private, and are for who may see the pool", () =>
  withPool(async (scene) => {
    for (let i = 0; i < 200; i++) {
      scene.desk.submit(`task ${i} ${"`@everyone".repeat(40)}`, {}, CLI);
    }
    const worker = scene.desk.worker("w1");
    worker.beat();
    worker.end("t1", { end: "failed", cause: "no disk", result: "x\n```".repeat(900) });
    const list = await scene.command("task", "list");
    assert.match(list.content!, /… and \d+ more tasks$/);
    assert.match((await scene.command("task", "list", { status: "failed" })).content!, /^❌ `t1`/);
    const shown = await scene.command("task", "show", { id: "t1" });
    assert.match(shown.content!, /❌ \*\*failed\*\* `t1`[\s\S]*attempt 1 on `w1`: failed/);
    for (const one of [list, shown]) {
      assert.equal(one.ephemeral, true);
      assert.equal(brokenLimit(one), undefined);
    }
    // Who sees a channel of the pool may look there, and nowhere else.
    const there = await scene.command("task", "list", {}, { user: EVE });
    assert.match(there.content!, /`t200`/);
    const elsewhere = await scene.command("task", "list", {}, { user: EVE, channelId: "77" });
    assert.match(elsewhere.content!, /Only who sees the pool's channels/);
  }));

test("/pool status, /models and /cost answer from the desk", () =>
  withPool(async (scene) => {
    const worker = scene.desk.worker("w1");
    scene.desk.submit("one", {}, CLI);
    worker.beat();
    worker.beat();
    const status = await scene.command("pool", "status");
    assert.match(
      status.content!,
      /\*\*\[CLAIMED\]\*\* `w1` · heard <t:\d+:R> · `t1` \(tool bash\)/,
    );
    const models = await scene.command("models", undefined);
    assert.match(
      models.content!,
      /`coder`: `main\/big-1`, \$1 in, \$5 out.* · the usual one · code/,
    );
    assert.match(models.content!, /`cheap`: `main\/small-1`, free/);
    const cost = await scene.command("cost", undefined, { by: "model", days: 30 });
    assert.equal(cost.content, "```\ncost by model of 30 days\n```");
  }));

test("drain, resume and stop are for operators, and work", () =>
  withPool(async (scene) => {
    scene.desk.worker("w1");
    for (
      const [sub, options] of [
        ["drain", { worker: "w1" }],
        ["resume", {}],
        ["stop", {}],
        [
          "stop",
          { now: true },
        ],
        ["enrol", { name: "w2" }],
        ["scale", { slurm: 2 }],
      ] as const
    ) {
      const refused = await scene.command("pool", sub, options);
      assert.match(refused.content!, /Only the operators of this pool/, sub);
      assert.equal(refused.rows, undefined);
    }
    const as = { user: OPERATOR };
    assert.match(
      (await scene.command("pool", "drain", { worker: "w1" }, as)).content!,
      /nothing new/,
    );
    assert.equal(scene.desk.state().workers.get("w1")!.draining, true);
    await scene.command("pool", "resume", { worker: "w1" }, as);
    assert.equal(scene.desk.state().workers.get("w1")!.draining, false);
    await scene.command("pool", "stop", { why: "maintenance" }, as);
    assert.equal(scene.desk.state().stopped?.why, "maintenance");
    assert.match((await scene.command("pool", "resume", {}, as)).content!, /goes on/);
    assert.match((await scene.command("pool", "resume", {}, as)).content!, /is not stopped/);
    assert.match(
      (await scene.command("pool", "drain", { worker: "nobody" }, as)).content!,
      /There is no worker "nobody"/,
    );
  }));

test("an operator scales the pool's workers in SLURM", () =>
  withPool(async (scene) => {
    const as = { user: OPERATOR };
    const say = async (options: Record<string, string | number>) =>
      (await scene.command("pool", "scale", options, as)).content!;
    assert.match(await say({ slurm: 4, partition: "cpu" }), /4 workers are kept in SLURM/);
    const { least, most, partition } = scene.desk.state().scale!;
    assert.deepEqual([least, most, partition], [4, 4, "cpu"]);
    assert.match(await say({ min: 0, max: 8 }), /0 to 8 workers/);
    assert.match(await say({ slurm: 0 }), /finish what they have and end/);
    assert.match(await say({}), /Say how many/);
    assert.match(await say({ min: 5, max: 2 }), /the least is 5 and the most is 2/);
    assert.match(await say({ slurm: 1, max: 2 }), /either a number/);
    assert.match(await say({ slurm: 1, partition: "x; rm -rf ~" }), /cannot be the name/);
    assert.equal(scene.desk.state().scale!.most, 0);
  }));

async function asked(scene: PoolScene, why: string): Promise<Kept> {
  const question = await scene.command("pool", "stop", { now: true, why }, { user: OPERATOR });
  assert.equal(scene.desk.state().stopped, undefined, "it asks first");
  assert.equal(brokenLimit(question), undefined);
  const content = question.content!;
  return { ...scene.discord.say("77", content), outgoing: question, edits: 0, reactions: [] };
}

test("stop now is asked about, by buttons that outlive a restart and are pressed once", () =>
  withPool(async (scene) => {
    const worker = scene.desk.worker("w1");
    scene.desk.submit("one", {}, CLI);
    worker.beat();
    worker.beat();
    const question = await asked(scene, 'it burns: "now" ☃');
    assert.match(question.content, /the one running agent is ended at once/);
    await scene.again();
    const foreign = await scene.press(question, "Yes, stop everything", { user: EVE });
    assert.match(JSON.stringify(foreign), /Only the operators/);
    const yes = await scene.press(question, "Yes, stop everything", { user: OPERATOR });
    assert.equal(yes.kind, "update");
    assert.deepEqual((yes as { message: { rows: unknown } }).message.rows, []);
    const { stopped } = scene.desk.state();
    assert.deepEqual([stopped?.now, stopped?.why, stopped?.by], [
      true,
      'it burns: "now" ☃',
      "discord:2",
    ]);
    const twice = await scene.press(question, "Yes, stop everything", { user: OPERATOR });
    assert.match(JSON.stringify(twice), /pressed already/);
  }));

test("stop now has no effect after No, or after a quarter of an hour; a long reason is no obstacle", () =>
  withPool(async (scene) => {
    const question = await asked(scene, "☃".repeat(60));
    const no = await scene.press(question, "No", { user: OPERATOR });
    assert.match(JSON.stringify(no), /Not done, says user2/);
    const after = await scene.press(question, "Yes, stop everything", { user: OPERATOR });
    assert.match(JSON.stringify(after), /pressed already/);
    const late = await asked(scene, "");
    await scene.pass(16 * 60_000, 60_000);
    const pressed = await scene.press(late, "Yes, stop everything", { user: OPERATOR });
    assert.match(JSON.stringify(pressed), /Nobody pressed it in time/);
    assert.equal(scene.desk.state().stopped, undefined);
  }));

test("an enrolment code is for one pair of eyes", () =>
  withPool(async (scene) => {
    const options = { name: "gpu1", labels: "a100, big" };
    const answer = await scene.command("pool", "enrol", options, { user: OPERATOR });
    assert.equal(answer.ephemeral, true);
    assert.match(answer.content!, /herd worker --code code-of-gold/);
    assert.deepEqual(scene.desk.state().workers.get("gpu1")!.labels, ["a100", "big"]);
    assert.ok(!JSON.stringify([scene.audit, scene.desk.journal]).includes("code-of-gold"));
  }));

test("a worker over a shared file system is told its folder, and no code that it could not use", () =>
  withPool(async (scene) => {
    const options = { name: "node1", via: "files" };
    const answer = await scene.command("pool", "enrol", options, { user: OPERATOR });
    assert.match(answer.content!, /herd worker --name node1 --pool /);
    assert.doesNotMatch(answer.content!, /code-of-gold|once, within/);
    assert.equal(scene.desk.state().workers.get("node1")!.via, "files");
  }));

test("Retry under a failure has it done again, once, by whose task it is or an operator", () =>
  withPool(async (scene) => {
    await scene.say("one");
    const worker = scene.desk.worker("w1");
    worker.beat();
    const [id] = worker.running();
    worker.end(id!, { end: "failed", cause: "no disk" });
    await scene.pass(5_000);
    await scene.again();
    const [post] = scene.results();
    const foreign = await scene.press(post!, "Retry", { user: EVE });
    assert.match(JSON.stringify(foreign), /Only the operators/);
    const pressed = await scene.press(post!, "Retry", { user: ALICE });
    assert.equal(pressed.kind, "update");
    assert.match(JSON.stringify(pressed), /user1 has it done again/);
    assert.equal(scene.desk.state().tasks.get(id!)!.status, "queued");
    const twice = await scene.press(post!, "Retry", { user: ALICE });
    assert.match(JSON.stringify(twice), /it is not over/);
  }));

test("a button of another pool does nothing", () =>
  withPool(async (scene) => {
    const button = "herd1:pool-stop:zzzzzz:2:zzzzzz:x";
    const message = { ...scene.discord.say("77", "?"), edits: 0, reactions: [] };
    const outgoing = { rows: [[{ id: button, label: "Yes", style: "danger" as const }]] };
    const answer = await scene.press({ ...message, outgoing }, "Yes", { user: OPERATOR });
    assert.match(JSON.stringify(answer), /belongs to another pool/);
    assert.equal(scene.desk.state().stopped, undefined);
  }));

test("completions offer what a command is about, and nothing to strangers", () =>
  withPool(async (scene) => {
    for (let i = 0; i < 40; i++) scene.desk.submit(`task ${i} ${"é💥".repeat(80)}`, {}, CLI);
    scene.desk.cancel("t1", "x", "x");
    scene.desk.worker("w1").beat();
    const complete = async (sub: string, name: string, value: string, user = ALICE) => {
      scene.pool.handlePoolInteraction({
        kind: "completion",
        name: "task",
        sub,
        options: {},
        focused: { name, value },
        id: "1",
        token: "t",
        applicationId: BOT,
        guildId: GUILD,
        channelId: "77",
        parentId: undefined,
        member: { userId: user, name: "x", roles: [], permissions: 0n },
        at: 0,
      });
      await scene.rest();
      const answer = scene.answers.at(-1)!;
      assert.ok(answer.kind === "choices");
      checkChoices(answer.choices);
      return answer.choices.map((one) => one.value);
    };
    assert.equal((await complete("cancel", "id", "")).length, 25);
    assert.ok(!(await complete("cancel", "id", "t1")).includes("t1"));
    assert.deepEqual(await complete("retry", "id", ""), ["t1"]);
    assert.deepEqual(await complete("show", "id", "task 17 "), ["t18"]);
    assert.deepEqual(await complete("submit", "worker", ""), ["w1", "gpu"]);
    assert.deepEqual(await complete("submit", "model", "che"), ["cheap"]);
    assert.deepEqual(await complete("show", "id", "", EVE), []);
  }));
