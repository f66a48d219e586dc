import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { untilFile } from "../../support/until-file.ts";
import { processStart } from "../../../lib/base/pid.ts";
import { inSweep, localYaml, runCommand, runJson, untilStatus } from "../../support/command.ts";
import { createHasteningClock } from "../../support/hastening-clock.ts";

/** Never looks at its signal file, as a trainer without log_result. */
const DEAF = `#!/bin/bash
echo $$ > "pid.$HYPERHERD_TRIAL_ID.tmp"
mv "pid.$HYPERHERD_TRIAL_ID.tmp" "pid.$HYPERHERD_TRIAL_ID"
exec sleep 600
`;

/** Ends by itself when it is told to, half a second late, and tells when it starts and ends. */
const LISTENER = `#!/bin/bash
echo "start $HERD_ATTEMPT" >> "story.$HYPERHERD_TRIAL_ID"
if [ "$HERD_ATTEMPT" = 1 ]; then
  until [ -e ".hyperherd/results/$HYPERHERD_TRIAL_ID/_signal" ]; do sleep 0.05; done
  sleep 0.5
fi
echo "end $HERD_ATTEMPT" >> "story.$HYPERHERD_TRIAL_ID"
`;

test("G.1.4: prune really cancels a job whose trainer does not listen", () =>
  inSweep({ yaml: localYaml(1, "prune_grace_seconds: 1\n"), launcher: DEAF }, async (ws) => {
    await runJson(["run", ws.path]);
    await untilStatus(ws.path, ([one]) => one === "running");
    const pid = Number(await untilFile(`${ws.path}/pid.0`));
    const { pruned } = await runJson(["prune", ws.path, "0", "--reason", "diverged"]);
    assert.deepEqual(pruned, [{
      index: 0,
      slurm_job_id: "1",
      previous_status: "running",
      now: "running",
      live: true,
    }]);
    assert.equal(ws.read(".hyperherd/results/0/_signal"), "prune");
    await untilStatus(ws.path, ([one]) => one === "pruned");
    assert.equal(processStart(pid), undefined, "its process is gone");
    const { submitted_indices } = await runJson(["run", ws.path]);
    assert.deepEqual(submitted_indices, [], "and a run leaves it alone");
    const { trials } = await runJson(["status", ws.path]);
    assert.equal(trials[0].note, "diverged");
  }));

test("G.1.4: a pruned trial that waits in the queue leaves it at once", () =>
  inSweep(
    { yaml: localYaml(2).replace("slots: 4", "slots: 1"), launcher: DEAF },
    async ({ path }) => {
      await runJson(["run", path]);
      await untilStatus(path, (all) => `${all}` === "running,queued");
      await runJson(["prune", path, "-i", "1"]);
      await untilStatus(path, (all) => `${all}` === "running,pruned");
      assert.equal(existsSync(join(path, ".hyperherd/results/1/_signal")), false);
      await runJson(["stop", path, "--all"]);
    },
  ));

test("pause asks a running trainer, and resume submits it again when it has ended", () =>
  inSweep({ yaml: localYaml(2), launcher: LISTENER }, async (ws) => {
    const { path } = ws;
    await runJson(["run", path, "-i", "0"]);
    await untilStatus(path, ([one]) => one === "running");
    const paused = await runCommand(["pause", path, "0"]);
    assert.equal(paused.code, 0);
    assert.match(paused.stdout, /Asked 1 trial \(0\) to pause at its next logged step/);
    // At once: the old attempt is still saving.
    const { resumed } = await runJson(["resume", path, "0"]);
    assert.equal(resumed[0].index, 0);
    assert.equal(resumed[0].slurm_job_id, "2");
    await untilStatus(path, ([one]) => one === "completed");
    assert.equal(ws.read("story.0"), "start 1\nend 1\nstart 2\nend 2\n");
    assert.equal(existsSync(join(path, ".hyperherd/results/0/_signal")), false);
  }));

test("G.1.6: resume never submits beside an attempt that has not ended", () =>
  inSweep({ yaml: localYaml(1), launcher: DEAF }, async ({ path }) => {
    await runJson(["run", path]);
    await untilStatus(path, ([one]) => one === "running");
    await runJson(["pause", path, "0"]);
    const clock = createHasteningClock(20);
    const said = await runJson(["resume", path, "0"], { clock, code: 3 });
    assert.match(said.error.message, /0 has not ended yet/);
    const { trials } = await runJson(["status", path]);
    assert.equal(trials[0].attempts, 1);
    assert.equal(
      readFileSync(join(path, ".hyperherd/results/0/_signal"), "utf8"),
      "pause",
      "the signal that the trainer has not read yet is still there",
    );
    await runJson(["stop", path, "0"]);
  }));

test("trials that never ran are set aside, and resumed", () =>
  inSweep({ yaml: localYaml(3) }, async ({ path }) => {
    await runJson(["run", path, "-i", "0"]);
    await untilStatus(path, ([one]) => one === "completed");
    const { paused } = await runJson(["pause", path, "-i", "1-2"]);
    assert.deepEqual(
      paused.map(({ index, previous_status, now }: Record<string, unknown>) => [
        index,
        previous_status,
        now,
      ]),
      [[1, "ready", "paused"], [2, "ready", "paused"]],
    );
    assert.deepEqual((await runJson(["run", path])).submitted_indices, []);
    await runJson(["resume", path, "-i", "1-2"]);
    await untilStatus(path, (all) => all.every((one) => one === "completed"));
  }));

test("several trials are named one after another", () =>
  inSweep({ yaml: localYaml(4), launcher: "#!/bin/bash\nsleep 60\n" }, async ({ path }) => {
    await runJson(["run", path, "-i", "0"]);
    const { paused } = await runJson(["pause", path, "1", "3", "3"]);
    assert.deepEqual(paused.map(({ index }: { index: number }) => index), [1, 3]);
    const { pruned } = await runJson(["prune", "1", "2"], { cwd: path });
    assert.deepEqual(pruned.map(({ index }: { index: number }) => index), [1, 2]);
    const { cancelled } = await runJson(["stop", "0"], { cwd: path });
    assert.equal(cancelled.length, 1);
  }));

test("what cannot be is refused: pausing what is done, resuming what is not paused", () =>
  inSweep({ yaml: localYaml(1) }, async ({ path }) => {
    assert.equal((await runCommand(["pause", path, "0"])).code, 1);
    await runJson(["run", path]);
    await untilStatus(path, ([one]) => one === "completed");
    for (const verb of ["pause", "prune", "resume"]) {
      const said = await runJson([verb, path, "0"], { code: 3 });
      assert.equal(said.error.kind, "refused", verb);
      assert.deepEqual(said.error.indices, [0]);
      const none = await runCommand([verb, path]);
      assert.equal(none.code, 2);
      assert.match(none.stderr, /no trial is named/);
      assert.equal((await runCommand([verb, path, "9"])).code, 2);
    }
  }));
