import assert from "node:assert/strict";
import { test } from "node:test";
import { createStream } from "../../../lib/sweep/random.ts";
import { createWorker } from "../../../lib/tasks/worker.ts";
import { mailWay } from "../../support/mail-schedule.ts";
import { createPoolWorld, ORIGIN, wishOf } from "../../support/pool-world.ts";
import { createVirtualTime } from "../../support/virtual-time.ts";
import type { AttemptReport } from "../../../lib/tasks/task.ts";
import type { Machine } from "../../support/pool-crew.ts";

const MINUTE = 60_000;

/** A coordinator and a worker with a calm Discord between them; agents take so long as is said. */
function scene(agentMs = 10 * MINUTE) {
  const random = createStream(7, "mail");
  const time = createVirtualTime();
  const world = createPoolWorld(time, random);
  const way = mailWay(time, world, random);
  way.calm();
  const running = new Map<string, { cancelled: string | undefined }>();
  const life = { alive: true, frozenUntil: 0, cutUntil: 0 };
  const machine = {
    name: "w4",
    host: "far",
    get cutOffUntil() {
      return life.cutUntil;
    },
  } as Machine;
  const reach = (act: () => void): void => {
    if (!life.alive) return;
    if (life.frozenUntil > time.now()) time.at(life.frozenUntil, () => reach(act));
    else act();
  };
  const clock = {
    now: time.now,
    elapsed: time.now,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const takeBack = time.at(time.now() + ms, () => reach(resolve));
        signal?.addEventListener("abort", () => {
          takeBack();
          reject(signal.reason);
        }, { once: true });
      }),
  };
  const worker = createWorker({
    link: way.crew.linkOf(machine, clock, reach),
    everyMs: way.crew.everyMs,
    idleEveryMs: way.crew.idleEveryMs,
    laterMs: way.crew.laterMs,
    runner: {
      start({ task, epoch }, hooks) {
        const ended = Promise.withResolvers<AttemptReport>();
        const one = { cancelled: undefined as string | undefined };
        running.set(`${task}:${epoch}`, one);
        const say = (end: AttemptReport["end"], cause = "") => {
          running.delete(`${task}:${epoch}`);
          ended.resolve({
            end,
            cause,
            passing: true,
            result: "r",
            files: [],
            folder: "/x",
            use: [],
            startedAt: 0,
            endedAt: time.now(),
          });
        };
        const startedAt = time.now();
        const phase = () => {
          if (!running.has(`${task}:${epoch}`)) return;
          hooks.onProgress(`step ${Math.round((time.now() - startedAt) / 1000)}`);
          time.at(time.now() + 7_000, phase);
        };
        phase();
        time.at(time.now() + agentMs, () => say("done"));
        return {
          renew() {},
          cancel(reason) {
            one.cancelled = reason;
            time.at(time.now() + 1_000, () => say("cancelled", reason));
          },
          ended: ended.promise,
        };
      },
    },
    journal: {
      kept: [],
      damaged: 0,
      nextLife: (now) => now,
      lastEpoch: () => 0,
      wordOf: () => undefined,
      begin() {},
      note() {},
      end() {},
      settle() {},
      close() {},
    },
    endLeftOvers: () => Promise.resolve([]),
    clock,
    elapsed: time.now,
    random,
    identity: {
      worker: "w4",
      version: "1",
      host: "far",
      slots: 1,
      labels: [],
      sandboxes: ["none"],
    },
    onStatus() {},
    log: { write() {} },
  });
  world.start();
  const coordinator = world.coordinator()!;
  coordinator.enrol({ name: "w4", labels: [], proof: "", ...way.enrolment("w4") }, "test");
  const abort = new AbortController();
  void worker.run(abort.signal);
  const pass = (ms: number) => time.runUntil(time.now() + ms);
  const requests = () => [...way.discord.requests.values()].reduce((sum, one) => sum + one, 0);
  return {
    time,
    world,
    way,
    life,
    worker,
    running,
    coordinator,
    pass,
    requests,
    submit: () => coordinator.submit(wishOf("do"), ORIGIN),
    only: () => [...world.state().tasks.values()][0]!,
    async end() {
      abort.abort();
      await pass(10 * MINUTE);
    },
  };
}

test("a task of ten minutes costs at most 17 requests, and an idle hour at most 60, of both sides", async (t) => {
  const it = scene();
  await it.pass(20 * MINUTE);
  let before = it.requests();
  await it.pass(60 * MINUTE);
  const idle = it.requests() - before;
  t.diagnostic(`idle hour: ${idle} requests`);
  assert.ok(idle <= 60, `${idle}`);
  before = it.requests();
  it.submit();
  await it.pass(11 * MINUTE);
  assert.equal(it.only().status, "succeeded");
  const busy = it.requests() - before;
  t.diagnostic(`task of ten minutes: ${busy} requests`);
  // Results, mark and sign of the task in their channels are three more.
  assert.ok(busy <= 17, `${busy}`);
  await it.end();
});

test("without a gateway on either side work is taken, done and told by looking alone", async () => {
  const it = scene(2 * MINUTE);
  it.way.deaf("coordinator", 10 ** 9);
  it.way.deaf("w4 far", 10 ** 9);
  await it.pass(5 * MINUTE);
  it.submit();
  await it.pass(8 * MINUTE);
  assert.equal(it.only().status, "succeeded");
  const before = it.requests();
  await it.pass(60 * MINUTE);
  assert.ok(it.requests() - before <= 160, `${it.requests() - before}`);
  await it.end();
});

test("a cancel reaches the worker, also when its event is lost", async () => {
  const it = scene(60 * MINUTE);
  await it.pass(MINUTE);
  it.submit();
  await it.pass(MINUTE);
  assert.equal(it.running.size, 1);
  it.way.discord.faults.eventLost = 1;
  it.coordinator.cancel(it.only().id, "not wanted", "test");
  await it.pass(20 * MINUTE);
  assert.equal(it.running.size, 0);
  assert.equal(it.only().status, "cancelled");
  await it.end();
});

test("what anybody else writes into the mailbox is neither a report nor an order", async () => {
  const it = scene(60 * MINUTE);
  await it.pass(MINUTE);
  it.submit();
  await it.pass(2 * MINUTE);
  const { messages, say } = it.way.discord;
  for (const { content } of [...messages("box-w4")]) {
    const forged = content.replace(/"number":\d+/, '"number":90000')
      .replace('"stop":false', '"stop":true')
      .replace('"attempts":[{', '"attempts":[],"x":[{');
    say("an admin", "box-w4", forged);
  }
  await it.pass(20 * MINUTE);
  assert.equal(it.running.size, 1);
  assert.equal(it.only().status, "running");
  assert.equal(it.only().attempts.length, 1);
  await it.end();
});

test("a worker that is cut off ends its work itself, and its task is offered again by Discord's clock", async () => {
  const it = scene(60 * MINUTE);
  await it.pass(MINUTE);
  it.submit();
  await it.pass(MINUTE);
  const cutAt = it.time.now();
  it.life.cutUntil = cutAt + 30 * MINUTE;
  await it.pass(200_000);
  assert.equal(it.running.size, 0, "fenced after 200 s");
  assert.equal(it.only().status, "running", "nobody else has it yet");
  await it.pass(90_000);
  assert.equal(it.only().status, "running", "the lease is not over before 360 s");
  await it.pass(180_000);
  assert.notEqual(it.only().attempts[0]!.lost, undefined);
  await it.end();
});

test("a coordinator that cannot look into the mailbox gives nobody up", async () => {
  const it = scene(60 * MINUTE);
  await it.pass(MINUTE);
  it.submit();
  await it.pass(MINUTE);
  it.way.deaf("coordinator", 20 * MINUTE);
  it.way.cut(20 * MINUTE);
  await it.pass(30 * MINUTE);
  assert.equal(it.running.size, 1, "its reports stand in the mailbox");
  assert.equal(it.only().attempts[0]!.lost, undefined);
  await it.end();
});

test("a report and its orders that somebody deleted are written anew", async () => {
  const it = scene(20 * MINUTE);
  await it.pass(MINUTE);
  it.submit();
  await it.pass(MINUTE);
  for (let i = 0; i < 10; i++) it.way.discord.deleteOne("box-w4");
  assert.equal(it.way.discord.messages("box-w4").length, 0);
  await it.pass(30 * MINUTE);
  assert.equal(it.only().status, "succeeded");
  assert.equal(it.only().attempts.length, 1);
  await it.end();
});

test("a mailbox that was deleted fences its worker, and its task is offered again", async () => {
  const it = scene(60 * MINUTE);
  await it.pass(MINUTE);
  it.submit();
  await it.pass(MINUTE);
  it.way.discord.deleteChannel("box-w4");
  await it.pass(20 * MINUTE);
  assert.equal(it.running.size, 0);
  assert.notEqual(it.only().attempts[0]!.lost, undefined);
  await it.end();
});

test("a removed worker is told so, and ends its work", async () => {
  const it = scene(60 * MINUTE);
  await it.pass(MINUTE);
  it.submit();
  await it.pass(MINUTE);
  it.coordinator.remove("w4", "test");
  await it.pass(2 * MINUTE);
  assert.equal(it.running.size, 0);
  assert.equal(it.only().status, "queued");
  await it.end();
});
