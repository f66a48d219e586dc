import assert from "node:assert/strict";
import { test } from "node:test";
import { createScene, DAWN, HOUR, MINUTE, planText } from "../../support/ground.ts";
import type { Scene } from "../../support/ground.ts";

/** The first time that something was said. */
function saidAt(scene: Scene, part: string): number {
  const post = scene.posts().find(({ text }) => text.includes(part));
  assert.ok(post, `nobody said "${part}" in:\n${scene.texts().join("\n")}`);
  return post.at - DAWN;
}

function phases(scene: Scene): string[] {
  return scene.of("phase-entered").map(({ phase, trials }) => `${phase} ${trials.join()}`.trim());
}

test("a fresh sweep goes from the canary over its stages to done, and the monitor ends by itself", async () => {
  using scene = createScene({ trials: 6, plan: planText() });
  assert.equal(await scene.run(), "every trial has come to its end");
  assert.deepEqual(phases(scene), ["canary 0", "stage 1,2", "live 3,4,5", "done"]);
  assert.deepEqual(new Set(scene.statuses()), new Set(["completed"]));
  assert.equal(scene.of("monitor-started")[0]?.boot, "greenfield");
  assert.equal(scene.posts().at(-1)?.kind, "stopped");
  assert.deepEqual(scene.logged.filter(({ level }) => level === "error"), []);
});

test("the last tick follows the end of the last trial at once, though many ticks came before it", async () => {
  const fate = (trial: number) => ({ runMs: 10 * MINUTE + trial * 1_000 });
  using scene = createScene({ trials: 30, plan: planText(), fate });
  await scene.run();
  const [last] = scene.of("phase-entered").filter(({ phase }) => phase === "done");
  const [stopped] = scene.of("monitor-stopped");
  const ticks = scene.of("ticked").filter(({ at }) => at >= last!.at);
  assert.equal(ticks.length, 1);
  assert.ok(stopped!.at - last!.at < 2_000, `it ended ${stopped!.at - last!.at} ms later`);
});

test("the reason why there is no agent is said once at the start", async () => {
  using scene = createScene({ trials: 1, plan: planText() });
  await scene.run();
  const [first] = scene.texts();
  assert.equal(first?.match(/no agent/gi)?.length, 1, first);
  assert.match(first ?? "", /ANTHROPIC_API_KEY/);
});

test("stages are as the YAML says, and the next begins when the one before trains", async () => {
  const more = "monitor: {rollout: [2, 3, rest]}";
  const fate = (trial: number) => ({
    runMs: HOUR / 2,
    stdout: "loading data\n",
    points: [{ afterMs: (trial + 1) * MINUTE, metric: "loss", value: 1 }],
  });
  using scene = createScene({ trials: 9, more, plan: planText(), fate });
  await scene.run();
  assert.deepEqual(phases(scene), ["canary 0,1", "stage 2,3,4", "live 5,6,7,8", "done"]);
  const [, second, third] = scene.of("phase-entered");
  assert.ok(second!.at - DAWN >= 2 * MINUTE, "trial 1 logs after two minutes");
  assert.ok(second!.at - DAWN < 4 * MINUTE);
  assert.ok(third!.at - second!.at >= 5 * MINUTE, "trial 4 logs after five minutes");
});

test("a canary that is silent in its set-up holds the sweep up, is warned of once, and 'continue' goes on", async () => {
  const fate = () => ({ stdout: "loading data\n", end: "never" as const });
  using scene = createScene({ trials: 4, plan: planText(), fate, canAsk: true });
  scene.after(2 * HOUR, () => void scene.say("continue"));
  await scene.run({ forMs: 3 * HOUR });
  assert.deepEqual(
    scene.of("warned").filter(({ trial }) => trial === 0).map(({ about }) => about),
    ["setup"],
  );
  const stuck = scene.texts(/waiting for a word: trial 0/);
  assert.equal(stuck.length, 1, stuck.join("\n"));
  assert.match(stuck[0]!, /"continue"/);
  const stage = scene.of("phase-entered").find(({ stage }) => stage === 1);
  assert.ok(stage!.at - DAWN >= 2 * HOUR && stage!.at - DAWN < 2 * HOUR + MINUTE);
  assert.equal(scene.statuses()[0], "running", "nothing kills it");
});

test("trials that run already are taken over without a canary", async () => {
  using scene = createScene({ trials: 4, plan: planText() });
  await scene.ground.define();
  await scene.ground.act({ verb: "run", indices: [0, 1] }, "cli:alice");
  await scene.run();
  assert.equal(scene.of("monitor-started")[0]?.boot, "hot-reload");
  assert.deepEqual(phases(scene), ["live 2,3", "done"]);
  assert.equal(scene.cluster.jobs.length, 4);
});

test("a hot reload asks two questions, each after the answer to the one before", async () => {
  using scene = createScene({ trials: 3, canAsk: true });
  await scene.ground.define();
  await scene.ground.act({ verb: "run", indices: [0] }, "cli:alice");
  scene.after(MINUTE, () => void scene.say("minimize val_loss"));
  scene.after(2 * MINUTE, () => void scene.say("1"));
  await scene.run();
  assert.deepEqual(scene.of("question-asked").map(({ question }) => question.id), [
    "objective",
    "remediation",
  ]);
  assert.deepEqual(scene.of("question-closed").map(({ answer }) => answer), [
    "minimize val_loss",
    "remediate",
  ]);
  assert.match(scene.plan() ?? "", /val_loss/);
});

test("the interview asks one question per message, and nothing is submitted before its end", async () => {
  using scene = createScene({ trials: 2, canAsk: true });
  scene.after(MINUTE, () => void scene.say("maximize val_acc"));
  scene.after(2 * MINUTE, () => {
    assert.equal(scene.cluster.jobs.length, 0);
    void scene.say("remediate");
  });
  scene.after(3 * MINUTE, () => void scene.say("results-json"));
  await scene.run();
  const asked = scene.of("question-asked");
  assert.deepEqual(asked.map(({ question }) => question.id), [
    "objective",
    "remediation",
    "source",
  ]);
  assert.ok(asked[1]!.at >= DAWN + MINUTE && asked[2]!.at >= DAWN + 2 * MINUTE);
  assert.equal(scene.of("messages-handled").length, 3);
  assert.equal(scene.texts("plan: maximize val_acc, on failures remediate").length, 1);
  assert.deepEqual(new Set(scene.statuses()), new Set(["completed"]));
});

test("'defaults' ends the interview at once", async () => {
  using scene = createScene({ trials: 1, canAsk: true });
  scene.after(MINUTE, () => void scene.say("defaults"));
  await scene.run();
  assert.equal(scene.of("question-asked").length, 1);
  assert.ok(saidAt(scene, "canary") < MINUTE + 2_000);
  assert.equal(scene.texts("no metric, on failures notify").length, 1);
});

test("silence is taken for the defaults after ten minutes", async () => {
  using scene = createScene({ trials: 1, canAsk: true });
  await scene.run();
  assert.equal(scene.texts("Nobody answered").length, 1);
  const canary = saidAt(scene, "canary");
  assert.ok(canary >= 10 * MINUTE && canary < 11 * MINUTE, `${canary}`);
});

test("where nobody can be asked the defaults are taken at once", async () => {
  using scene = createScene({ trials: 1 });
  await scene.run();
  assert.equal(scene.of("question-asked").length, 0);
  assert.ok(saidAt(scene, "canary") < 2_000);
  assert.match(scene.plan() ?? "", /notify/);
});

test("a restart in the interview asks nothing twice and keeps the answers", async () => {
  using scene = createScene({ trials: 1, canAsk: true });
  scene.after(MINUTE, () => void scene.say("maximize val_acc"));
  await scene.run({ forMs: 2 * MINUTE });
  scene.after(MINUTE, () => void scene.say("notify"));
  scene.after(2 * MINUTE, () => void scene.say("results-json"));
  await scene.run();
  const asked = scene.of("question-asked").map(({ question }) => question.id);
  assert.deepEqual(asked, ["objective", "remediation", "source"]);
});

test("a sweep that had ended gets a summary and one question, and ends when it is answered with 'halt'", async () => {
  using scene = createScene({ trials: 2, plan: planText() });
  await scene.run();
  const ended = scene.events.length;
  using again = reopened(scene);
  again.after(MINUTE, () => void again.say("halt"));
  const why = await again.run();
  assert.match(why, /nothing is to be run again/);
  const fresh = again.events.slice(ended);
  assert.equal(fresh.filter(({ what }) => what.type === "question-asked").length, 1);
  assert.equal(again.cluster.calls.filter(({ program }) => program === "sbatch").length, 2);
});

test("'rerun failed' after the end runs what failed again", async () => {
  let mended = false;
  const fate = () => mended ? {} : { end: "failed" as const, stderr: "KeyError: 'a'\n" };
  using scene = createScene({
    trials: 1,
    plan: planText({ remediation: "notify" }),
    fate,
    canAsk: true,
  });
  await scene.run();
  assert.deepEqual(scene.statuses(), ["failed"]);
  mended = true;
  scene.after(MINUTE, () => void scene.say("rerun failed"));
  await scene.run();
  assert.deepEqual(scene.statuses(), ["completed"]);
});

test("a sweep that had ended and nobody to ask is over at once", async () => {
  using scene = createScene({ trials: 2, plan: planText() });
  await scene.run();
  const before = scene.now();
  await scene.run();
  assert.ok(scene.now() - before < 5_000);
  assert.equal(scene.of("monitor-started").at(-1)?.boot, "post-mortem");
});

test("nobody answers after the end: the monitor ends after ten minutes", async () => {
  using scene = createScene({ trials: 1, plan: planText(), canAsk: true });
  await scene.run();
  const before = scene.now();
  await scene.run();
  const waited = scene.now() - before;
  assert.ok(waited >= 10 * MINUTE && waited < 11 * MINUTE, `${waited}`);
});

test("a restart goes on where it was: same phase, no trial submitted twice, counters kept", async () => {
  using scene = createScene({ trials: 6, plan: planText(), fate: () => ({ runMs: HOUR }) });
  await scene.run({ forMs: 10 * MINUTE });
  const ticks = scene.ground.state().monitor.ticks;
  await scene.run();
  assert.deepEqual(phases(scene), ["canary 0", "stage 1,2", "live 3,4,5", "done"]);
  assert.equal(scene.cluster.jobs.length, 6);
  const numbers = scene.of("ticked").map(({ tick }) => tick.number);
  assert.deepEqual(numbers, numbers.map((_, i) => i + 1));
  assert.ok(numbers.length > ticks);
});

test("once: one step, one tick and nothing said of a beginning", async () => {
  using scene = createScene({ trials: 3, plan: planText() });
  assert.equal(await scene.run({ once: true }), "one tick was asked for");
  assert.deepEqual(phases(scene), ["canary 0"]);
  assert.equal(scene.of("ticked").length, 1);
  assert.equal(scene.texts("monitoring").length, 0);
});

test("max ticks: it ends after so many", async () => {
  using scene = createScene({ trials: 2, plan: planText(), fate: () => ({ end: "never" }) });
  assert.equal(await scene.run({ maxTicks: 3 }), "3 ticks were asked for");
  assert.equal(scene.of("ticked").length, 3);
});

/** The same sweep with somebody to ask. */
function reopened(scene: Scene): Scene {
  Object.defineProperty(scene.ground, "canAsk", { value: true });
  return { ...scene, [Symbol.dispose]: () => {} };
}
