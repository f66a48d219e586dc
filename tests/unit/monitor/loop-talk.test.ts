import assert from "node:assert/strict";
import { test } from "node:test";
import type { ThinkRequest, Thought } from "../../../lib/agent/agent.ts";
import {
  createScene,
  DAWN,
  HOUR,
  MINUTE,
  planText,
  says,
  traceback,
} from "../../support/ground.ts";
import type { Scene } from "../../support/ground.ts";
import type { Fate } from "../../support/fated-cluster.ts";

const LONG: Fate = { runMs: 20 * HOUR };

function repliesTo(scene: Scene, id: string): string[] {
  return scene.posts().filter(({ replyTo }) => replyTo === id).map(({ text }) => text);
}

function down(): Thought {
  const failure = {
    kind: "overloaded",
    message: "The model is overloaded (529)",
    status: 529,
    retryAfterMs: undefined,
  } as const;
  return { kind: "failed", failure, text: "" };
}

test("what rules understand is answered within seconds, once, and without the model", async () => {
  using scene = createScene({
    trials: 1,
    plan: planText(),
    fate: () => LONG,
    think: (request) => says(request, "no"),
  });
  scene.after(HOUR, () => {
    void scene.say("how's it going?", "a");
    void scene.say("/status", "b");
    void scene.say("cancel 0", "c");
    // A channel that delivers twice.
    void scene.say("cancel 0", "c");
  });
  await scene.run();
  assert.match(repliesTo(scene, "a").join("|"), /1 running/);
  assert.deepEqual(repliesTo(scene, "b"), ["answer to /status"]);
  assert.equal(repliesTo(scene, "c").length, 1);
  assert.match(repliesTo(scene, "c")[0]!, /trial 0/);
  const replies = scene.posts().filter(({ replyTo }) => replyTo !== undefined);
  assert.ok(replies.every(({ at }) => at - DAWN < HOUR + 2_000));
  assert.ok(scene.asked.every(({ purpose }) => purpose === "report"));
  assert.deepEqual(scene.statuses(), ["cancelled"]);
});

test("what rules do not understand is the agent's: one turn for all that waits, each message answered once", async () => {
  using scene = createScene({
    trials: 1,
    plan: planText(),
    fate: () => LONG,
    think: async (request) => {
      await scene.ground.clock.sleep(20_000);
      return await says(request, "Because its node is slow.");
    },
  });
  scene.after(HOUR, () => {
    void scene.say("why is idx 0 so slow, compared to last week?", "a");
    void scene.say("and what would you change about the learning rate?", "b");
  });
  scene.after(HOUR + 10_000, () => void scene.say("tell me more about that node", "c"));
  await scene.run({ forMs: 2 * HOUR });
  assert.deepEqual(scene.asked.map(({ purpose }) => purpose), ["message", "message"]);
  assert.equal(repliesTo(scene, "b").length, 1);
  assert.equal(repliesTo(scene, "c").length, 1);
  assert.deepEqual(scene.of("messages-handled").map(({ ids }) => ids), [["a", "b"], ["c"]]);
  assert.equal(scene.ground.state().monitor.pending.length, 0);
});

test("without an agent a message that nobody understands is told what can be said", async () => {
  using scene = createScene({ trials: 1, plan: planText(), fate: () => LONG });
  scene.after(HOUR, () => void scene.say("write me a poem about gradients", "a"));
  await scene.run({ forMs: 2 * HOUR });
  assert.equal(repliesTo(scene, "a").length, 1);
  assert.match(repliesTo(scene, "a")[0]!, /\/help/);
});

test("killed while the agent thinks: the message is answered after the restart, once", async () => {
  let deaths = 1;
  using scene = createScene({
    trials: 1,
    plan: planText(),
    fate: () => LONG,
    dies: (at) => "event" in at && at.event.type === "model-used" && deaths-- > 0,
    think: (request) => says(request, "It is fine."),
  });
  scene.after(HOUR, () => void scene.say("is the schedule of trial 0 sensible?", "a"));
  await scene.run({ forMs: 2 * HOUR });
  assert.deepEqual(repliesTo(scene, "a"), []);
  await scene.run({ forMs: HOUR });
  assert.deepEqual(repliesTo(scene, "a"), ["It is fine."]);
  assert.equal(scene.ground.state().monitor.spent.calls, 2, "the lost turn is paid for as well");
});

test("on quiet ticks the agent is asked nothing; with `ticks: every` it is asked at each", async () => {
  for (const [more, most] of [["", 0], ["agent: {ticks: every}", Infinity]] as const) {
    using scene = createScene({
      trials: 1,
      more,
      plan: planText(),
      fate: () => LONG,
      think: (request) => says(request, "All is well."),
    });
    await scene.run({ forMs: 6 * HOUR });
    const ticks = scene.of("ticked").length;
    assert.ok(ticks >= 6, `${ticks}`);
    assert.equal(scene.asked.length, Math.min(most, ticks));
  }
});

test("every tick says when the next is due, and it comes then", async () => {
  using scene = createScene({ trials: 1, plan: planText(), fate: () => LONG });
  await scene.run({ forMs: 12 * HOUR });
  const ticks = scene.of("ticked");
  for (const { tick } of ticks) assert.match(tick.summary, /Next tick in .+\.$/);
  for (const [i, { tick }] of ticks.entries()) {
    const next = ticks[i + 1];
    if (next !== undefined) assert.ok(Math.abs(next.tick.startedAt - tick.nextAt) < 2_000);
  }
});

test("the cadence is quick during the rollout and after news, and slow when all is quiet", async () => {
  const fate = (trial: number): Fate => trial === 0 ? { ...LONG, stdout: "loading data\n" } : LONG;
  using scene = createScene({ trials: 2, plan: planText(), fate, canAsk: true });
  scene.after(6 * HOUR, () => void scene.say("continue"));
  await scene.run({ forMs: 12 * HOUR });
  const gaps = (from: number, to: number) =>
    scene.of("ticked").map(({ tick }) => tick.startedAt - DAWN)
      .filter((at) => at >= from && at < to).map((at, i, all) => at - (all[i - 1] ?? at)).slice(1);
  assert.ok(gaps(0, 6 * HOUR).every((gap) => gap >= MINUTE && gap <= 5 * MINUTE));
  assert.ok(gaps(8 * HOUR, 12 * HOUR).every((gap) => gap >= 30 * MINUTE && gap <= HOUR));
  assert.ok(gaps(8 * HOUR, 12 * HOUR).length >= 3);
});

test("a wish for the next tick holds once", async () => {
  using scene = createScene({ trials: 1, plan: planText(), fate: () => LONG });
  scene.after(3 * HOUR, () => void scene.say("tick every 20 min", "a"));
  await scene.run({ forMs: 4 * HOUR });
  const after = scene.of("ticked").map(({ tick }) => tick.startedAt - DAWN - 3 * HOUR)
    .filter((at) => at > MINUTE);
  assert.ok(after[0]! >= 19 * MINUTE && after[0]! <= 21 * MINUTE, `${after}`);
});

test("a heartbeat with the totals comes every five minutes and is kept nowhere", async () => {
  using scene = createScene({ trials: 1, plan: planText(), fate: () => LONG });
  await scene.run({ forMs: HOUR });
  const beats = scene.notices.filter(({ kind }) => kind === "heartbeat");
  assert.ok(beats.length >= 10 && beats.length <= 13, `${beats.length}`);
  assert.equal(scene.posts().filter(({ text }) => text.includes("of 1 ·")).length, 0);
});

test("an outage of the model: said once, the rules go on, its return said once, the message answered", async () => {
  const isDown = (scene: Scene) => scene.now() - DAWN > HOUR / 2 && scene.now() - DAWN < 5 * HOUR;
  const fate = (trial: number, attempt: number): Fate =>
    trial === 1 && attempt === 1 ? { runMs: HOUR, end: "out-of-memory", stderr: "Killed\n" } : LONG;
  using scene: Scene = createScene({
    trials: 3,
    plan: planText(),
    fate,
    think: (request: ThinkRequest) =>
      isDown(scene) ? down() : says(request, "Its loss goes down slowly."),
  });
  scene.after(2 * HOUR, () => void scene.say("what do you make of trial 0's curve?", "a"));
  await scene.run({ forMs: 8 * HOUR });
  assert.equal(scene.texts("overloaded").length, 1);
  assert.equal(scene.texts("answers again").length, 1);
  assert.deepEqual(repliesTo(scene, "a"), ["Its loss goes down slowly."]);
  assert.equal(scene.of("bumped").length, 1, "rules go on");
  assert.ok(scene.asked.length < 30, `asked ${scene.asked.length} times in three hours`);
  const answered = scene.posts().find(({ replyTo }) => replyTo === "a")!;
  assert.ok(answered.at - DAWN < 5 * HOUR + 31 * MINUTE);
});

test("a word that waits for the model after the sweep's end makes no tick after the other", async () => {
  let isDown = true;
  using scene: Scene = createScene({
    trials: 2,
    plan: planText(),
    fate: () => ({ runMs: 2 * HOUR }),
    think: (request: ThinkRequest) => isDown ? down() : says(request, "It went well."),
  });
  scene.after(2 * HOUR - MINUTE, () => void scene.say("how did it go?", "a"));
  scene.after(5 * HOUR, () => {
    isDown = false;
  });
  await scene.run({ forMs: 8 * HOUR });
  assert.deepEqual(repliesTo(scene, "a"), ["It went well."]);
  const ticks = scene.of("ticked").length;
  assert.ok(ticks < 80, `${ticks} ticks`);
});

test("what failed while the model was out is judged when it is back", async () => {
  let isDown = true;
  const fate = (trial: number): Fate =>
    trial === 2 ? { end: "failed", runMs: 10 * MINUTE, stderr: traceback("KeyError: 'lr'") } : LONG;
  using scene = createScene({
    trials: 3,
    plan: planText({ remediation: "notify" }),
    fate,
    think: (request) => isDown ? down() : says(request, "The key is missing in the YAML."),
  });
  scene.after(HOUR, () => {
    isDown = false;
  });
  await scene.run({ forMs: 3 * HOUR });
  assert.equal(scene.asked.at(-1)?.purpose, "failure");
  assert.match(scene.asked.at(-1)?.prompt ?? "", /KeyError/);
  assert.equal(scene.texts("The key is missing").length, 1);
});

test("at its budget the agent is not asked, which is said once, and people are still answered", async () => {
  using scene = createScene({
    trials: 1,
    more: "agent: {budget: {day: 0.01, sweep: 100, tick: 1}}",
    plan: planText(),
    fate: () => LONG,
    think: (request) => says(request, "Hm.", { input: 4_000 }),
  });
  for (const n of [1, 2, 3, 4, 5]) {
    scene.after(n * HOUR, () => void scene.say(`what about number ${n} of my thoughts?`, `m${n}`));
  }
  await scene.run({ forMs: 8 * HOUR });
  const spent = scene.ground.state().monitor.spent.usd;
  assert.ok(spent >= 0.01 && spent < 0.03, `${spent}`);
  assert.equal(scene.of("budget-reached").length, 1);
  for (const n of [1, 2, 3, 4, 5]) assert.equal(repliesTo(scene, `m${n}`).length, 1, `m${n}`);
  assert.match(repliesTo(scene, "m5")[0]!, /budget/);
  const calls = scene.asked.length;
  await scene.run({ forMs: HOUR });
  assert.equal(scene.asked.length, calls, "the budget outlives a restart");
});

test("a new day has a new budget", async () => {
  using scene = createScene({
    trials: 1,
    more: "agent: {budget: {day: 0.01, sweep: 100, tick: 1}}",
    plan: planText(),
    fate: () => ({ runMs: 60 * HOUR }),
    think: (request) => says(request, "Hm.", { input: 8_000 }),
  });
  scene.after(HOUR, () => void scene.say("what about my first thought?", "a"));
  scene.after(2 * HOUR, () => void scene.say("what about my second thought?", "b"));
  scene.after(25 * HOUR, () => void scene.say("what about my third thought?", "c"));
  await scene.run({ forMs: 26 * HOUR });
  assert.deepEqual(repliesTo(scene, "a"), ["Hm."]);
  assert.match(repliesTo(scene, "b").join(), /budget/);
  assert.deepEqual(repliesTo(scene, "c"), ["Hm."]);
});

test("the end of a sweep is told by the agent with the facts, once", async () => {
  using scene = createScene({
    trials: 2,
    plan: planText(),
    think: (request) => says(request, "Trial 1 is the one to keep."),
  });
  await scene.run();
  assert.deepEqual(scene.asked.map(({ purpose }) => purpose), ["report"]);
  assert.equal(scene.texts("Trial 1 is the one to keep").length, 1);
});

test("a plateau is asked about only when the plan does, and once", async () => {
  const fate = (trial: number): Fate => ({
    runMs: (trial + 1) * 5 * MINUTE,
    points: [{ afterMs: MINUTE, metric: "acc", value: trial === 0 ? 0.9 : 0.5 }],
  });
  for (const [rules, times] of [["", 0], ["Tell me of a plateau over 3 trials.", 1]] as const) {
    using scene = createScene({
      trials: 7,
      plan: planText({ metric: "acc", direction: "max", customRules: rules }),
      fate,
      think: (request) => says(request, "No better one came."),
    });
    await scene.run();
    const asked = scene.asked.filter(({ purpose }) => purpose === "plateau");
    assert.equal(asked.length, times, `asked ${asked.length} times for "${rules}"`);
  }
});

test("an answer that the rules do not understand is read by the model into one that they know", async () => {
  using scene = createScene({
    trials: 1,
    canAsk: true,
    think: (request) => says(request, "ANSWER: maximize val_acc"),
  });
  scene.after(
    MINUTE,
    () => void scene.say("the validation accuracy should be as good as can be, please and thanks"),
  );
  scene.after(2 * MINUTE, () => void scene.say("defaults"));
  await scene.run();
  assert.equal(scene.asked[0]?.purpose, "interview");
  assert.match(scene.plan() ?? "", /val_acc/);
});
