import assert from "node:assert/strict";
import { test } from "node:test";
import { createStream } from "../../../lib/sweep/random.ts";
import { isOver } from "../../../lib/tasks/task.ts";
import { createFaults } from "../../support/discord/faults.ts";
import { startDiscord } from "../../support/discord/start-discord.ts";
import type { FakeDiscord } from "../../support/discord/start-discord.ts";
import type { FakeMessage, Person } from "../../support/discord/world.ts";
import { startCrew } from "../../support/pool-discord-crew.ts";
import { createPoolProcess } from "../../support/pool-discord-life.ts";
import type { PoolProcess } from "../../support/pool-discord-life.ts";
import { createVirtualTime } from "../../support/virtual-time.ts";
import type { VirtualTime } from "../../support/virtual-time.ts";

/** The coordinator and its channels on a loopback Discord, in virtual time. */
async function withProcess(
  use: (scene: {
    discord: FakeDiscord;
    process: PoolProcess;
    time: VirtualTime;
    alice: Person;
    say(text: string): FakeMessage;
    pass(ms: number): Promise<void>;
    crew(slots: number): void;
  }) => Promise<void>,
): Promise<void> {
  const random = createStream(1, "acceptance");
  const time = createVirtualTime(1_790_000_000_000, 60);
  await using discord = await startDiscord({ clock: time.now, isLocal: true, isChecked: false });
  const alice = discord.person("alice");
  const process = createPoolProcess({
    discord,
    time,
    random,
    authors: [alice.id],
    operators: [],
    onDeath: () => {},
  });
  try {
    process.start();
    await time.runUntil(time.now() + 20_000);
    await use({
      discord,
      process,
      time,
      alice,
      say: (text) => discord.say(alice, discord.channel("task-queue")!, text),
      pass: (ms) => time.runUntil(time.now() + ms),
      crew: (slots) =>
        startCrew({ time, random, process, loses: () => 0, fails: 0, slots, longestMs: 5_000 }),
    });
  } finally {
    await process.dispose();
  }
}

test("G.8.4: 500 tasks in a minute against a limited Discord: none lost, by age, a message a second", (t) =>
  withProcess(async ({ discord, process, say, pass, crew }) => {
    discord.haste = 1;
    const said: FakeMessage[] = [];
    for (let i = 0; i < 500; i++) {
      said.push(say(`task ${i}`));
      await pass(120);
    }
    crew(8);
    const state = () => process.desk()!.state();
    for (let i = 0; i < 60 && [...state().tasks.values()].some((task) => !isOver(task)); i++) {
      await pass(60_000);
    }
    for (let i = 0; i < 60 && process.channels()!.waiting() > 0; i++) await pass(60_000);
    assert.deepEqual([...state().tasks.keys()], said.map(({ id }) => `discord-${id}`));
    const first = process.journal.flatMap(({ what }) =>
      what.type === "task-assigned" && what.epoch === 1 ? [what.task] : []
    );
    assert.deepEqual(first, said.map(({ id }) => `discord-${id}`), "the oldest go first");
    for (const message of said) {
      assert.ok(
        message.reactions.has("✅"),
        `${message.content} bears ${[...message.reactions.keys()]}`,
      );
    }
    const results = discord.messages(discord.channel("results")!);
    const at = results.map((one) => one.at);
    for (let i = 1; i < at.length; i++) {
      assert.ok(at[i]! - at[i - 1]! >= 900, `${at[i]! - at[i - 1]!} ms`);
    }
    const text = results.map(({ content }) => content).join("\n");
    for (const { id } of said) assert.ok(text.includes(`discord-${id}`), `${id} is not told`);
    const refused = discord.calls.filter(({ status }) => status === 429).length;
    t.diagnostic(
      `${results.length} messages in #results, ${discord.calls.length} requests for 500 tasks, ` +
        `${refused} answered 429`,
    );
    assert.ok(discord.calls.length / 500 <= 20, "requests per task");
  }));

test("G.8.11: the gateway is dead for ten minutes, and catch-up takes each message once", () =>
  withProcess(async ({ discord, process, say, pass, crew }) => {
    crew(2);
    const before = say("before");
    await pass(60_000);
    for (const forgets of [false, true]) {
      process.link()!.deafen(10 * 60_000, forgets);
      const said = Array.from({ length: 7 }, (_, i) => say(`deaf ${i}`));
      const deleted = say("not wanted");
      const edited = say("first words");
      await pass(30_000);
      discord.deleteMessage(deleted);
      discord.editMessage(edited, "second words");
      await pass(11 * 60_000);
      const { tasks } = process.desk()!.state();
      for (const { id } of said) assert.equal(tasks.get(`discord-${id}`)?.status, "succeeded");
      // A session that resumes tells the first words first, and a free worker may have them by then.
      if (forgets) assert.equal(tasks.get(`discord-${edited.id}`)?.wish.text, "second words");
      const gone = tasks.get(`discord-${deleted.id}`);
      assert.ok(gone === undefined || !forgets, "what is gone when it is read is no task");
    }
    const results = discord.messages(discord.channel("results")!).map(({ content }) => content);
    const told = (id: string) => results.filter((one) => one.includes(`discord-${id}`)).length;
    assert.equal(told(before.id), 1);
    for (const id of process.desk()!.state().tasks.keys()) {
      assert.equal(told(id.replace("discord-", "")), 1, id);
    }
  }));

test("an idle pool asks Discord for next to nothing", (t) =>
  withProcess(async ({ discord, pass, crew, say }) => {
    crew(2);
    const said = say("one task");
    await pass(10 * 60_000);
    assert.ok(said.reactions.has("✅"));
    const before = discord.calls.length;
    await pass(3_600_000);
    const spent = discord.calls.length - before;
    t.diagnostic(
      `${before} requests for the first task and the channels, ${spent} in an idle hour`,
    );
    assert.ok(spent <= 60, `${spent} requests`);
  }));

test("30046: an old board that takes no more edits is replaced", () =>
  withProcess(async ({ discord, process, pass, say, crew }) => {
    crew(2);
    await pass(61 * 60_000);
    for (let i = 0; i < 40; i++) {
      say(`task ${i}`);
      await pass(70_000);
    }
    const boards = discord.messages(discord.channel("worker-pool")!)
      .filter(({ content }) => content.includes("**Pool**"));
    assert.equal(boards.length, 1);
    assert.match(boards[0]!.content, /nothing waits/);
    const limited = discord.calls.filter(({ status }) => status === 429);
    assert.ok(limited.length > 0, "it ran into the limit at least once");
    assert.ok(limited.length <= 10, `${limited.length} edits were refused`);
    assert.equal(process.counts.deaths, 0);
  }));

/** How often the results' channel tells of each task. */
function toldOf(discord: FakeDiscord, ids: readonly string[]): number[] {
  const posts = discord.messages(discord.channel("results")!).map(({ content }) => content);
  return ids.map((id) => posts.filter((one) => one.includes(`discord-${id}\``)).length);
}

test("a wrong task that was mended while nobody heard it is a task when the channel is read again", () =>
  withProcess(async ({ discord, process, say, pass }) => {
    const wrong = say("x [model:nobody]");
    await pass(60_000);
    assert.ok(wrong.reactions.has("❌"));
    process.link()!.deafen(120_000, true);
    await pass(1_000);
    discord.editMessage(wrong, "better words");
    await pass(180_000);
    assert.equal(
      process.desk()!.state().tasks.get(`discord-${wrong.id}`)?.wish.text,
      "better words",
    );
    assert.ok(wrong.reactions.has("👀"));
  }));

test("a lost memory loses no task and no result, and tells none twice", () =>
  withProcess(async ({ discord, process, say, pass, crew }) => {
    crew(2);
    const first = say("told");
    await pass(90_000);
    assert.deepEqual(toldOf(discord, [first.id]), [1]);
    const faults = createFaults(discord, 1);
    const results = new RegExp(`^POST /channels/${discord.channel("results")!.id}/`);
    faults.call({ what: { kind: "status", status: 503, when: "before" }, route: results });
    const untold = say("done and not told");
    await pass(90_000);
    assert.equal(process.desk()!.state().tasks.get(`discord-${untold.id}`)?.status, "succeeded");
    process.die(true);
    const unread = say("said while it was dead");
    await pass(30_000);
    faults.clear();
    process.start();
    await pass(10 * 60_000);
    assert.deepEqual(toldOf(discord, [first.id, untold.id, unread.id]), [1, 1, 1]);
  }));

test("a digest that arrived without an answer is not told again, also long after its nonce", () =>
  withProcess(async ({ discord, process, say, pass, crew }) => {
    crew(4);
    const faults = createFaults(discord, 1);
    const route = new RegExp(`^POST /channels/${discord.channel("results")!.id}/`);
    const away = faults.call({ what: { kind: "status", status: 503, when: "before" }, route });
    const said = Array.from({ length: 20 }, (_, i) => say(`task ${i}`));
    await pass(12 * 60_000);
    faults.call({ what: { kind: "status", status: 503, when: "after" }, route });
    away();
    await pass(4 * 60_000);
    said.push(...Array.from({ length: 5 }, (_, i) => say(`more ${i}`)));
    await pass(12 * 60_000);
    faults.clear();
    await pass(10 * 60_000);
    assert.deepEqual(toldOf(discord, said.map(({ id }) => id)), said.map(() => 1));
    assert.equal(process.channels()!.waiting(), 0);
  }));
