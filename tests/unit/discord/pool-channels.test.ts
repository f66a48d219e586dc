import assert from "node:assert/strict";
import { test } from "node:test";
import { DiscordError } from "../../../lib/discord/discord-error.ts";
import { channel, unreachable } from "../../support/discord-rest.ts";
import type { Kept } from "../../support/discord-rest.ts";
import { withPool } from "../../support/pool-scene.ts";
import type { PoolScene } from "../../support/pool-scene.ts";

const CLI = { kind: "cli", by: "cli:alice", name: "alice" } as const;

test("the three channels are made once, marked, and found again by a second life", () =>
  withPool(async (scene) => {
    const names = () => [...scene.discord.channels.values()].map(({ name }) => name).sort();
    assert.deepEqual(names(), ["results", "task-queue", "worker-pool"]);
    assert.ok([...scene.discord.channels.values()].every(({ topic }) => /herd:abc123/.test(topic)));
    const before = scene.pool.channels();
    await scene.again();
    assert.deepEqual(scene.pool.channels(), before);
    assert.equal(scene.discord.calls.filter((call) => call === "createChannel").length, 3);
  }));

test("channels that people made are taken, a sweep's of the same name is not", () =>
  withPool(async (scene) => {
    assert.equal(scene.pool.channels().queue, "11");
    assert.equal(scene.pool.channels().results, undefined);
    assert.match(`${scene.troubles.at(-1)}`, /topic says that it is a sweep's/);
    // Its id says that it is meant all the same.
    scene.desk.settings = {
      ...scene.desk.settings,
      discord: {
        ...scene.desk.settings.discord!,
        channels: { queue: "#task-queue", results: "123456789012345678", workers: "worker-pool" },
      },
    };
    await scene.pass(10_000);
    assert.equal(scene.pool.channels().results, "123456789012345678");
    assert.equal(scene.troubles.at(-1), undefined);
  }, {
    before(discord) {
      const id = "123456789012345678";
      discord.channels.set("11", channel("11", "task-queue", "our tasks"));
      discord.channels.set(id, channel(id, "results", "Sweep results [herd:zzzzzz]"));
    },
  }));

test("a renamed channel goes on, a deleted one is made anew and gets what comes", () =>
  withPool(async (scene) => {
    const old = scene.pool.channels().results!;
    const renamed = { ...scene.discord.channels.get(old)!, name: "done" };
    scene.discord.channels.set(old, renamed);
    await scene.tell({ type: "channel-changed", channel: renamed });
    await scene.again();
    assert.equal(scene.pool.channels().results, old);
    scene.discord.channels.delete(old);
    await scene.tell({ type: "channel-deleted", id: old, guildId: "100" });
    assert.notEqual(scene.pool.channels().results, old);
    // And one whose deletion nobody told of.
    scene.discord.channels.delete(scene.pool.channels().results!);
    await done(scene, "one");
    await scene.pass(5_000);
    assert.equal(scene.results().length, 1);
    assert.ok(scene.discord.channels.has(scene.pool.channels().results!));
  }));

async function done(scene: PoolScene, text: string): Promise<void> {
  const submitted = scene.desk.submit(text, {}, CLI);
  assert.ok("task" in submitted);
  const worker = scene.desk.worker("w1");
  worker.beat();
  worker.end(submitted.task.id);
  await scene.rest();
}

test("D.11.15: without a list of authors, who may manage the queue's channel may give tasks", () =>
  withPool(async (scene) => {
    scene.desk.settings = {
      ...scene.desk.settings,
      discord: { ...scene.desk.settings.discord!, authors: undefined, operators: undefined },
    };
    await scene.say("by the owner", { author: { id: "2" } });
    await scene.say("by somebody", { author: { id: "3" } });
    assert.deepEqual([...scene.desk.state().tasks.values()].map(({ wish }) => wish.text), [
      "by the owner",
    ]);
    // What Discord says of permissions in another channel counts for nothing: here the press has all.
    const answer = await scene.command("pool", "stop", {}, { user: "3", channelId: "77" });
    assert.match(answer.content!, /Only members who may manage the queue's channel/);
    assert.equal(scene.desk.state().stopped, undefined);
  }));

test("a quiet hour costs at most 60 requests", () =>
  withPool(async (scene) => {
    for (const name of ["w1", "w2", "w3"]) scene.desk.worker(name).beat();
    await scene.pass(120_000);
    const before = scene.discord.calls.length;
    for (let minute = 0; minute < 60; minute++) {
      for (const name of ["w1", "w2", "w3"]) scene.desk.worker(name).beat();
      await scene.pass(60_000, 15_000);
    }
    const spent = scene.discord.calls.length - before;
    assert.ok(spent <= 60, `${spent} requests: ${scene.discord.calls.slice(before)}`);
  }));

test("a finished task costs at most five requests in all, whatever else is drawn", (t) =>
  withPool(async (scene) => {
    const workers = ["w1", "w2", "w3", "w4"].map((name) => scene.desk.worker(name));
    for (const worker of workers) worker.beat();
    await scene.pass(60_000);
    const before = scene.discord.calls.length;
    const tasks = 60;
    let said = 0;
    for (let round = 0; round < 400; round++) {
      if (said < tasks && round % 2 === 0) {
        await scene.say(`task ${said++}`);
      }
      // Each takes about a minute.
      for (const [i, worker] of workers.entries()) {
        const [first] = worker.running();
        if (first !== undefined && (round + i) % 12 === 0) worker.end(first);
        worker.beat();
      }
      await scene.pass(5_000, 2_500);
      if (said === tasks && workers.every((one) => one.running().length === 0)) break;
    }
    await scene.pass(120_000, 5_000);
    const ended = [...scene.desk.state().tasks.values()];
    assert.ok(ended.every(({ status }) => status === "succeeded") && ended.length === tasks);
    const spent = scene.discord.calls.slice(before);
    const kinds = Object.entries(Object.groupBy(spent, (call) => call))
      .map(([kind, calls]) => `${kind} ${calls!.length}`);
    t.diagnostic(`${(spent.length / tasks).toFixed(2)} requests per task: ${kinds.join(", ")}`);
    assert.equal(scene.results().length, tasks);
    assert.ok(spent.length / tasks <= 5, `${kinds}`);
    for (const message of scene.discord.messages as Kept[]) {
      if (message.author.id === "1") assert.deepEqual(message.reactions.at(-1), "✅");
    }
  }));

test("one task alone costs few requests, too", (t) =>
  withPool(async (scene) => {
    const worker = scene.desk.worker("w1");
    worker.beat();
    await scene.pass(120_000, 5_000);
    const before = scene.discord.calls.length;
    const message = await scene.say("one");
    worker.beat();
    await scene.pass(45_000);
    worker.end(`discord-${message.id}`);
    await scene.pass(600_000, 5_000);
    const spent = scene.discord.calls.slice(before);
    t.diagnostic(`${spent.length} requests: ${spent.join(", ")}`);
    // 👀, ✅, result; CLAIMED, READY; the board, twice; one reading for what was lost.
    assert.ok(spent.length <= 8, spent.join(", "));
  }));

test("after an outage reactions get their last state only, and they keep nothing else back", () =>
  withPool(async (scene) => {
    let out = true;
    scene.discord.fail = (call) => {
      if (call === "react" && out) throw unreachable();
    };
    const message = await scene.say("one") as Kept;
    const worker = scene.desk.worker("w1");
    worker.beat();
    await scene.pass(200_000);
    worker.end(worker.running()[0]!, { end: "failed", cause: "no disk" });
    await scene.pass(5_000);
    assert.equal(scene.results().length, 1, "the result came all the same");
    assert.deepEqual(message.reactions, []);
    out = false;
    await scene.pass(400_000, 10_000);
    assert.deepEqual(message.reactions, ["❌"]);
  }));

test("signs: what lasts is shown once, the end always, and a retry's end takes the old one's place", () =>
  withPool(async (scene) => {
    const removed: string[] = [];
    scene.discord.rest.unreact = (_, __, emoji) => Promise.resolve(void removed.push(emoji));
    const message = await scene.say("one") as Kept;
    const worker = scene.desk.worker("w1");
    worker.beat();
    await scene.pass(290_000, 10_000);
    assert.deepEqual(message.reactions, ["👀"]);
    await scene.pass(20_000);
    assert.deepEqual(message.reactions, ["👀", "▶️"]);
    worker.end(worker.running()[0]!, { end: "failed", cause: "no disk" });
    await scene.pass(2_000);
    assert.deepEqual(message.reactions, ["👀", "▶️", "❌"]);
    await scene.again();
    scene.desk.retry(`discord-${message.id}`, "x");
    worker.beat();
    worker.beat();
    scene.desk.worker("w1");
    const again = scene.desk.worker("w1");
    again.beat();
    await scene.pass(2_000);
    again.end(`discord-${message.id}`);
    await scene.pass(2_000);
    assert.deepEqual(message.reactions, ["👀", "▶️", "❌", "✅"]);
    assert.deepEqual(removed, ["❌"]);
    assert.equal(scene.discord.calls.filter((call) => call === "react").length, 4);
  }));

test("people's reactions are read by nothing, and a missing permission is no trouble", () =>
  withPool(async (scene) => {
    scene.discord.fail = (call) => {
      if (call === "react") throw new DiscordError("Missing Permissions", { kind: "forbidden" });
    };
    const message = await scene.say("one") as Kept;
    message.reactions.push("✅");
    await scene.pass(120_000, 5_000);
    assert.equal(scene.desk.state().tasks.get(`discord-${message.id}`)!.status, "queued");
    assert.deepEqual(scene.troubles.filter((one) => one !== undefined), []);
  }));
