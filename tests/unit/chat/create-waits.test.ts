import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { WaitSubject } from "../../../lib/chat/chat-event.ts";
import { createWaits, type Waits } from "../../../lib/chat/create-waits.ts";
import { WAIT_LIMITS, wakeHead } from "../../../lib/chat/waits.ts";
import { chatScene } from "../../support/chat-scene.ts";

const TRIAL: WaitSubject = { kind: "trial", sweep: "/s", name: "mnist", trial: 7, attempt: 1 };
const WISH = { conversation: "200", for: ["7"], subject: TRIAL, note: "", atMost: 3_600_000 };
const BY = "broker:herd:discord:7";

/** Conversation 200 of alice, which has had one turn. */
async function waitsScene(t: TestContext) {
  const scene = chatScene(t);
  const world = {
    happened: undefined as string | undefined,
    isWatched: true,
    posted: [] as string[],
    /** Asked before a message goes out. */
    fail: () => {},
    /** The place is gone. */
    isGone: false,
    channels: ["100"] as readonly string[] | "all",
  };
  scene.hear("1", "hello");
  await scene.until("a turn", () => scene.prompts.length === 1);
  scene.prompts[0]!.end({ kind: "done", text: "hi" });
  await scene.until("it is over", () => scene.broker.turns().length === 0);

  function live(): Waits {
    const waits = createWaits({
      state: scene.state,
      append: scene.append,
      broker: scene.broker,
      post(wait, _, again) {
        const before = world.posted.findIndex((one) => one.startsWith(wakeHead(wait)));
        if (again && before >= 0) {
          return Promise.resolve({ id: `m${before}`, at: 5, content: world.posted[before]! });
        }
        if (world.isGone) return Promise.resolve(undefined);
        const content = `${wakeHead(wait)}${wait.due!.text}`;
        world.posted.push(content);
        world.fail();
        return Promise.resolve({ id: `m${world.posted.length - 1}`, at: 5, content });
      },
      watch: { happened: () => world.happened, isWatched: () => world.isWatched },
      rules: () => ({ channels: world.channels, directMessages: false }),
      me: () => "900",
      clock: scene.clock,
      audit() {},
      log() {},
    });
    t.after(() => waits[Symbol.asyncDispose]());
    waits.start();
    return waits;
  }

  async function pass(ms: number): Promise<void> {
    scene.clock.advance(ms);
    for (let i = 0; i < 20; i++) await new Promise((done) => setImmediate(done));
  }
  return { ...scene, world, live, pass };
}

test("what was waited for is told once and is the conversation's next message, in the name of who asked", async (t) => {
  const scene = await waitsScene(t);
  const waits = scene.live();
  const made = waits.set({ ...WISH, id: "w1", note: "compare" }, BY);
  assert.ok("wait" in made);
  await scene.pass(10_000);
  assert.deepEqual(scene.world.posted, []);
  scene.world.happened = "Trial 7 has ended: completed.";
  await scene.pass(2_000);
  await scene.until("the agent is asked", () => scene.prompts.length === 2);
  assert.match(scene.prompts[1]!.text, /no person wrote this[^]*Trial 7 has ended/);
  const { turn, woken } = scene.state().conversations.get("200")!;
  assert.deepEqual(turn!.messages[0]!.arrival.for, ["7"]);
  assert.equal(woken, 1);
  await scene.pass(10_000);
  assert.equal(scene.world.posted.length, 1);
  assert.deepEqual(waits.of("200"), []);
});

test("a life that ended between the message and its record tells it no second time, and the agent is asked", async (t) => {
  const scene = await waitsScene(t);
  const first = scene.live();
  first.set({ ...WISH, id: "w1" }, BY);
  scene.world.happened = "Trial 7 has ended: completed.";
  scene.world.fail = () => {
    throw new Error("killed");
  };
  await scene.pass(2_000);
  await first[Symbol.asyncDispose]();
  scene.world.fail = () => {};
  // The trial is gone with the sweep: what happened is known all the same.
  scene.world.happened = undefined;
  await scene.pass(60_000);
  scene.live();
  await scene.pass(2_000);
  await scene.until("the agent is asked", () => scene.prompts.length === 2);
  assert.equal(scene.world.posted.length, 1);
});

test("when its time is over it is told, with what is not known", async (t) => {
  for (
    const [isWatched, wanted] of [[true, /did not happen yet/], [false, /is not known/]] as const
  ) {
    const scene = await waitsScene(t);
    scene.world.isWatched = isWatched;
    scene.live().set({ ...WISH, id: "w1", atMost: 60_000 }, BY);
    await scene.pass(59_000);
    assert.deepEqual(scene.world.posted, []);
    await scene.pass(2_000);
    assert.match(scene.world.posted[0]!, wanted);
  }
});

test("a sweep that is about to go is looked at before", async (t) => {
  const scene = await waitsScene(t);
  const waits = scene.live();
  waits.set({ ...WISH, id: "w1" }, BY);
  scene.world.happened = "Trial 7 has ended: failed.";
  waits.look();
  scene.world.happened = undefined;
  await scene.pass(2_000);
  assert.match(scene.world.posted[0]!, /ended: failed/);
});

test("a reset, and whoever cancels it, ends a wait; nobody can end another conversation's", async (t) => {
  const scene = await waitsScene(t);
  const waits = scene.live();
  waits.set({ ...WISH, id: "w1" }, BY);
  waits.set({ ...WISH, id: "w2" }, BY);
  assert.equal(waits.drop("w1", "201", BY), false);
  assert.equal(waits.drop("w1", "200", BY), true);
  assert.equal(waits.drop("w1", "200", BY), false);
  assert.deepEqual(waits.of("200").map(({ id }) => id), ["w2"]);
  await scene.broker.reset("200", "discord:7");
  assert.deepEqual(waits.of("200"), []);
  scene.world.happened = "too late";
  await scene.pass(20_000);
  assert.deepEqual(scene.world.posted, []);
});

test("where the channel is not allowed any more, or is gone, nobody is woken and it is not tried for ever", async (t) => {
  for (const change of [{ channels: [] }, { isGone: true }]) {
    const scene = await waitsScene(t);
    Object.assign(scene.world, change);
    const waits = scene.live();
    waits.set({ ...WISH, id: "w1" }, BY);
    scene.world.happened = "Trial 7 has ended.";
    await scene.pass(2_000);
    assert.deepEqual([scene.prompts.length, scene.world.posted], [1, []]);
    assert.deepEqual(waits.of("200"), []);
  }
});

test("an agent that only waits for itself is stopped until a person writes", async (t) => {
  const scene = await waitsScene(t);
  const waits = scene.live();
  scene.world.happened = "It is so.";
  for (let i = 0; i < WAIT_LIMITS.inRow; i++) {
    const made = waits.set({ ...WISH, id: `w${i}` }, BY);
    assert.ok("wait" in made, `${i}`);
    await scene.pass(2_000);
    await scene.until("woken", () => scene.prompts.length === i + 2);
    scene.prompts.at(-1)!.end({ kind: "done", text: "again" });
    await scene.until("it is over", () => scene.broker.turns().length === 0);
  }
  const more = waits.set({ ...WISH, id: "more" }, BY);
  assert.match("refused" in more ? more.refused : "", /Nobody has written here/);
  scene.hear("2", "go on");
  assert.ok("wait" in waits.set({ ...WISH, id: "then" }, BY));
});

test("so many waits, so long and with so many words, and no more", async (t) => {
  const scene = await waitsScene(t);
  const waits = scene.live();
  const why = (more: object) => {
    const made = waits.set({ ...WISH, id: "x", ...more }, BY);
    return "refused" in made ? made.refused : "set";
  };
  assert.match(why({ atMost: 1_000 }), /Cannot wait 1 s/);
  assert.match(why({ atMost: NaN }), /Cannot wait/);
  assert.match(why({ atMost: 31 * 86_400_000 }), /30 days can be/);
  assert.match(why({ note: "x".repeat(501) }), /501 characters/);
  for (let i = 0; i < WAIT_LIMITS.perConversation; i++) assert.equal(why({ id: `w${i}` }), "set");
  assert.match(why({}), /10 waits already/);
});
