import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { unreachable } from "../../support/discord-rest.ts";
import type { Kept } from "../../support/discord-rest.ts";
import { withPool } from "../../support/pool-scene.ts";
import type { PoolScene } from "../../support/pool-scene.ts";

const CLI = { kind: "cli", by: "cli:alice", name: "alice" } as const;
const texts = ({ desk }: PoolScene) =>
  [...desk.state().tasks.values()].map(({ wish }) => wish.text);
const taskOf = ({ desk }: PoolScene, { id }: { id: string }) =>
  desk.state().tasks.get(`discord-${id}`);

test("a message is stored first and gets its 👀 after, with who said it and where", () => {
  const order: string[] = [];
  return withPool(async (scene) => {
    scene.desk.onEvent(({ what }) => void order.push(what.type));
    scene.discord.fail = (call) => void order.push(call);
    const message = await scene.say("[model:cheap] count the files") as Kept;
    assert.deepEqual(order.slice(0, 2), ["task-submitted", "react"]);
    assert.deepEqual(message.reactions, ["👀"]);
    const task = taskOf(scene, message)!;
    assert.equal(task.wish.text, "count the files");
    assert.equal(task.wish.model, "cheap");
    assert.deepEqual(task.origin, {
      kind: "message",
      by: "discord:1",
      name: "alice",
      channelId: scene.queue(),
      messageId: message.id,
    });
    assert.equal(scene.audit[0]!.event, "pool-task");
  });
});

test("a message that is told twice, or read again, is one task", () =>
  withPool(async (scene) => {
    const message = await scene.say("one");
    await scene.tell({ type: "message", message });
    await scene.tell({ type: "resumed" });
    await scene.pass(120_000, 10_000);
    await scene.again();
    await scene.tell({ type: "message", message });
    assert.deepEqual(texts(scene), ["one"]);
    assert.equal(scene.desk.journal.length, 1);
  }));

test("what is wrong with a task is said, with what is right, and nothing is stored", () =>
  withPool(async (scene) => {
    const message = await scene.say("[thinking:low; rm -rf ~] tidy up @everyone") as Kept;
    assert.deepEqual(texts(scene), []);
    assert.deepEqual(message.reactions, ["❌"]);
    const reply = scene.discord.messages.at(-1)!;
    assert.equal(reply.outgoing.replyTo, message.id);
    assert.match(reply.content, /"low; rm -rf \\~" is no way to think: allowed are off, low/);
    assert.equal(reply.outgoing.pings, undefined);
    // Read again, or in another life, it is not answered again.
    await scene.tell({ type: "message", message });
    await scene.again();
    await scene.tell({ type: "resumed" });
    assert.equal(scene.discord.messages.length, 2);
    // Mended by an edit, it is a task.
    message.content = "[thinking:low] tidy up";
    message.editedAt = scene.clock.now();
    await scene.tell({ type: "message-edited", message });
    assert.deepEqual(texts(scene), ["tidy up"]);
  }));

test("D.11.15: who is not allowed is refused, audited and told once in private", () =>
  withPool(async (scene) => {
    for (let i = 0; i < 3; i++) {
      const message = await scene.say(`task ${i}`, { author: { id: "9", name: "eve" } }) as Kept;
      assert.deepEqual(message.reactions, ["🚫"]);
    }
    assert.deepEqual(texts(scene), []);
    assert.deepEqual(scene.discord.texts("dm9").length, 1);
    assert.match(scene.discord.texts("dm9")[0]!, /Only the authors of this pool/);
    assert.deepEqual(scene.audit.map(({ event }) => event), ["refused", "refused", "refused"]);
    assert.ok(
      !scene.discord.messages.some(({ channelId, author }) =>
        channelId === scene.queue() && author.bot
      ),
    );
  }));

test("roles count as authors, an empty list is nobody", () =>
  withPool(async (scene) => {
    const set = (authors: string[]) => {
      const discord = { ...scene.desk.settings.discord!, authors };
      scene.desk.settings = { ...scene.desk.settings, discord };
    };
    const member = { userId: "9", name: "eve", roles: ["77"], permissions: undefined };
    set(["77"]);
    await scene.say("by role", { author: { id: "9" }, member });
    set([]);
    await scene.say("by nobody", { author: { id: "9" }, member });
    await scene.say("by nobody either");
    assert.deepEqual(texts(scene), ["by role"]);
  }));

test("bots and webhooks are heard only when they are listed, our own posts never", () =>
  withPool(async (scene) => {
    const discord = { ...scene.desk.settings.discord!, bots: ["50", "900"] };
    scene.desk.settings = { ...scene.desk.settings, discord };
    await scene.say("listed", { author: { id: "50", bot: true } });
    await scene.say("unlisted", { author: { id: "51", bot: true } });
    await scene.say("webhook", { author: { id: "1", webhook: true } });
    await scene.say("**[Task: x]** our own", { author: { id: "900", bot: true } });
    await scene.say("pinned a message", { type: 6 });
    assert.deepEqual(texts(scene), ["listed"]);
    assert.deepEqual(scene.audit.map(({ event }) => event), ["pool-task"]);
  }));

test("an edit counts until somebody has the task, and a link's preview is none", () =>
  withPool(async (scene) => {
    const message = await scene.say("on") as Kept;
    await scene.tell({ type: "message-edited", message: { ...message } });
    assert.equal(taskOf(scene, message)!.revision, 1);
    const edited = { ...message, content: "one", editedAt: 1_700_000_001_000 };
    await scene.tell({ type: "message-edited", message: edited });
    await scene.tell({ type: "message-edited", message: edited });
    assert.deepEqual([taskOf(scene, message)!.wish.text, taskOf(scene, message)!.revision], [
      "one",
      2,
    ]);
    // An older one that comes late changes nothing.
    await scene.tell({
      type: "message-edited",
      message: { ...message, content: "old", editedAt: 1_700_000_000_500 },
    });
    assert.equal(taskOf(scene, message)!.wish.text, "one");
    // One that would be no task leaves it as it was, and says so.
    await scene.tell({
      type: "message-edited",
      message: { ...message, content: "[model:none] two", editedAt: 1_700_000_002_000 },
    });
    assert.equal(taskOf(scene, message)!.wish.text, "one");
    assert.match(scene.discord.messages.at(-1)!.content, /stays as it was before the edit/);
    scene.desk.worker("w1").beat();
    await scene.tell({
      type: "message-edited",
      message: { ...message, content: "three", editedAt: 1_700_000_003_000 },
    });
    assert.equal(taskOf(scene, message)!.wish.text, "one");
  }));

test("an edit and a deletion while herd was away are found; a stale list deletes nothing", () =>
  withPool(async (scene) => {
    const [edited, deleted, kept] = [
      await scene.say("edit me"),
      await scene.say("delete me"),
      await scene.say("keep me"),
    ] as Kept[];
    await scene.pass(120_000, 10_000);
    edited!.content = "edited";
    edited!.editedAt = scene.clock.now();
    scene.discord.messages.splice(scene.discord.messages.indexOf(deleted!), 1);
    const { messages } = scene.discord.rest;
    scene.discord.rest.messages = async (...asked) =>
      (await messages(...asked)).filter(({ id }) => id !== kept!.id);
    await scene.again();
    await scene.pass(2_000);
    assert.equal(taskOf(scene, edited!)!.wish.text, "edited");
    assert.equal(taskOf(scene, deleted!)!.status, "cancelled");
    assert.equal(taskOf(scene, kept!)!.status, "queued");
  }));

test("a deletion before anybody has it cancels, later it does not", () =>
  withPool(async (scene) => {
    const [first, second] = [await scene.say("one"), await scene.say("two")];
    await scene.tell({ type: "message-deleted", id: first.id, channelId: scene.queue() });
    assert.equal(taskOf(scene, first)!.status, "cancelled");
    scene.desk.worker("w1").beat();
    await scene.tell({ type: "message-deleted", id: second.id, channelId: scene.queue() });
    assert.equal(taskOf(scene, second)!.status, "running");
    // One whose deletion is told before it is told itself.
    await scene.tell({ type: "message-deleted", id: "99999", channelId: scene.queue() });
    await scene.say("three", { id: "99999" });
    assert.equal(taskOf(scene, { id: "99999" }), undefined);
  }));

test("D.11.8: what was said while herd was away is taken, all of it, the oldest first", () =>
  withPool(async (scene) => {
    await scene.pool[Symbol.asyncDispose]();
    for (let i = 0; i < 230; i++) scene.discord.say(scene.queue(), `task ${i}`);
    let out = 3;
    scene.discord.fail = (call) => {
      if (call === "messages" && out-- > 0) throw unreachable();
    };
    await scene.again();
    await scene.pass(120_000, 2_000);
    assert.deepEqual(texts(scene), Array.from({ length: 230 }, (_, i) => `task ${i}`));
    assert.ok(scene.discord.calls.filter((call) => call === "member").length <= 2);
  }));

test("a message that the gateway lost is read within a minute of another", () =>
  withPool(async (scene) => {
    scene.discord.say(scene.queue(), "lost");
    await scene.say("told");
    await scene.pass(61_000);
    assert.deepEqual(texts(scene).sort(), ["lost", "told"]);
    const calls = scene.discord.calls.length;
    await scene.pass(3_600_000, 60_000);
    assert.ok(scene.discord.calls.length - calls < 10, "and then it is quiet");
  }));

test("what was said before the pool came was said to nobody", () =>
  withPool(async (scene) => {
    await scene.pass(60_000);
    assert.deepEqual(texts(scene), []);
  }, {
    before(discord) {
      discord.channels.set("11", {
        id: "11",
        guildId: "100",
        type: 0,
        name: "task-queue",
        topic: "",
        parentId: undefined,
        overwrites: [],
        archived: false,
      });
      discord.say("11", "an old talk");
    },
  }));

test("D.11.3, D.11.5: a task that could not be stored gets no sign, and is taken when it can be", () =>
  withPool(async (scene) => {
    scene.desk.broken = new UserError("The disk is full");
    const message = await scene.say("one") as Kept;
    assert.deepEqual([texts(scene).length, message.reactions], [0, []]);
    scene.desk.broken = undefined;
    await scene.pass(60_000);
    assert.deepEqual([texts(scene), message.reactions], [["one"], ["👀"]]);
  }));

test("while Discord does not say who may do what, nobody is turned away", () =>
  withPool(async (scene) => {
    const discord = { ...scene.desk.settings.discord!, authors: undefined };
    scene.desk.settings = { ...scene.desk.settings, discord };
    scene.discord.fail = (call) => {
      if (call === "guild") throw unreachable();
    };
    const message = await scene.say("one", { author: { id: "2" } }) as Kept;
    assert.deepEqual([texts(scene).length, message.reactions], [0, []]);
    scene.discord.fail = () => {};
    await scene.pass(60_000);
    assert.deepEqual(texts(scene), ["one"]);
  }));

test("files are named to the agent as not read; nothing but files is no task", () =>
  withPool(async (scene) => {
    const file = { id: "1", name: 'a"b.csv', url: "", bytes: 1, contentType: "text/csv" };
    await scene.say("sum it up", { attachments: [file] });
    await scene.say("", { attachments: [file] });
    assert.deepEqual(texts(scene), ['sum it up\n(attached and not read: "a\\"b.csv")']);
    assert.match(scene.discord.messages.at(-1)!.content, /what is attached is not read/);
  }));

test("a key makes a second message the same task, and says so by its 👀", () =>
  withPool(async (scene) => {
    await scene.say("[key:nightly] one");
    const second = await scene.say("[key:nightly] one again") as Kept;
    assert.deepEqual(texts(scene), ["one"]);
    assert.deepEqual(second.reactions, ["👀"]);
  }));

test("hostile texts become tasks byte for byte", () =>
  withPool(async (scene) => {
    const hostile = [
      "a | b \\ c $(id) `id` ; rm -rf ~ \" '",
      "line\nline\ttab \u202e turned",
      "x".repeat(3_900),
      '{"type":"task-ended","task":"discord-1"}',
      "@everyone <@1> ``` open fence",
    ];
    for (const text of hostile) await scene.say(text);
    assert.deepEqual(texts(scene), hostile);
  }));

test("a task of another door is seen in the queue once, safely, and its post gets its signs", () =>
  withPool(async (scene) => {
    const submitted = scene.desk.submit("tidy\n```\n@everyone", { model: "cheap" }, CLI);
    assert.ok("task" in submitted);
    await scene.rest();
    const post = scene.discord.messages.at(-1)!;
    assert.equal(post.channelId, scene.queue());
    assert.match(post.content, /^\*\*\[Task: t1\]\*\* tidy/);
    assert.match(post.content, /from alice, by the command line · `\[model:cheap\]`/);
    assert.equal(post.content.split("```").length % 2, 1, "its fence is closed");
    assert.ok(!post.content.includes("@everyone"));
    await scene.again();
    await scene.pass(5_000);
    assert.equal(scene.discord.texts(scene.queue()).length, 1);
    const worker = scene.desk.worker("w1");
    worker.beat();
    worker.end("t1");
    await scene.pass(5_000);
    assert.deepEqual(post.reactions, ["✅"]);
    // Our own post is no task.
    await scene.tell({ type: "message", message: post });
    assert.deepEqual(texts(scene).length, 1);
  }));

test("a mirrored task that ended while herd was away gets its sign in the next life", () =>
  withPool(async (scene) => {
    scene.desk.submit("one", {}, CLI);
    const worker = scene.desk.worker("w1");
    worker.beat();
    await scene.rest();
    await scene.pool[Symbol.asyncDispose]();
    worker.end("t1");
    await scene.again();
    await scene.pass(5_000);
    const [post] = scene.discord.messages.filter(({ channelId }) => channelId === scene.queue());
    assert.deepEqual(post!.reactions, ["✅"]);
    assert.equal(scene.results().length, 1);
  }));

test("who is refused slowly does not keep others waiting", () =>
  withPool(async (scene) => {
    scene.discord.rest.openDirect = () => new Promise(() => {});
    const { send } = scene.discord.rest;
    scene.discord.rest.send = (where, message, signal) =>
      message.replyTo === undefined ? send(where, message, signal) : new Promise(() => {});
    await scene.say("not mine to give", { author: { id: "9" } });
    await scene.say("[model:none] wrong");
    await scene.say("right");
    assert.deepEqual(texts(scene), ["right"]);
  }));

test("tasks that came while Discord was away are listed in short", () =>
  withPool(async (scene) => {
    let out = true;
    scene.discord.fail = (call) => {
      if (call === "send" && out) throw unreachable();
    };
    for (let i = 0; i < 40; i++) scene.desk.submit(`task ${i}`, {}, CLI);
    await scene.pass(30_000);
    out = false;
    await scene.pass(400_000, 5_000);
    const posts = scene.discord.texts(scene.queue());
    assert.ok(posts.length <= 4, `${posts.length}`);
    for (let i = 1; i <= 40; i++) assert.ok(posts.join("\n").includes(`[Task: t${i}]`), `t${i}`);
  }));
