import assert from "node:assert/strict";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { CronJob } from "../../../lib/chat/broker-config.ts";
import { jobKey } from "../../../lib/chat/cron-prompt.ts";
import { createBrokerSchedules } from "../../../lib/daemon/broker-schedules.ts";
import { createUserCron } from "../../../lib/daemon/user-cron.ts";
import { DiscordError } from "../../../lib/discord/discord-error.ts";
import { createJobPoster } from "../../../lib/discord/job-poster.ts";
import { idOfTime } from "../../../lib/discord/snowflake.ts";
import { type ChatScene, chatScene } from "../../support/chat-scene.ts";
import { BOT, channel, type MemoryDiscord, memoryDiscord } from "../../support/discord-rest.ts";

const MINUTE = 60_000;
const JOB: CronJob = {
  schedule: "*/10 * * * *",
  timeZone: "UTC",
  channelId: "100",
  threadId: undefined,
  message: "What failed @everyone?",
  sender: "herd-cron",
  catchUp: "none",
};

interface Scene extends ChatScene {
  discord: MemoryDiscord;
  jobs: CronJob[];
  warned: string[];
  channels: { list: readonly string[] | "all" };
  /** Another life of the runner. */
  live(): AsyncDisposable;
  pass(ms: number): Promise<void>;
}

function schedulesScene(t: TestContext): Scene {
  const scene = chatScene(t);
  const discord = memoryDiscord();
  for (const id of ["100", "200"]) discord.channels.set(id, channel(id, "lab"));
  const jobs = [JOB];
  const warned: string[] = [];
  const channels: Scene["channels"] = { list: ["100"] };
  // To a whole ten minutes, so that the first time is ten minutes away.
  scene.clock.advance(600_000 - scene.clock.now() % 600_000);
  async function settle(): Promise<void> {
    for (let i = 0; i < 20; i++) await new Promise((done) => setImmediate(done));
  }
  return {
    ...scene,
    discord,
    jobs,
    warned,
    channels,
    live() {
      const schedules = createBrokerSchedules({
        jobs: () => jobs,
        state: scene.state,
        append: scene.append,
        broker: scene.broker,
        poster: createJobPoster({ rest: discord.rest, mark: () => "abc123", me: () => BOT }),
        rules: () => ({ channels: channels.list }),
        me: () => BOT,
        clock: scene.clock,
        log: (level, message) => void (level === "warn" && warned.push(message)),
      });
      t.after(() => schedules[Symbol.asyncDispose]());
      schedules.start();
      return schedules;
    },
    async pass(ms) {
      await settle();
      for (let left = ms; left > 0; left -= 10_000) {
        scene.clock.advance(Math.min(10_000, left));
        await settle();
      }
    },
  };
}

test("B.109: a prompt is posted when it is due and answered as if somebody had typed it", async (t) => {
  const scene = schedulesScene(t);
  scene.live();
  await scene.pass(10 * MINUTE - 20_000);
  assert.deepEqual(scene.discord.texts("100"), []);
  await scene.pass(20_000);
  assert.deepEqual(scene.discord.texts("100"), ["🕐 [herd-cron]: What failed @\u200beveryone?"]);
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  const [prompt] = scene.prompts;
  const [message] = scene.discord.messages;
  // Its thread hangs under the message, and has its id.
  assert.equal(prompt!.conversation, message!.id);
  assert.equal(prompt!.text, "What failed @everyone?");
  const { first } = scene.state().conversations.get(message!.id)!;
  assert.deepEqual([first.author.name, first.author.id, first.author.isBot], [
    "herd-cron",
    BOT,
    false,
  ]);
  assert.deepEqual(first.place.threadId, undefined);
});

test("a thread that is named has each of them as its next message", async (t) => {
  const scene = schedulesScene(t);
  scene.jobs.splice(0, 1, { ...JOB, threadId: "200" });
  scene.live();
  await scene.pass(10 * MINUTE);
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  assert.equal(scene.prompts[0]!.conversation, "200");
  scene.prompts[0]!.end({ kind: "done", text: "x" });
  await scene.pass(10 * MINUTE);
  await scene.until("it is asked again", () => scene.prompts.length === 2);
  assert.equal(scene.discord.texts("200").length, 2);
});

test("B.109: one that is not done is not overlapped, and what was left out is not made up", async (t) => {
  const scene = schedulesScene(t);
  scene.live();
  await scene.pass(10 * MINUTE);
  for (let i = 0; i < 6; i++) {
    scene.prompts[0]!.say(`still at it ${i}`);
    await scene.pass(5 * MINUTE);
  }
  assert.equal(scene.discord.texts("100").length, 1);
  scene.prompts[0]!.end({ kind: "done", text: "x" });
  await scene.pass(9 * MINUTE);
  assert.equal(scene.discord.texts("100").length, 1);
  await scene.pass(1 * MINUTE);
  assert.equal(scene.discord.texts("100").length, 2);
});

test("B.109: after a time away none is made up, or the last one, as the job says", async (t) => {
  const scene = schedulesScene(t);
  scene.jobs.push({ ...JOB, message: "catch up", catchUp: "last" });
  const first = scene.live();
  await scene.pass(MINUTE);
  await first[Symbol.asyncDispose]();
  scene.clock.advance(64 * MINUTE);
  scene.live();
  await scene.pass(20_000);
  assert.deepEqual(scene.discord.texts("100"), ["🕐 [herd-cron]: catch up"]);
  await scene.pass(10 * MINUTE);
  assert.equal(scene.discord.texts("100").filter((one) => one.includes("failed")).length, 1);
});

test("a life that ended between the message and its record posts it no second time, and it is answered", async (t) => {
  const scene = schedulesScene(t);
  const { fail } = scene.discord;
  const first = scene.live();
  await scene.pass(9 * MINUTE);
  scene.discord.after = (call) => {
    if (call === "send") throw new DiscordError("Lost", { kind: "unreachable" });
  };
  await scene.pass(MINUTE);
  await first[Symbol.asyncDispose]();
  assert.equal(scene.discord.texts("100").length, 1);
  assert.equal(scene.prompts.length, 0);
  scene.discord.fail = fail;
  scene.discord.after = () => {};
  // The nonce is forgotten by now.
  scene.discord.messages[0]!.nonce = undefined;
  scene.discord.messages[0]!.id = idOfTime(scene.clock.now());
  scene.clock.advance(30 * MINUTE);
  scene.live();
  await scene.pass(10_000);
  assert.equal(scene.discord.texts("100").length, 1);
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
});

test("a prompt that could not be posted in time is left out, unless the last one counts", async (t) => {
  const scene = schedulesScene(t);
  scene.jobs.push({ ...JOB, message: "catch up", catchUp: "last" });
  scene.live();
  await scene.pass(9 * MINUTE);
  scene.discord.fail = (call) => {
    if (call === "send" || call === "messages") {
      throw new DiscordError("Discord is out", { kind: "unreachable" });
    }
  };
  await scene.pass(5 * MINUTE);
  scene.discord.fail = () => {};
  await scene.pass(20_000);
  assert.deepEqual(scene.discord.texts("100"), ["🕐 [herd-cron]: catch up"]);
});

test("a channel that is not allowed, or is gone, is told once and costs the others nothing", async (t) => {
  const scene = schedulesScene(t);
  scene.jobs.unshift({ ...JOB, channelId: "101" }, { ...JOB, channelId: "102" });
  scene.channels.list = ["100", "102"];
  scene.live();
  await scene.pass(10 * MINUTE);
  scene.prompts[0]!.end({ kind: "done", text: "x" });
  await scene.pass(10 * MINUTE);
  assert.equal(scene.discord.texts("100").length, 2);
  assert.equal(scene.warned.length, 2);
  assert.match(scene.warned[0]!, /left out: allowed_channels does not list its channel "101"/);
  assert.match(scene.warned[1]!, /may not write into its channel "102"/);
});

test("the same job twice is one, and each of a job's settings makes it another", () => {
  const others: Partial<CronJob>[] = [
    { schedule: "@daily" },
    { timeZone: "Europe/Berlin" },
    { channelId: "1" },
    { threadId: "1" },
    { message: "x" },
    { sender: "x" },
  ];
  const keys = new Set(others.map((one) => jobKey({ ...JOB, ...one })));
  assert.equal(keys.size, others.length);
  assert.ok(!keys.has(jobKey(JOB)));
  assert.equal(jobKey({ ...JOB, catchUp: "last" }), jobKey(JOB));
});

function userFile(t: TestContext, name = "cron.yaml") {
  const folder = mkdtempSync(join(tmpdir(), "herd-cron-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, name);
  let at = 1_700_000_000;
  const troubles: string[] = [];
  const read = createUserCron({ path: () => path, onTrouble: (one) => void troubles.push(one) });
  return {
    path,
    troubles,
    read,
    messages: () => read().map(({ message }) => message),
    write(text: string) {
      writeFileSync(path, text);
      utimesSync(path, ++at, at);
    },
  };
}

test("B.110: the user's file is read again when it changes; without it there are no jobs", (t) => {
  const file = userFile(t);
  assert.deepEqual(file.messages(), []);
  const job = (message: string) =>
    `  - {schedule: "@daily", channel: "100", message: ${message}}\n`;
  file.write(`jobs:\n${job("one")}`);
  assert.deepEqual(file.messages(), ["one"]);
  file.write(`jobs:\n${job("one")}${job("two")}`);
  assert.deepEqual(file.messages(), ["one", "two"]);
  file.write("# nothing\n");
  assert.deepEqual(file.messages(), []);
  file.write(`jobs:\n${job("three")}`);
  assert.deepEqual(file.messages(), ["three"]);
  rmSync(file.path);
  assert.deepEqual(file.messages(), []);
  assert.deepEqual(file.troubles, []);
});

test("B.110: a file in TOML has the same jobs by the same rules", (t) => {
  const file = userFile(t, "cronjob.toml");
  file.write(`# OpenAB's own
[[jobs]]
schedule = "0 9 * * 1-5"
channel = 1234567890123456789 # digits that no number of JavaScript holds
message = """
what failed
last night?"""
timezone = "Europe/Berlin"
enabled = true

[[jobs]]
schedule = "61 * * * *"
channel = "100"
message = "bad"

[[jobs]]
schedule = "@daily"
channel = 1.5e18
message = "worse"
`);
  assert.deepEqual(file.read(), [{
    schedule: "0 9 * * 1-5",
    timeZone: "Europe/Berlin",
    channelId: "1234567890123456789",
    threadId: undefined,
    message: "what failed\nlast night?",
    sender: "herd-cron",
    catchUp: "none",
  }]);
  assert.equal(file.troubles.length, 2);
  assert.match(
    file.troubles[0]!,
    /cronjob\.toml:12:1: Cannot read jobs\[1\]\.schedule: found "61"/,
  );
  assert.match(file.troubles[1]!, /cronjob\.toml:18:1: .*channel/);
  file.write("[[jobs]\n");
  assert.equal(file.messages().length, 1);
  assert.match(file.troubles[2]!, /cronjob\.toml:1:\d+: Cannot read TOML/);
  file.write("[jobs]\nx = 1\n");
  assert.match((file.messages(), file.troubles[3]!), /"\[\[jobs\]\]" is wanted above each/);
  file.write("# nothing\n");
  assert.deepEqual(file.messages(), []);
});

test("B.110: a bad entry is told once and skipped; a file that is broken leaves the jobs as they were", (t) => {
  const file = userFile(t);
  file.write(
    `jobs:
  - {schedule: "@daily", channel: "100", message: good}
  - {schedule: "61 * * * *", channel: "100", message: bad}
  - {schedule: "@daily", channel: lab, timezone: Mars}
  - nonsense
`,
  );
  for (let i = 0; i < 3; i++) assert.deepEqual(file.messages(), ["good"]);
  assert.equal(file.troubles.length, 3);
  assert.match(file.troubles[0]!, /:3:\d+: Cannot read .*schedule: found "61" as the minute/);
  assert.match(file.troubles[1]!, /found 3 mistakes: line 4: /);
  file.write("jobs: [unclosed");
  assert.deepEqual(file.messages(), ["good"]);
  file.messages();
  assert.equal(file.troubles.length, 4);
  file.write("crons: []\n");
  assert.deepEqual(file.messages(), ["good"]);
  assert.match(file.troubles[4]!, /a list is wanted below "jobs"/);
  file.write("jobs: []\n");
  assert.deepEqual(file.messages(), []);
});
