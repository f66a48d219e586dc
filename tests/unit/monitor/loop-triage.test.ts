import assert from "node:assert/strict";
import { test } from "node:test";
import { createScene, DAWN, HOUR, MINUTE, planText, traceback } from "../../support/ground.ts";
import type { Fate } from "../../support/fated-cluster.ts";
import type { Scene } from "../../support/ground.ts";

const OOM: Fate = { runMs: 5 * MINUTE, end: "out-of-memory", stderr: "Killed\n" };

function attempts(scene: Scene, trial: number): number {
  return scene.cluster.jobs.filter((job) => job.trial === trial).length;
}

function verdicts(scene: Scene): string[] {
  return scene.of("triaged").flatMap(({ verdicts }) =>
    verdicts.map(({ trial, decision }) => `${trial} ${decision}`)
  );
}

test("out of memory: half as much more is written into the YAML and the trial runs again", async () => {
  const fate = (trial: number, attempt: number) => trial === 3 && attempt === 1 ? OOM : {};
  using scene = createScene({ trials: 5, plan: planText(), fate });
  await scene.run();
  assert.match(scene.yaml(), /mem: "?6G/);
  assert.deepEqual(verdicts(scene), ["3 bump"]);
  assert.equal(attempts(scene, 3), 2);
  assert.equal(scene.cluster.jobs.at(-1)?.memoryMiB, 6144);
  assert.equal(scene.texts("bumped slurm.mem 4G→6G").length, 1);
  assert.deepEqual(new Set(scene.statuses()), new Set(["completed"]));
});

test("a timeout gets more time, and after the one bump of its class a person is told", async () => {
  const fate = (trial: number): Fate =>
    trial === 3 ? { runMs: 30 * MINUTE, end: "timeout" } : { runMs: MINUTE };
  using scene = createScene({ trials: 5, plan: planText(), fate });
  await scene.run();
  assert.deepEqual(verdicts(scene), ["3 bump", "3 notify"]);
  assert.match(scene.yaml(), /time: "1:30:00"/);
  assert.equal(attempts(scene, 3), 2);
  assert.equal(scene.statuses()[3], "failed");
});

test("notify: nothing is bumped and nothing runs again", async () => {
  const fate = (trial: number) => trial === 0 ? {} : OOM;
  using scene = createScene({ trials: 3, plan: planText({ remediation: "notify" }), fate });
  await scene.run();
  assert.deepEqual(verdicts(scene), ["1 notify", "2 notify"]);
  assert.match(scene.yaml(), /mem: 4G/);
  assert.equal(scene.cluster.jobs.length, 3);
});

test("several trials that run out of memory together share one bump and one submission", async () => {
  const fate = (trial: number, attempt: number) => trial >= 3 && attempt === 1 ? OOM : {};
  using scene = createScene({ trials: 10, plan: planText(), fate });
  await scene.run();
  assert.equal(scene.of("bumped").length, 1);
  assert.equal(scene.cluster.calls.filter(({ program }) => program === "sbatch").length, 4);
  assert.deepEqual(new Set(scene.statuses()), new Set(["completed"]));
});

test("a node failure: the trial runs again as it was", async () => {
  const fate = (trial: number, attempt: number): Fate =>
    trial === 1 && attempt === 1 ? { end: "node-failure", runMs: MINUTE } : {};
  using scene = createScene({ trials: 4, plan: planText(), fate });
  await scene.run();
  assert.deepEqual(verdicts(scene), ["1 retry"]);
  assert.deepEqual(new Set(scene.statuses()), new Set(["completed"]));
});

test("the same exception in two trials halts, live ones go on, and 'continue' ends the halt", async () => {
  let mended = false;
  const fate = (trial: number): Fate =>
    trial >= 3 && trial < 5 && !mended
      ? {
        end: "failed",
        runMs: 5 * MINUTE + trial * 1000,
        stderr: traceback(`ValueError: shape ${trial}`),
      }
      : trial === 5
      ? { runMs: 2 * HOUR }
      : {};
  using scene = createScene({ trials: 6, plan: planText({ remediation: "notify" }), fate });
  scene.after(HOUR, () => {
    assert.equal(scene.statuses()[5], "running");
    mended = true;
    void scene.say("continue");
    void scene.say("retry failed trials", "again");
  });
  await scene.run();
  assert.equal(scene.of("halted").length, 1);
  assert.equal(scene.texts(/^halted: /).length, 1, scene.texts().join("\n"));
  assert.equal(scene.of("unhalted").length, 1);
  assert.deepEqual(new Set(scene.statuses()), new Set(["completed"]));
});

test("a person's continue passes a canary that failed, by whatever door; a model's does not", async () => {
  const fate = (trial: number): Fate =>
    trial === 0
      ? { end: "failed", runMs: 30_000, stderr: traceback("ImportError: no torch"), stdout: "" }
      : {};
  using scene = createScene({ trials: 4, plan: planText({ remediation: "notify" }), fate });
  const before: string[] = [];
  for (const [i, by] of ["agent", "mcp:alice", "api:alice"].entries()) {
    scene.after((i + 1) * HOUR, () => {
      before.push(`${by}: ${scene.statuses().slice(1).join()}`);
      void scene.ground.act({ verb: "continue" }, by);
    });
  }
  await scene.run({ forMs: 6 * HOUR });
  const waits = "ready,ready,ready";
  assert.deepEqual(before, [`agent: ${waits}`, `mcp:alice: ${waits}`, `api:alice: ${waits}`]);
  assert.deepEqual(scene.statuses(), ["failed", "completed", "completed", "completed"]);
});

test("while it is halted nothing is submitted, not even stages that wait", async () => {
  const fate = (trial: number): Fate =>
    trial === 1 || trial === 2
      ? { end: "failed", runMs: 30_000, stderr: traceback("ImportError: no torch"), stdout: "" }
      : {};
  using scene = createScene({ trials: 8, plan: planText(), fate, canAsk: true });
  await scene.run({ forMs: 6 * HOUR });
  assert.equal(scene.of("halted").length, 1);
  assert.deepEqual(new Set(scene.cluster.jobs.map(({ trial }) => trial)), new Set([0, 1, 2]));
});

test("one exception in one trial gets one more try, and a second failure is a person's", async () => {
  const fate = (trial: number): Fate =>
    trial === 2 ? { end: "failed", runMs: MINUTE, stderr: traceback("KeyError: 'a'") } : {};
  using scene = createScene({ trials: 4, plan: planText(), fate });
  await scene.run();
  assert.deepEqual(verdicts(scene), ["2 retry", "2 notify"]);
  assert.equal(attempts(scene, 2), 2);
});

test("killed between a bump's entry and the YAML's edit: the next start makes the edit, once", async () => {
  const fate = (trial: number, attempt: number) => trial === 0 && attempt === 1 ? OOM : {};
  let deaths = 1;
  using scene = createScene({
    trials: 2,
    plan: planText(),
    fate,
    dies: (at) => "point" in at && at.point === "bump-intended" && deaths-- > 0,
  });
  await scene.run();
  assert.match(scene.yaml(), /mem: 4G/);
  assert.equal(scene.of("bumped").length, 1);
  assert.equal(scene.of("bump-applied").length, 0);
  await scene.run();
  assert.match(scene.yaml(), /mem: "?6G/);
  assert.equal(scene.of("bumped").length, 1);
  assert.deepEqual(verdicts(scene), ["0 bump"]);
  assert.equal(attempts(scene, 0), 2);
  assert.deepEqual(new Set(scene.statuses()), new Set(["completed"]));
});

for (const point of ["bump-edited", "before-intent", "after-intent", "after-submit"]) {
  test(`killed at ${point}: the trial is submitted again exactly once`, async () => {
    const fate = (trial: number, attempt: number) => trial === 0 && attempt === 1 ? OOM : {};
    let deaths = 1;
    using scene = createScene({
      trials: 2,
      plan: planText(),
      fate,
      dies: (at) =>
        "point" in at && at.point === point && scene.cluster.jobs.length > 0 && deaths-- > 0,
    });
    await scene.run();
    assert.equal(scene.of("monitor-stopped").length, 0, "it died half way");
    await scene.run();
    assert.equal(scene.of("bumped").length, 1);
    assert.equal(attempts(scene, 0), 2);
    assert.equal(attempts(scene, 1), 1);
    assert.deepEqual(new Set(scene.statuses()), new Set(["completed"]));
  });
}

test("killed between the verdict and the submission: the next start submits, and judges nothing again", async () => {
  const fate = (trial: number, attempt: number) => trial === 0 && attempt === 1 ? OOM : {};
  let deaths = 1;
  using scene = createScene({
    trials: 2,
    plan: planText(),
    fate,
    dies: (at) => "event" in at && at.event.type === "triaged" && deaths-- > 0,
  });
  await scene.run();
  assert.equal(attempts(scene, 0), 1);
  await scene.run();
  assert.deepEqual(verdicts(scene), ["0 bump"]);
  assert.equal(attempts(scene, 0), 2);
  assert.deepEqual(new Set(scene.statuses()), new Set(["completed"]));
});

test("a person's edit between the failure and the bump stays", async () => {
  const fate = (trial: number, attempt: number) => trial === 0 && attempt === 1 ? OOM : {};
  let deaths = 1;
  using scene = createScene({
    trials: 2,
    plan: planText(),
    fate,
    dies: (at) => "point" in at && at.point === "bump-intended" && deaths-- > 0,
  });
  await scene.run();
  scene.edit((text) => text.replace("mem: 4G", "mem: 16G"));
  await scene.run();
  assert.match(scene.yaml(), /mem: 16G/);
  assert.equal(
    scene.cluster.jobs.find(({ trial, attempt }) => trial === 0 && attempt === 2)
      ?.memoryMiB,
    16_384,
  );
});

const NAN = [1, 2, 3, 4, 5].map((n) => ({ afterMs: n * MINUTE, metric: "loss", value: null }));

test("NaN ends live trials, at most a third of the sweep, and the rest is a person's", async () => {
  const fate = (trial: number): Fate =>
    trial >= 4 ? { points: NAN, runMs: 2 * HOUR } : { runMs: HOUR };
  using scene = createScene({ trials: 9, plan: planText(), fate });
  await scene.run();
  const statuses = scene.statuses();
  assert.equal(statuses.filter((one) => one === "pruned").length, 3);
  assert.equal(statuses.filter((one) => one === "completed").length, 6);
  const left = scene.texts("it is not pruned");
  assert.equal(left.length, 2, left.join("\n"));
  assert.equal(scene.texts(/pruned trial \d+: /).length > 0, true);
});

test("nothing but NaN ends a live trial: what is suspicious is said once per trial and thing", async () => {
  const flat = Array.from({ length: 90 }, (_, n) => ({
    afterMs: (n + 1) * MINUTE,
    metric: "val_loss",
    value: 0.7,
  }));
  const fate = (trial: number): Fate =>
    trial === 1 ? { points: flat, runMs: 5 * HOUR } : { runMs: MINUTE };
  using scene = createScene({
    trials: 3,
    plan: planText({ metric: "val_loss", direction: "min" }),
    fate,
  });
  await scene.run({ forMs: 3 * HOUR });
  await scene.run({ forMs: 3 * HOUR });
  const about = scene.of("warned").filter(({ trial }) => trial === 1).map((one) => one.about);
  assert.deepEqual(about, ["frozen", "no-records"]);
  assert.equal(scene.texts(/^trial 1: .*val_loss/).length, 1);
  assert.deepEqual(new Set(scene.statuses()), new Set(["completed"]));
});

test("a failure is told and its trial runs again within seconds of the job's own word", async () => {
  const fate = (trial: number, attempt: number): Fate =>
    trial === 1 && attempt === 1
      ? { end: "failed", runMs: 20 * MINUTE, stderr: traceback("OSError: nfs") }
      : { runMs: HOUR };
  using scene = createScene({ trials: 3, plan: planText(), fate });
  await scene.run();
  const failed = scene.cluster.jobs.find(({ trial, attempt }) => trial === 1 && attempt === 1)!;
  const told = scene.posts().find(({ text }) => text.startsWith("trial 1 failed"))!;
  const tick = scene.of("ticked").find(({ tick }) => tick.triggers.includes("failure"))!;
  assert.ok(told.at - failed.endedAt! < 2_000, `${told.at - failed.endedAt!}`);
  assert.ok(tick.at - failed.endedAt! < 10_000, `${tick.at - failed.endedAt!}`);
  assert.ok(failed.endedAt! > DAWN);
});
