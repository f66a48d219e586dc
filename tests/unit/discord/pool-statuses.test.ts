import assert from "node:assert/strict";
import { test } from "node:test";
import { DiscordError } from "../../../lib/discord/discord-error.ts";
import type { WorkerStatus } from "../../../lib/tasks/pool-desk.ts";
import { unreachable } from "../../support/discord-rest.ts";
import type { Kept } from "../../support/discord-rest.ts";
import { withPool } from "../../support/pool-scene.ts";
import type { PoolScene } from "../../support/pool-scene.ts";

const CLI = { kind: "cli", by: "cli:alice", name: "alice" } as const;
const board = (scene: PoolScene) =>
  scene.workers().filter(({ content }) => content.startsWith("📊"));
const of = (scene: PoolScene, worker: string) =>
  scene.workers().filter(({ content }) =>
    content.includes(`**`) && content.includes(`\`${worker}\``) && !content.startsWith("📊")
  );

test("a worker has one message, edited in place, with its word, task and machine", () =>
  withPool(async (scene) => {
    const worker = scene.desk.worker("gpu1");
    worker.beat();
    await scene.pass(20_000);
    const [message] = of(scene, "gpu1");
    assert.match(message!.content, /🟢 \*\*\[READY\]\*\* `gpu1`: ready for tasks/);
    assert.match(message!.content, /node1 · 1 slot · herd 1\.0\.0 · gpu/);
    scene.desk.submit("one", { model: "cheap" }, CLI);
    worker.beat();
    await scene.pass(20_000);
    assert.match(message!.content, /\[CLAIMED\][\s\S]*`t1` · `cheap` · attempt 1, <t:\d+:R>/);
    worker.end("t1");
    await scene.pass(20_000);
    assert.match(message!.content, /\[READY\]/);
    assert.equal(of(scene, "gpu1").length, 1);
  }));

test("every word of a worker is shown, hostile names do no harm", () => {
  const words: WorkerStatus[] = [
    "READY",
    "CLAIMED",
    "RESTARTING",
    "IDLE",
    "DRAINING",
    "FENCED",
    "STUCK",
    "OFFLINE",
  ];
  return withPool(async (scene) => {
    for (const word of words) scene.desk.worker(`w${word}`).beat();
    scene.desk.worker("x`@everyone\n**").beat();
    await scene.pass(120_000);
    for (const word of words) {
      assert.equal(of(scene, `w${word}`).length, 1);
      assert.ok(of(scene, `w${word}`)[0]!.content.includes(`**[${word}]**`));
    }
    const odd = scene.workers().find(({ content }) => content.includes("everyone"));
    assert.match(odd!.content, /`x'@everyone \*\*`/);
    assert.ok(scene.workers().every(({ outgoing }) => outgoing.pings === undefined));
  }, { status: (worker) => words.find((word) => worker === `w${word}`) ?? "READY" });
});

test("what changes often is drawn now and then: one request in five seconds, in all", () =>
  withPool(async (scene) => {
    const workers = Array.from({ length: 10 }, (_, i) => scene.desk.worker(`w${i}`));
    await scene.pass(120_000);
    const times: number[] = [];
    scene.discord.fail = (call) => {
      if (call === "edit") times.push(scene.clock.now());
    };
    for (let i = 0; i < 120; i++) {
      scene.desk.submit(`task ${i}`, {}, CLI);
      for (const worker of workers) {
        worker.beat();
        for (const task of worker.running()) worker.end(task);
      }
      await scene.pass(500, 500);
    }
    assert.ok(times.length <= 13, `${times.length}`);
    assert.ok(times.every((at, i) => i === 0 || at - times[i - 1]! >= 5_000), `${times}`);
  }));

test("a restart draws nothing that is as it was, and keeps one message each", () =>
  withPool(async (scene) => {
    scene.desk.worker("w1").beat();
    await scene.pass(120_000, 5_000);
    const before = scene.workers().map(({ id }) => id);
    await scene.again();
    scene.desk.worker("w1").beat();
    const calls = scene.discord.calls.length;
    await scene.pass(120_000, 5_000);
    assert.deepEqual(scene.workers().map(({ id }) => id), before);
    assert.deepEqual(scene.discord.calls.slice(calls), []);
  }));

test("the board says how the pool is, is pinned, and is one over lost memories", () =>
  withPool(async (scene) => {
    const worker = scene.desk.worker("w1");
    worker.beat();
    for (let i = 0; i < 3; i++) scene.desk.submit(`task ${i}`, {}, CLI);
    worker.beat();
    worker.end("t1");
    scene.desk.stop({ now: false, why: "the cluster is down @here" }, "x");
    await scene.pass(150_000, 5_000);
    const [one, ...others] = board(scene);
    assert.deepEqual(others, []);
    assert.ok(scene.discord.pinned.has(one!.id));
    for (
      const part of [
        /📊 \*\*Pool\*\* · 🛑 stopped <t:\d+:R>: the cluster is down @\u200bhere/,
        /Queue: \*\*1\*\* waiting, the oldest came <t:\d+:R> · \*\*1\*\* running/,
        /Workers: ▶️ 1 CLAIMED/,
        /Spent today: \$0\.02 of \$10\.00/,
        /- `t1` succeeded <t:\d+:R>/,
      ]
    ) assert.match(one!.content, part);
    scene.memory.write({ board: undefined });
    await scene.again();
    await scene.pass(150_000, 5_000);
    assert.deepEqual(board(scene).map(({ id }) => id), [one!.id]);
  }));

test("without the right to pin the board is there all the same", () =>
  withPool(async (scene) => {
    scene.discord.fail = (call) => {
      if (call === "pin") throw new DiscordError("Missing Permissions", { kind: "forbidden" });
    };
    await scene.pass(60_000);
    assert.equal(board(scene).length, 1);
    assert.deepEqual(scene.troubles.filter((one) => one !== undefined), []);
  }));

test("an old message is followed by a fresh one when there is news, not before", () =>
  withPool(async (scene) => {
    const worker = scene.desk.worker("w1");
    worker.beat();
    await scene.pass(60_000);
    const [first] = of(scene, "w1");
    for (let i = 0; i < 60; i++) {
      worker.beat();
      await scene.pass(60_000, 20_000);
    }
    assert.deepEqual(of(scene, "w1").map(({ id }) => id), [first!.id]);
    scene.desk.submit("one", {}, CLI);
    worker.beat();
    await scene.pass(30_000);
    const now = of(scene, "w1");
    assert.equal(now.length, 1);
    assert.notEqual(now[0]!.id, first!.id);
    assert.match(now[0]!.content, /CLAIMED/);
  }));

test("a message that may be edited no more (30046) or was deleted is followed by another", () =>
  withPool(async (scene) => {
    const worker = scene.desk.worker("w1");
    worker.beat();
    await scene.pass(60_000);
    const ids = [of(scene, "w1")[0]!.id];
    for (const code of [30046, 10008]) {
      scene.discord.fail = (call) => {
        if (call !== "edit") return;
        throw new DiscordError("No", { kind: code === 30046 ? "rejected" : "missing", code });
      };
      scene.desk.submit("one", {}, CLI);
      worker.beat();
      await scene.pass(90_000, 2_000);
      for (const task of worker.running()) worker.end(task);
      await scene.pass(90_000, 2_000);
      assert.equal(of(scene, "w1").length, 1, `${code}`);
      assert.equal(board(scene).length, 1, `${code}`);
      ids.push(of(scene, "w1")[0]!.id);
    }
    assert.equal(new Set(ids).size, ids.length);
  }));

test("a worker that is removed leaves no message behind", () =>
  withPool(async (scene) => {
    scene.desk.worker("w1").beat();
    await scene.pass(30_000);
    scene.desk.remove("w1", "x");
    await scene.pass(30_000);
    assert.deepEqual(of(scene, "w1"), []);
    assert.deepEqual(scene.memory.read().statuses, {});
  }));

test("an outage is waited for without a storm of requests, and then the present is drawn", () =>
  withPool(async (scene) => {
    const worker = scene.desk.worker("w1");
    worker.beat();
    await scene.pass(60_000);
    let tries = 0;
    let out = true;
    scene.discord.fail = (call) => {
      if (call !== "edit" || !out) return;
      tries++;
      throw unreachable();
    };
    scene.desk.submit("one", {}, CLI);
    for (let i = 0; i < 600; i++) {
      worker.beat();
      await scene.pass(1_000);
    }
    assert.ok(tries < 20, `${tries}`);
    out = false;
    await scene.tell({ type: "resumed" });
    await scene.pass(20_000);
    assert.match((of(scene, "w1")[0] as Kept).content, /CLAIMED/);
  }));
