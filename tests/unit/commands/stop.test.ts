import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { untilFile } from "../../support/until-file.ts";
import { processStart } from "../../../lib/base/pid.ts";
import { inSweep, localYaml, runCommand, runJson, untilStatus } from "../../support/command.ts";
import { createHasteningClock } from "../../support/hastening-clock.ts";

/** Tells its pid and sleeps; SIGTERM ends it. */
const SLEEPER = `#!/bin/bash
echo $$ > "pid.$HYPERHERD_TRIAL_ID.tmp"
mv "pid.$HYPERHERD_TRIAL_ID.tmp" "pid.$HYPERHERD_TRIAL_ID"
exec sleep 600
`;

const STUBBORN = SLEEPER.replace(
  "exec sleep 600",
  "trap '' TERM\nfor i in {1..600}; do sleep 1; done",
);

test("stop cancels one trial and leaves the others, and says what was what", () =>
  inSweep({ yaml: localYaml(3), launcher: SLEEPER }, async ({ path }) => {
    await runJson(["run", path]);
    await untilStatus(path, (all) => all.every((one) => one === "running"));
    const pid = Number(await untilFile(join(path, "pid.1")));
    const { cancelled } = await runJson(["stop", path, "1"]);
    assert.equal(cancelled.length, 1);
    assert.deepEqual(cancelled[0], {
      index: 1,
      slurm_job_id: "1",
      previous_status: "running",
      now: "cancelled",
    });
    assert.equal(processStart(pid), undefined, "its process is gone");
    await untilStatus(path, (all) => `${all}` === "running,cancelled,running");
    const again = await runCommand(["stop", path, "1"]);
    assert.equal(again.code, 3);
    assert.match(again.stderr, /not live: 1 is cancelled/);
    const all = await runCommand(["stop", path, "--all"]);
    assert.equal(all.code, 0);
    assert.match(all.stdout, /Stopped 2 trials \(0,2\), running until then/);
    const nothing = await runCommand(["stop", path, "-a"]);
    assert.equal(nothing.code, 0);
    assert.match(nothing.stdout, /Nothing to stop/);
  }));

test("stop wants exactly one of INDEX, --indices and --all", () =>
  inSweep({ yaml: localYaml(2) }, async ({ path }) => {
    for (
      const words of [["stop", path], ["stop", path, "1", "--all"], ["stop", path, "1", "-i", "0"]]
    ) {
      const said = await runCommand(words);
      assert.equal(said.code, 2, words.join(" "));
    }
  }));

test("stop on a sweep that never ran says so and writes nothing", () =>
  inSweep({ yaml: localYaml(2) }, async ({ path }) => {
    const said = await runCommand(["stop", path, "--all"]);
    assert.equal(said.code, 1);
    assert.equal(existsSync(join(path, ".hyperherd")), false);
  }));

test("stop of an index that does not exist names those that do", () =>
  inSweep({ yaml: localYaml(2) }, async ({ path }) => {
    await runJson(["run", path]);
    const said = await runCommand(["stop", path, "-i", "1,7"]);
    assert.equal(said.code, 2);
    assert.match(said.stderr, /Cannot find trial 7: the sweep has 0-1/);
  }));

test("stop works while the YAML is broken", () =>
  inSweep({ yaml: localYaml(1), launcher: SLEEPER }, async ({ path, write }) => {
    await runJson(["run", path]);
    await untilStatus(path, ([one]) => one === "running");
    write("hyperherd.yaml", "name: [");
    assert.equal((await runCommand(["stop", path, "0"])).code, 0);
  }));

test("a trial that does not end in time is told as still ending, never as cancelled", () =>
  inSweep({ yaml: localYaml(1), launcher: STUBBORN }, async ({ path }) => {
    await runJson(["run", path]);
    await untilStatus(path, ([one]) => one === "running");
    const clock = createHasteningClock(20);
    const { cancelled } = await runJson(["stop", path, "0"], { clock });
    assert.equal(cancelled[0].now, "running");
    await untilStatus(path, ([one]) => one === "cancelled");
  }));
