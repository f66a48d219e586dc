import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createScene,
  DAWN,
  HOUR,
  MINUTE,
  planText,
  says,
  sweepYaml,
  traceback,
} from "../../support/ground.ts";
import type { Scene } from "../../support/ground.ts";
import type { Fate } from "../../support/fated-cluster.ts";

const LONG: Fate = { runMs: 20 * HOUR };

function asked(scene: Scene, program: string, from: number, to: number): number {
  return scene.cluster.calls.filter((call) =>
    call.program === program && call.at - DAWN >= from && call.at - DAWN < to
  ).length;
}

test("a flood of 1,000 completions: few posts and ticks, and each trial told and counted once", async () => {
  // All of them end within twenty seconds, each with a sign of life of its own.
  const fate = (trial: number): Fate => trial < 3 ? { runMs: HOUR } : { runMs: HOUR + trial * 20 };
  using scene = createScene({ trials: 1_003, plan: planText(), fate });
  await scene.run();
  const completed = scene.posts().filter(({ kind }) => kind === "completed");
  const told = completed.flatMap(({ trials }) => trials?.map(([trial]) => trial) ?? []);
  assert.equal(told.length, 1_003, "each once");
  assert.equal(new Set(told).size, 1_003);
  const flood = (at: number) => at - DAWN >= HOUR;
  assert.ok(completed.length <= 60, `${completed.length} posts`);
  const ticks = scene.of("ticked").filter(({ at }) => flood(at));
  assert.ok(ticks.length <= 8, `${ticks.length} ticks`);
  assert.equal(scene.texts("1003 completed").length > 0, true);
  assert.deepEqual(new Set(scene.statuses()), new Set(["completed"]));
});

test("trials that end one by one for a day: ticks stay few, whatever ends", async () => {
  const fate = (trial: number): Fate => ({ runMs: HOUR + trial * 40_000 });
  using scene = createScene({ trials: 200, plan: planText(), fate });
  await scene.run();
  const hours = 200 * 40_000 / HOUR;
  const perHour = scene.of("ticked").length / hours;
  assert.ok(perHour <= 130, `${perHour} ticks in an hour`);
  assert.deepEqual(new Set(scene.statuses()), new Set(["completed"]));
});

test("new trials in the YAML are told of and submitted while it runs", async () => {
  using scene = createScene({ trials: 3, plan: planText(), fate: () => ({ runMs: 3 * HOUR }) });
  scene.after(HOUR, () => scene.edit(() => sweepYaml(5)));
  await scene.run();
  assert.equal(scene.statuses().length, 5);
  assert.deepEqual(new Set(scene.statuses()), new Set(["completed"]));
  assert.equal(scene.texts("the YAML was edited").length, 1);
  const fresh = scene.cluster.jobs.filter(({ trial }) => trial >= 3);
  assert.deepEqual(fresh.map(({ trial }) => trial), [3, 4]);
  assert.ok(fresh.every(({ startedAt }) => startedAt! - DAWN < HOUR + 2 * MINUTE));
});

test("a live trial that the YAML lost is not let go: said once, with what to do", async () => {
  using scene = createScene({ trials: 3, plan: planText(), fate: () => ({ runMs: 5 * HOUR }) });
  scene.after(HOUR, () => scene.edit(() => sweepYaml(2)));
  await scene.run();
  const said = scene.texts("Cannot let go of 1 trial");
  assert.equal(said.length, 1, said.join("\n"));
  assert.match(said[0]!, /Take the edit back/);
  assert.deepEqual(scene.statuses(), ["completed", "completed", "completed"]);
});

test("a broken YAML is said once, what was there before holds, and its mending is taken up", async () => {
  const fate = (trial: number, attempt: number): Fate =>
    trial === 1 && attempt === 1 ? { runMs: 2 * HOUR, end: "node-failure" } : { runMs: 4 * HOUR };
  using scene = createScene({ trials: 3, plan: planText(), fate });
  scene.after(HOUR, () => scene.edit((text) => text.replace("grid: all", "grid: [")));
  scene.after(3 * HOUR, () => scene.edit(() => sweepYaml(4)));
  await scene.run();
  const said = scene.texts("It goes on with what was there before");
  assert.equal(said.length, 1, said.join("\n"));
  assert.match(said[0]!, /hyperherd\.yaml/);
  const ticked = scene.of("ticked").filter(({ at }) => at - DAWN > HOUR && at - DAWN < 3 * HOUR);
  assert.ok(ticked.length >= 2, "it ticks on");
  assert.equal(scene.statuses().length, 4);
  assert.deepEqual(new Set(scene.statuses()), new Set(["completed"]));
});

test("fixed overrides that change under finished trials: said once with what to choose, the rest goes on", async () => {
  const fate = (trial: number): Fate => trial === 0 ? {} : { runMs: 5 * HOUR };
  using scene = createScene({ trials: 3, plan: planText(), fate });
  scene.after(HOUR, () => scene.edit((text) => `${text}static_overrides: ["epochs=3"]\n`));
  await scene.run();
  const said = scene.texts("Cannot tell whether");
  assert.equal(said.length, 1, said.join("\n"));
  assert.match(said[0]!, /--changed keep/);
  assert.deepEqual(new Set(scene.statuses()), new Set(["completed"]));
});

test("a disk that is full for two hours: nothing is lost, and the sweep ends as it would have", async () => {
  const fate = (trial: number, attempt: number): Fate =>
    trial === 4 && attempt === 1
      ? { runMs: 2 * HOUR, end: "out-of-memory", stderr: "Killed\n" }
      : { runMs: 90 * MINUTE + trial * MINUTE };
  using scene = createScene({
    trials: 6,
    plan: planText(),
    fate,
    think: (request) => says(request, "Noted."),
  });
  scene.after(HOUR, () => scene.setFull(true));
  scene.after(3 * HOUR, () => scene.setFull(false));
  const why = await scene.run();
  assert.equal(why, "every trial has come to its end");
  assert.deepEqual(new Set(scene.statuses()), new Set(["completed"]));
  assert.equal(scene.cluster.jobs.length, 7);
  const told = scene.posts().filter(({ kind }) => kind === "completed")
    .flatMap(({ trials }) => trials?.map(([trial]) => trial) ?? []);
  assert.deepEqual(told.toSorted(), [0, 1, 2, 3, 4, 5]);
  assert.ok(scene.texts("no space is left").length <= 1);
  const errors = scene.logged.filter(({ level }) => level === "error").length;
  assert.ok(errors > 0 && errors < 2_000, `${errors} lines in the log`);
  const looks = asked(scene, "squeue", HOUR, 3 * HOUR);
  assert.ok(looks < 500, `${looks} looks in two hours`);
});

test("a full disk does not make the agent be asked again and again", async () => {
  using scene = createScene({
    trials: 1,
    plan: planText(),
    fate: () => LONG,
    think: (request) => says(request, "Fine."),
  });
  scene.after(HOUR, () => void scene.say("is the schedule of trial 0 sensible?", "a"));
  scene.after(HOUR, () => scene.setFull(true));
  scene.after(5 * HOUR, () => scene.setFull(false));
  await scene.run({ forMs: 7 * HOUR });
  assert.ok(scene.asked.length <= 40, `asked ${scene.asked.length} times`);
  assert.equal(scene.posts().filter(({ replyTo }) => replyTo === "a").length, 1);
});

test("a scheduler that is out for an hour: asked less and less, said once, caught up when it is back", async () => {
  const fate = (trial: number): Fate =>
    trial === 2 ? { runMs: 90 * MINUTE, end: "timeout" } : { runMs: 4 * HOUR };
  using scene = createScene({
    trials: 4,
    plan: planText({ remediation: "notify" }),
    fate,
  });
  scene.after(HOUR, () => {
    scene.cluster.down = true;
  });
  scene.after(2 * HOUR, () => {
    scene.cluster.down = false;
  });
  await scene.run();
  const looks = asked(scene, "squeue", HOUR, 2 * HOUR);
  assert.ok(looks >= 5 && looks <= 20, `${looks} looks in the hour`);
  const said = scene.texts(/connect failure/);
  assert.ok(said.length <= 2, said.join("\n"));
  assert.equal(said.filter((text) => text.includes("queue")).length, 1);
  const told = scene.posts().find(({ text }) => text.startsWith("trial 2 failed"))!;
  assert.ok(told.at - DAWN < 2 * HOUR + 11 * MINUTE, "by the backed-off look");
  assert.deepEqual(scene.statuses(), ["completed", "completed", "failed", "completed"]);
});

test("a scheduler that is out when a stage is due: submitted when it is back, once", async () => {
  const fate = (): Fate => ({
    runMs: 3 * HOUR,
    stdout: "loading\n",
    points: [{ afterMs: 90 * MINUTE, metric: "loss", value: 1 }],
  });
  using scene = createScene({ trials: 5, plan: planText(), fate });
  scene.after(80 * MINUTE, () => {
    scene.cluster.down = true;
  });
  scene.after(140 * MINUTE, () => {
    scene.cluster.down = false;
  });
  await scene.run();
  assert.equal(scene.cluster.jobs.length, 5, "no trial twice");
  assert.deepEqual(new Set(scene.statuses()), new Set(["completed"]));
  const tries = asked(scene, "sbatch", 80 * MINUTE, 140 * MINUTE) +
    asked(scene, "sinfo", 80 * MINUTE, 140 * MINUTE);
  assert.ok(tries <= 130, `${tries} tries to submit in an hour`);
  assert.ok(scene.texts(/connect failure|Cannot reach/).length <= 3);
});

test("a quiet sweep is looked at once a minute at the most, and nothing is written by it", async () => {
  using scene = createScene({ trials: 100, plan: planText(), fate: () => LONG });
  await scene.run({ forMs: 6 * HOUR });
  const looks = asked(scene, "squeue", HOUR, 6 * HOUR) / 5;
  assert.ok(looks >= 50 && looks <= 70, `${looks} in an hour`);
  assert.equal(asked(scene, "sacct", HOUR, 6 * HOUR), 0);
  const written = scene.events.filter(({ at }) => at - DAWN > HOUR && at - DAWN < 6 * HOUR);
  assert.ok(written.length <= 5 * 2 * 2 + 2, `${written.length} events in five hours`);
});

test("a budget that is used up while a failure waits for judgement makes no flood of ticks", async () => {
  const fate = (trial: number): Fate =>
    trial === 2 ? { end: "failed", runMs: 2 * HOUR, stderr: traceback("KeyError: 'lr'") } : LONG;
  using scene = createScene({
    trials: 3,
    more: "agent: {budget: {day: 0.001, sweep: 100, tick: 1}}",
    plan: planText({ remediation: "notify" }),
    fate,
    think: (request) => says(request, "Hm."),
  });
  scene.after(HOUR, () => void scene.say("what about my first thought?", "a"));
  await scene.run({ forMs: 6 * HOUR });
  assert.ok(scene.of("ticked").length < 60, `${scene.of("ticked").length} ticks`);
  assert.equal(scene.of("budget-reached").length, 1);
});

test("a person's stop holds: what they cancelled is not submitted again", async () => {
  using scene = createScene({ trials: 4, plan: planText(), fate: () => LONG });
  scene.after(HOUR, () => void scene.say("cancel 2", "a"));
  await scene.run({ forMs: 3 * HOUR });
  await scene.run({ forMs: 3 * HOUR });
  assert.equal(scene.statuses()[2], "cancelled");
  assert.equal(scene.cluster.jobs.length, 4);
});

test("'pause' ends the monitor, its trials go on, and it is taken up again as it was", async () => {
  using scene = createScene({ trials: 2, plan: planText(), fate: () => ({ runMs: 4 * HOUR }) });
  scene.after(HOUR, () => void scene.say("pause", "a"));
  const why = await scene.run();
  assert.match(why, /alice/);
  assert.equal(scene.posts().at(-1)?.kind, "stopped");
  assert.ok(scene.now() - DAWN < HOUR + MINUTE);
  assert.equal(await scene.run(), "every trial has come to its end");
  assert.equal(scene.cluster.jobs.length, 2);
});
