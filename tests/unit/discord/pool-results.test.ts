import assert from "node:assert/strict";
import { test } from "node:test";
import { DiscordError } from "../../../lib/discord/discord-error.ts";
import { brokenLimit } from "../../support/broken-limit.ts";
import type { AttemptReport } from "../../../lib/tasks/task.ts";
import { channel, unreachable } from "../../support/discord-rest.ts";
import type { Kept } from "../../support/discord-rest.ts";
import { withPool } from "../../support/pool-scene.ts";
import type { PoolScene } from "../../support/pool-scene.ts";

const CLI = { kind: "cli", by: "cli:alice", name: "alice" } as const;

async function ended(
  scene: PoolScene,
  text: string,
  report: Partial<AttemptReport> = {},
  origin: Parameters<PoolScene["desk"]["submit"]>[2] = CLI,
): Promise<string> {
  const submitted = scene.desk.submit(text, {}, origin);
  assert.ok("task" in submitted, JSON.stringify(submitted));
  const worker = scene.desk.worker("w1");
  worker.beat();
  await scene.rest();
  worker.end(submitted.task.id, report);
  await scene.pass(3_000);
  return submitted.task.id;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const file = (path: string, size: number) => ({ path, bytes: size, sha256: "0" });

test("a result says all that the user page promises", () =>
  withPool(async (scene) => {
    await ended(scene, "[model:cheap] [thinking:high] count", {
      result: "There are **42** files.",
      files: [file("RESULT.txt", 23), file("report.csv", 12)],
      folder: "/state/tasks/t1/1",
      use: [
        { model: "small-1", input: 900, output: 200, cacheRead: 300, cacheWrite: 34, usd: 0.004 },
        { model: "small-1", input: 1_000, output: 50, cacheRead: 0, cacheWrite: 0, usd: 0.1 },
      ],
    });
    const [post] = scene.results();
    for (
      const part of [
        "**[SUCCESS]** `t1` · worker `w1` · attempt 1 · 1 min",
        "Model: `cheap` (`small-1`) | Thinking: high | Tokens: 2,234 in (300 from the cache), 250 out" +
        " | Cost: $0.10",
        "from alice, by the command line",
        "**Task Prompt**\n```\ncount\n```",
        "There are **42** files.",
        "Files: `RESULT.txt` 23 B, `report.csv` 12 B",
        "📁 `/state/tasks/t1/1`",
        "https://discord.com/channels/100/",
      ]
    ) assert.ok(post!.content.includes(part), `${part}\nnot in:\n${post!.content}`);
    assert.equal(post!.outgoing.rows, undefined);
  }));

test("an unknown price is n/a, a free one $0.00", () =>
  withPool(async (scene) => {
    const use = { model: "m", input: 1, output: 1, cacheRead: 0, cacheWrite: 0 };
    await ended(scene, "one", { use: [{ ...use, usd: null }, { ...use, usd: 1 }] });
    await ended(scene, "two", { use: [{ ...use, usd: 0 }] });
    await ended(scene, "three", { use: [] });
    const costs = scene.results().map(({ content }) => /Cost: (\S+)/.exec(content)![1]);
    assert.deepEqual(costs, ["n/a", "$0.00", "n/a"]);
  }));

test("each end has its word, its cause, and where it helps a button", () =>
  withPool(async (scene) => {
    await ended(scene, "one", { end: "failed", cause: "no `disk` @everyone", result: "" });
    await ended(scene, "two", { end: "timed-out", cause: "it took longer than 10 min" });
    const cancelled = scene.desk.submit("four", { worker: "nobody" }, CLI);
    assert.ok("task" in cancelled);
    scene.desk.cancel(cancelled.task.id, "it is dull", "x");
    await scene.pass(3_000);
    const posts = scene.results();
    assert.deepEqual(posts.map(({ content }) => /\[([A-Z]+)\]/.exec(content)![1]), [
      "FAILED",
      "EXPIRED",
      "CANCELLED",
    ]);
    assert.match(posts[0]!.content, /Cause: no `disk` @\u200beveryone/);
    assert.match(posts[2]!.content, /no worker had it[\s\S]*Cause: it is dull/);
    assert.deepEqual(posts.map(({ outgoing }) => outgoing.rows?.flat().length), [
      1,
      1,
      undefined,
    ]);
  }));

test("a task that failed in passing too often is DEAD, and says what all attempts cost", () =>
  withPool(async (scene) => {
    scene.desk.submit("one", {}, CLI);
    const worker = scene.desk.worker("w1");
    for (let i = 0; i < 3; i++) {
      worker.beat();
      worker.end("t1", { end: "failed", cause: "the model is busy", passing: true });
      await scene.pass(1_000_000, 50_000);
      scene.desk.coordinator.step();
    }
    assert.equal(scene.results().length, 1);
    assert.match(
      scene.results()[0]!.content,
      /\*\*\[DEAD\]\*\* .* attempt 3[\s\S]*Cost: \$0\.02 \(all attempts: \$0\.06\)[\s\S]*given up after 3/,
    );
  }));

test("D.11.10: a prompt of any length gives a post of Discord's size", () =>
  withPool(async (scene) => {
    for (const text of ["x".repeat(499), "x".repeat(501), "`".repeat(6_000), "a ".repeat(3_000)]) {
      await ended(scene, text, { result: "y".repeat(650) });
    }
    const posts = scene.results();
    assert.equal(posts.length, 4);
    for (const { outgoing } of posts) assert.equal(brokenLimit(outgoing), undefined);
    assert.ok(posts[0]!.content.includes("x".repeat(499)));
    assert.ok(!posts[1]!.content.includes("x".repeat(501)));
  }));

test("D.11.11: back-slashes, tabs, control characters and quotes in a result do no harm", () =>
  withPool(async (scene) => {
    const result = 'C:\\dir\t"quoted"\u0000\u001b[31mred \ud800 \u202e end';
    await ended(scene, "one", { result, cause: result, folder: "/a\nb`c" });
    const [post] = scene.results();
    assert.ok(post!.content.includes('C:\\dir  "quoted"\\x00\\x1b[31mred'));
    assert.equal(brokenLimit(post!.outgoing), undefined);
  }));

test("D.11.12: everything at its longest still fits, and what is cut is in the file", () =>
  withPool(async (scene) => {
    const result = `# All\n${"word ".repeat(6_000)}`;
    const files = Array.from({ length: 40 }, (_, i) => file(`${"deep/".repeat(30)}${i}.bin`, 9e6));
    await ended(scene, "p".repeat(4_000), {
      result,
      files,
      folder: `/state/${"f".repeat(900)}`,
      cause: "c".repeat(2_000),
      end: "failed",
      use: Array.from({ length: 9 }, (_, i) => ({
        model: `${"m".repeat(200)}${i}`,
        input: 1e12,
        output: 1e12,
        cacheRead: 1e12,
        cacheWrite: 0,
        usd: 1e6,
      })),
    });
    const [post] = scene.results();
    assert.equal(brokenLimit(post!.outgoing), undefined);
    assert.match(post!.content, /40 files are not attached/);
    assert.match(post!.content, /, and 30 more/);
    const [whole] = post!.outgoing.files!;
    assert.equal(whole!.name, "RESULT.md");
    assert.equal(new TextDecoder().decode(whole!.bytes), result);
  }));

test("a result with open fences and mentions swallows nothing and pings nobody", () =>
  withPool(async (scene) => {
    await ended(scene, "```\n@everyone", { result: "code:\n```sh\nls <@1> @here" });
    const [post] = scene.results();
    assert.equal(post!.content.split("```").length % 2, 1);
    const outside = post!.content.replace(/```\n[^]*?\n```/, "");
    assert.ok(!/@everyone|@here|<@1>/.test(outside), outside);
    assert.equal(post!.outgoing.pings, undefined);
  }));

test("a result that was cut on its way comes whole from its file, or says where it is", () =>
  withPool(async (scene) => {
    const whole = "line\n".repeat(2_000);
    scene.desk.files.set("t1:1/RESULT.txt", bytes(whole));
    await ended(scene, "one", {
      result: whole.slice(0, 1_000),
      files: [file("RESULT.txt", whole.length)],
    });
    await ended(scene, "two", { result: "start", files: [file("RESULT.txt", 9_000_000)] });
    const [one, two] = scene.results();
    assert.equal(new TextDecoder().decode(one!.outgoing.files![0]!.bytes), whole);
    assert.match(
      two!.content,
      /too large for Discord; all of it is in `\/state\/tasks\/t2\/1\/RES/,
    );
    assert.equal(two!.outgoing.files![0]!.name, "RESULT.md");
  }));

test("files come back within limits, under names of their own; what cannot be read is said", () =>
  withPool(async (scene) => {
    const put = (path: string, what: Uint8Array | Error | "hangs") =>
      scene.desk.files.set(`t1:1/${path}`, what);
    put("plots/a.png", bytes("one"));
    put("plots_a.png", bytes("two"));
    put("../../etc/passwd", bytes("three"));
    put("gone", new Error("EIO"));
    put("slow", "hangs");
    put("grown.bin", new Uint8Array(9_000_000));
    const names = ["plots/a.png", "plots_a.png", "../../etc/passwd", "gone", "slow", "grown.bin"];
    const submitted = scene.desk.submit("one", {}, CLI);
    assert.ok("task" in submitted);
    const worker = scene.desk.worker("w1");
    worker.beat();
    worker.end("t1", {
      files: ["RESULT.txt", "TASK.txt", "AGENTS.md", "agent-output.log", ...names]
        .map((path) => file(path, 5)),
    });
    await scene.pass(60_000);
    const [post] = scene.results();
    assert.deepEqual(post!.outgoing.files!.map(({ name }) => name), [
      "plots_a.png",
      "2-plots_a.png",
      "etc_passwd",
    ]);
    assert.match(post!.content, /3 files are not attached/);
    assert.match(post!.content, /`plots\/a\.png` 5 B 📎/);
    assert.equal(brokenLimit(post!.outgoing), undefined);
  }));

test("the log of a failure comes with it", () =>
  withPool(async (scene) => {
    scene.desk.files.set("t1:1/agent-output.log", bytes("it went wrong"));
    await ended(scene, "one", { end: "failed", files: [file("agent-output.log", 13)] });
    assert.deepEqual(scene.results()[0]!.outgoing.files!.map(({ name }) => name), [
      "agent-output.log",
    ]);
  }));

test("files that Discord refuses do not cost the result", () =>
  withPool(async (scene) => {
    const { send } = scene.discord.rest;
    scene.discord.rest.send = (where, message, signal) => {
      if (message.files === undefined) return send(where, message, signal);
      throw new DiscordError("Too large", { kind: "rejected", status: 413, code: 40005 });
    };
    await ended(scene, "one", { result: "long\n".repeat(500) });
    assert.match(scene.results()[0]!.content, /Discord does not take the files/);
  }));

test("a post that Discord does not take at all becomes a plain one, and the next one follows", () =>
  withPool(async (scene) => {
    const { send } = scene.discord.rest;
    scene.discord.rest.send = (where, message, signal) => {
      if (message.content?.includes("Task Prompt") && message.content.includes("poison")) {
        throw new DiscordError("Invalid Form Body", { kind: "rejected", status: 400, code: 50035 });
      }
      return send(where, message, signal);
    };
    await ended(scene, "poison");
    await ended(scene, "two");
    assert.match(scene.results()[0]!.content, /\[SUCCESS\]\*\* `t1`: the rest cannot be shown/);
    assert.match(scene.results()[1]!.content, /`t2`/);
  }));

test("no result is posted twice: over a 5xx after success, and over restarts", () =>
  withPool(async (scene) => {
    let breaks = 1;
    scene.discord.after = (call) => {
      if (call === "send" && breaks-- > 0) throw unreachable();
    };
    await scene.pass(1_000);
    await ended(scene, "one");
    await scene.pass(30_000);
    await scene.again();
    await scene.pass(5_000);
    const posts = scene.results();
    assert.equal(posts.length, 1);
    const nonces = scene.discord.messages.map(({ nonce }) => nonce);
    assert.equal(new Set(nonces).size, nonces.length);
  }));

test("at most one result per second, however many end", () =>
  withPool(async (scene) => {
    await scene.pass(3_000);
    const worker = scene.desk.worker("w1", 10);
    for (let i = 0; i < 10; i++) scene.desk.submit(`task ${i}`, {}, CLI);
    worker.beat();
    for (const task of worker.running()) worker.end(task);
    await scene.rest();
    assert.equal(scene.results().length, 1);
    await scene.pass(4_000, 500);
    assert.equal(scene.results().length, 5);
    await scene.pass(8_000, 500);
    assert.equal(scene.results().length, 10);
  }));

test("after an outage more than twelve results are digests that name every task and its end", () =>
  withPool(async (scene) => {
    const elsewhere = channel("77", "elsewhere");
    scene.discord.channels.set("77", elsewhere);
    let out = true;
    scene.discord.fail = (call) => {
      if (call === "send" && out) throw unreachable();
    };
    const worker = scene.desk.worker("w1", 100);
    for (let i = 0; i < 60; i++) scene.desk.submit(`task ${i}`, {}, CLI);
    scene.desk.submit("asked", {}, { ...CLI, kind: "slash", channelId: "77" });
    worker.beat();
    for (const [i, task] of worker.running().entries()) {
      worker.end(task, i % 3 === 0 ? { end: "failed", cause: "no disk" } : {});
    }
    await scene.pass(30_000);
    assert.equal(scene.results().length, 0);
    assert.match(`${scene.troubles.at(-1)}`, /Cannot reach Discord/);
    out = false;
    await scene.pass(400_000, 5_000);
    const posts = scene.results().map(({ content }) => content);
    const all = posts.join("\n");
    for (let i = 0; i < 60; i++) {
      const word = i % 3 === 0 ? "FAILED" : "SUCCESS";
      assert.ok(all.includes(`**[${word}]** \`t${i + 1}\``), `t${i + 1}`);
    }
    assert.ok(posts.length <= 6, `${posts.length} posts`);
    assert.equal(scene.discord.texts("77").length, 1, "who waits elsewhere is told there");
    assert.equal(scene.troubles.at(-1), undefined);
    assert.equal(scene.pool.waiting(), 0);
  }));

test("what was asked for elsewhere is answered there as well, also when the thread is gone", () =>
  withPool(async (scene) => {
    scene.discord.channels.set("77", channel("77", "trial 3"));
    const asked = scene.discord.say("77", "the failed trial");
    const origin = {
      kind: "button",
      by: "discord:1",
      name: "alice",
      channelId: "77",
      messageId: asked.id,
      sweep: "lr",
      trial: 3,
    } as const;
    await ended(scene, "look at it", { result: "Lower the rate." }, origin);
    const answer = scene.discord.messages.findLast(({ channelId }) => channelId === "77") as Kept;
    assert.equal(answer.outgoing.replyTo, asked.id);
    assert.match(answer.content, /\[SUCCESS\][\s\S]*Lower the rate\./);
    assert.ok(answer.content.includes(scene.results()[0]!.id), "it links to the result");
    scene.discord.channels.delete("77");
    await ended(scene, "look at it again", {}, origin);
    await ended(scene, "another");
    assert.equal(scene.results().length, 3);
    // A life that ends between the two goes on with the second.
    scene.discord.channels.set("77", channel("77", "trial 3"));
    const { send } = scene.discord.rest;
    scene.discord.rest.send = (where, message, signal) =>
      where === "77" ? Promise.reject(unreachable()) : send(where, message, signal);
    await ended(scene, "once more", {}, origin);
    scene.discord.rest.send = send;
    const before = scene.discord.texts("77").length;
    await scene.again();
    await scene.pass(5_000);
    assert.equal(scene.results().length, 4);
    assert.equal(scene.discord.texts("77").length, before + 1);
  }));

test("a task that was retried before its failure was told is told with the failure's own attempt", () =>
  withPool(async (scene) => {
    let out = true;
    scene.discord.fail = (call) => {
      if (call === "send" && out) throw unreachable();
    };
    await ended(scene, "one", { end: "failed", cause: "no disk", result: "first" });
    scene.desk.retry("t1", "x");
    const worker = scene.desk.worker("w2");
    scene.desk.drain("w1", true, "x");
    worker.beat();
    worker.beat();
    assert.equal(scene.desk.state().tasks.get("t1")!.epoch, 2);
    out = false;
    await scene.pass(60_000);
    assert.match(scene.results()[0]!.content, /\[FAILED\]\*\* `t1` · worker `w1` · attempt 1/);
  }));

test("of an old pool's history nothing is posted", () =>
  withPool(async (scene) => {
    await scene.pass(30_000);
    assert.equal(scene.results().length, 0);
    assert.equal(scene.discord.texts(scene.queue()).length, 0);
  }, {
    before(_, desk) {
      desk.submit("old", {}, CLI);
      const worker = desk.worker("w1");
      worker.beat();
      worker.end("t1");
    },
  }));
