import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { inSweep, localYaml, runCommand, runJson, untilStatus } from "../../support/command.ts";

const BLOCK = `successive_halving:
  metric: loss
  direction: min
  min_steps: 2
  budget: 4
  eta: 2
  mode: MODE
prune_grace_seconds: 60
`;

/** Logs two steps with loss = x, then waits to be told; goes on to step 4 when it is not. */
const TRAINER = `#!/bin/bash
dir=".hyperherd/results/$HYPERHERD_TRIAL_ID"
mkdir -p "$dir/stream"
x=\${1##*x=}
for step in 1 2; do
  echo "{\\"step\\": $step, \\"value\\": $x, \\"ts\\": $(date +%s).5}" >> "$dir/stream/loss.jsonl"
done
touch "logged.$HYPERHERD_TRIAL_ID"
for i in {1..600}; do
  [ -e "$dir/_signal" ] && exit 0
  [ -e go-on ] && exit 0
  sleep 0.1
done
`;

async function untilLogged(path: string, n: number): Promise<void> {
  await untilStatus(path, (all) =>
    all.every((one) => one === "running") &&
    Array.from({ length: n }, (_, i) => existsSync(join(path, `logged.${i}`))).every(Boolean));
}

test("a dry run shows what a pass would do, and writes nothing", () =>
  inSweep(
    { yaml: localYaml(4, BLOCK.replace("MODE", "asha")), launcher: TRAINER },
    async (ws) => {
      const { path } = ws;
      await runJson(["run", path]);
      await untilLogged(path, 4);
      const journal = ws.read(".hyperherd/journal.jsonl");
      const shown = await runJson(["sh", path, "-n"]);
      assert.equal(shown.dry_run, true);
      assert.equal(shown.mode, "asha");
      assert.deepEqual(shown.rungs, [2, 4]);
      assert.deepEqual(shown.pruned, [2, 3]);
      assert.deepEqual(shown.paused, []);
      assert.deepEqual(shown.submitted, []);
      assert.equal(shown.slurm_job_id, null);
      assert.deepEqual(Object.keys(shown.decisions[2]), [
        "index",
        "status",
        "max_step",
        "action",
        "verdict",
        "rung",
        "reason",
        "explanation",
        "standing",
      ]);
      assert.equal(shown.decisions[2].action, "prune");
      assert.deepEqual(shown.decisions[2].standing, {
        rung: 2,
        step: 2,
        value: 3,
        cohort_size: 4,
        keep: 2,
        ahead_definite: 2,
        unreached: 0,
      });
      assert.equal(ws.read(".hyperherd/journal.jsonl"), journal);
      assert.equal(existsSync(join(path, ".hyperherd/results/2/_signal")), false);

      const explained = await runCommand(["sh", path, "-n", "-r"]);
      assert.match(explained.stdout, /Would prune 2 trials \(2-3\)/);
      assert.match(explained.stdout, /Pruned at step 2: value 4, 3 ahead/);

      const done = await runJson(["sh", path]);
      assert.deepEqual(done.pruned, [2, 3]);
      assert.equal(ws.read(".hyperherd/results/3/_signal"), "prune");
      const again = await runJson(["sh", path]);
      assert.deepEqual([again.pruned, again.paused], [[], []], "another pass changes nothing");
      await untilStatus(path, (all) => `${all}` === "running,running,pruned,pruned");
      ws.write("go-on", "");
      await untilStatus(path, (all) => `${all}` === "completed,completed,pruned,pruned");
    },
  ));

test("sync pauses who must wait, and resumes the promoted by a submission", () =>
  inSweep(
    {
      // One slot: the second starts when the first is paused.
      yaml: localYaml(2, BLOCK.replace("MODE", "sync")).replace("slots: 4", "slots: 1")
        .replace("[1, 2]", "[1, 2]"),
      launcher: TRAINER,
    },
    async (ws) => {
      const { path } = ws;
      await runJson(["run", path]);
      await untilStatus(path, (all) =>
        `${all}` === "running,queued" && existsSync(join(path, "logged.0")));
      assert.deepEqual((await runJson(["sh", path])).paused, [0]);
      await untilStatus(path, (all) =>
        `${all}` === "paused,running" && existsSync(join(path, "logged.1")));
      const second = await runJson(["sh", path]);
      assert.deepEqual(second.pruned, [1]);
      assert.deepEqual(second.submitted, [0]);
      assert.equal(second.slurm_job_id, "2");
      assert.equal(second.decisions[0].action, "submit");
      ws.write("go-on", "");
      await untilStatus(path, (all) =>
        `${all}` === "completed,pruned");
    },
  ));

test("missing settings are named by their options; options stand in for the block", () =>
  inSweep({ yaml: localYaml(2) }, async ({ path }) => {
    const missing = await runCommand(["sh", path, "--metric", "loss", "--budget", "4"]);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /Cannot compare trials: --direction, --min-steps not given/);
    const flags = ["--metric", "loss", "--direction", "max", "--min-steps", "5", "--budget", "4"];
    const upside = await runCommand(["sh", path, ...flags]);
    assert.equal(upside.code, 2);
    assert.match(upside.stderr, /min_steps is 5, wanted is at most the budget, 4/);
    await runJson(["run", path]);
    await untilStatus(path, (all) => all.every((one) => one === "completed"));
    const fine = await runJson(["sh", path, "-n", ...flags, "--budget", "20", "--eta", "2"]);
    assert.deepEqual(fine.rungs, [5, 10, 20]);
    assert.equal(fine.mode, "sync");
    assert.ok(fine.decisions.every(({ standing }: { standing: unknown }) => standing === null));
  }));

test("a metric that no trial has logged is told, with those that there are", () =>
  inSweep(
    {
      yaml: localYaml(2, BLOCK.replace("MODE", "asha").replace("metric: loss", "metric: los")),
      launcher: TRAINER,
    },
    async (ws) => {
      const { path } = ws;
      await runJson(["run", path]);
      await untilLogged(path, 2);
      const said = await runCommand(["sh", path, "-n"]);
      assert.equal(said.code, 0);
      assert.match(said.stderr, /No trial has logged "los" by step yet; logged by step are "loss"/);
      ws.write(".hyperherd/results/0.json", '{"los": 1}');
      const only = await runCommand(["sh", path, "-n"]);
      assert.match(only.stderr, /"los" by step, only as a final result/);
      const fine = await runCommand(["sh", path, "-n", "--metric", "loss"]);
      assert.doesNotMatch(fine.stderr, /No trial has logged/);
      ws.write("go-on", "");
    },
  ));
