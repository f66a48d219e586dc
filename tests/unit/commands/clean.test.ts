import assert from "node:assert/strict";
import { existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { processStart } from "../../../lib/base/pid.ts";
import { inSweep, localYaml, runCommand, runJson, untilStatus } from "../../support/command.ts";
import { createHasteningClock } from "../../support/hastening-clock.ts";
import { untilFile } from "../../support/until-file.ts";
import { supervisorOf } from "../../support/local-scheduler.ts";

const SLEEPER = `#!/bin/bash
echo "out of $HYPERHERD_TRIAL_ID"
echo $$ > "pid.$HYPERHERD_TRIAL_ID.tmp"
mv "pid.$HYPERHERD_TRIAL_ID.tmp" "pid.$HYPERHERD_TRIAL_ID"
exec sleep 600
`;

async function running(path: string): Promise<number> {
  await runJson(["run", path]);
  await untilStatus(path, (all) => all.every((one) => one === "running"));
  return Number(await untilFile(join(path, "pid.0")));
}

test("clean with nothing live and nothing to delete says so and asks nothing", () =>
  inSweep({ yaml: localYaml(1) }, async ({ path }) => {
    for (const words of [["clean", path], ["clean", path, "--all"], ["clean", path, "-l"]]) {
      const said = await runCommand(words);
      assert.equal(said.code, 0, words.join(" "));
      assert.match(said.stdout, /Nothing to clean/);
    }
    assert.deepEqual(readdirSync(path).sort(), ["hyperherd.yaml", "launch.sh"]);
  }));

test("clean asks, lists what it would do, and takes no for an answer", () =>
  inSweep({ yaml: localYaml(2), launcher: SLEEPER }, async ({ path }) => {
    const pid = await running(path);
    const mute = await runCommand(["clean", path, "--all"]);
    assert.equal(mute.code, 2);
    assert.match(mute.stderr, /--yes/);
    const no = await runCommand(["clean", path, "--all"], { answers: ["n"] });
    assert.equal(no.code, 3);
    assert.match(no.stdout, /Stops 2 live trials: 0-1/);
    assert.match(no.stdout, /Deletes all that herd keeps: .*\.hyperherd \(\d+ files, [\d.]+[BK]\)/);
    assert.notEqual(processStart(pid), undefined, "it still runs");
    await runJson(["stop", path, "-a"]);
  }));

test("clean --all says before it asks that results and logs go too, and how much that is", () =>
  inSweep({ yaml: localYaml(2), launcher: "#!/bin/bash\necho hello\n" }, async (ws) => {
    const { path, write } = ws;
    await runJson(["run", path]);
    await untilStatus(path, (all) => all.every((one) => one === "completed"));
    write(".hyperherd/results/0.json", '{"acc": 1}');
    const said = await runCommand(["clean", path, "--all"], { answers: ["n"] });
    assert.equal(said.code, 3);
    assert.match(said.stdout, /with the results of all trials \(1 file, 10B\)\n/);
    assert.match(said.stdout, /with their logs \(4 files, \d+B\)\n/);
    assert.match(said.stdout + said.stderr, /Delete them for good\?/);
    assert.match(ws.read(".hyperherd/results/0.json"), /acc/);
  }));

test("clean --all stops the jobs, lets the supervisor end, and leaves only the user's files", () =>
  inSweep({ yaml: localYaml(1), launcher: SLEEPER }, async ({ path }) => {
    const pid = await running(path);
    const supervisor = supervisorOf(join(path, ".hyperherd/local"))!;
    const document = await runJson(["clean", path, "--all", "--yes"]);
    assert.deepEqual(document.cancelled.map(({ index }: { index: number }) => index), [0]);
    assert.equal(document.deleted[0].what, "state");
    assert.ok(document.deleted_bytes > 0);
    assert.equal(processStart(pid), undefined);
    assert.notEqual(processStart(supervisor.pid), supervisor.start);
    assert.deepEqual(readdirSync(path).sort(), ["hyperherd.yaml", "launch.sh", "pid.0"]);
    assert.equal((await runJson(["run", path, "-n"])).submitted_indices.length, 1, "a new start");
  }));

test("clean --logs keeps what is known, and deletes the logs", () =>
  inSweep({ yaml: localYaml(2), launcher: "#!/bin/bash\necho hello\n" }, async (ws) => {
    const { path } = ws;
    await runJson(["run", path]);
    await untilStatus(path, (all) => all.every((one) => one === "completed"));
    assert.match(ws.read(".hyperherd/logs/1.out"), /hello/);
    const said = await runCommand(["clean", path, "--logs"], { answers: ["yes"] });
    assert.equal(said.code, 0);
    assert.match(said.stdout, /Deleted the logs: .* \(4 files/);
    assert.deepEqual(readdirSync(join(path, ".hyperherd/logs")), []);
    await untilStatus(path, (all) => `${all}` === "completed,completed");
  }));

test("nothing is deleted while a job has not ended", () =>
  inSweep({
    yaml: localYaml(1),
    launcher: SLEEPER.replace(
      "exec sleep 600",
      "trap '' TERM\nfor i in {1..600}; do sleep 1; done",
    ),
  }, async (ws) => {
    const { path } = ws;
    await running(path);
    const clock = createHasteningClock(20);
    const said = await runJson(["clean", path, "-a", "-y"], { clock, code: 3 });
    assert.deepEqual(said.error.alive, [0]);
    assert.match(ws.read(".hyperherd/logs/0.out"), /out of 0/);
    await untilStatus(path, ([one]) => one === "cancelled");
    assert.equal((await runCommand(["clean", path, "-a", "-y"])).code, 0);
  }));

test("a state folder that is a link stays a link, and what it led to is emptied", () =>
  inSweep({ yaml: localYaml(1) }, async ({ path }) => {
    mkdirSync(join(path, "scratch/state"), { recursive: true, mode: 0o700 });
    symlinkSync(join(path, "scratch/state"), join(path, ".hyperherd"));
    writeFileSync(join(path, "scratch/other"), "kept");
    await runJson(["run", path]);
    await untilStatus(path, ([one]) => one === "completed");
    await runJson(["clean", path, "-a", "-y"]);
    assert.ok(lstatSync(join(path, ".hyperherd")).isSymbolicLink());
    assert.deepEqual(readdirSync(join(path, "scratch")).sort(), ["other", "state"]);
    assert.deepEqual(readdirSync(join(path, "scratch/state")), []);
    await runJson(["run", path]);
    await untilStatus(path, ([one]) => one === "completed");
  }));

test("what an interrupted clean left is deleted by the next one", () =>
  inSweep({ yaml: localYaml(1) }, async ({ path }) => {
    mkdirSync(join(path, ".hyperherd.deleted-0a1b2c3d/logs"), { recursive: true });
    writeFileSync(join(path, ".hyperherd.deleted-0a1b2c3d/logs/0.out"), "x");
    const { deleted } = await runJson(["clean", path, "-a", "-y"]);
    assert.equal(deleted[0].what, "leftover");
    assert.equal(existsSync(join(path, ".hyperherd.deleted-0a1b2c3d")), false);
    assert.equal(existsSync(join(path, ".hyperherd")), false, "and nothing new is made");
  }));
