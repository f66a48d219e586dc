import assert from "node:assert/strict";
import {
  appendFileSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { inSweep, localYaml, runCommand, runJson, untilStatus } from "../../support/command.ts";
import { tree } from "../../support/tree.ts";

const SLEEPER =
  "#!/bin/bash\ntouch at.$HYPERHERD_TRIAL_ID\nwhile [ ! -e go ]; do sleep 0.05; done\n";

test("a workspace in which a newer herd wrote is shown as it is, changes of the cluster too", () =>
  inSweep({ yaml: localYaml(1), launcher: SLEEPER }, async ({ path, write }) => {
    await runJson(["run", path]);
    await untilStatus(path, ([first]) => first === "running");
    const journal = join(path, ".hyperherd", "journal.jsonl");
    appendFileSync(journal, '{"v":999,"seq":9999,"at":1,"by":"cli:a","what":{"type":"future"}}\n');
    const before = readFileSync(journal, "utf8");
    write("go", "");
    await untilStatus(path, ([first]) => first === "completed");
    const said = await runCommand(["status", path]);
    assert.equal(said.code, 0, said.stderr);
    assert.match(said.stderr, /newer herd/);
    assert.equal(readFileSync(journal, "utf8"), before);
  }));

test("a damaged journal may hide a submission: nothing is submitted until somebody has judged it", () =>
  inSweep({ yaml: localYaml(1), launcher: SLEEPER }, async ({ path, write }) => {
    await runJson(["run", path]);
    await untilStatus(path, ([first]) => first === "running");
    const journal = join(path, ".hyperherd", "journal.jsonl");
    const lines = readFileSync(journal, "utf8").split("\n");
    const hurt = lines.findIndex((line) => line.includes('"submission-intended"'));
    writeFileSync(journal, lines.map((line, i) => i === hurt ? `\0${line}` : line).join("\n"));
    assert.equal((await runCommand(["status", path])).code, 0, "it can be looked at");
    for (const argv of [["run", path], ["run", path, "-i", "0", "--force"]]) {
      const said = await runCommand(argv);
      assert.equal(said.code, 3, said.stdout + said.stderr);
      assert.match(said.stderr, new RegExp(`line ${hurt + 1} of`));
    }
    assert.deepEqual(readdirSync(join(path, ".hyperherd", "local", "jobs")), ["1"]);
    // Whoever takes the line out says that nothing of it is alive.
    write("go", "");
    writeFileSync(journal, lines.filter((_, i) => i !== hurt).join("\n"));
    assert.equal((await runCommand(["run", path])).code, 0);
    await untilStatus(path, ([first]) => first === "completed");
  }));

test("without its YAML a sweep can be looked at and stopped, and not run", () =>
  inSweep({ yaml: localYaml(2), launcher: SLEEPER }, async ({ path }) => {
    await runJson(["run", path]);
    await untilStatus(path, (all) => all.every((status) => status === "running"));
    rmSync(join(path, "hyperherd.yaml"));
    assert.equal((await runCommand(["status", path])).code, 0);
    const run = await runCommand(["run", path]);
    assert.equal(run.code, 2);
    assert.match(run.stderr, /hyperherd\.yaml/);
    const stopped = await runCommand(["stop", path, "--all"]);
    assert.equal(stopped.code, 0, stopped.stderr);
    await untilStatus(path, (all) => all.every((status) => status === "cancelled"));
  }));

test("a manifest that cannot be written hides no result: it is a note, and written later", () =>
  inSweep({ yaml: localYaml(2) }, async ({ path }) => {
    const manifest = join(path, ".hyperherd", "manifest.json");
    mkdirSync(join(manifest, "in the way"), { recursive: true });
    const said = await runCommand(["run", path, "--json"]);
    assert.equal(said.code, 0, said.stderr);
    assert.deepEqual(JSON.parse(said.stdout).submitted_indices, [0, 1]);
    assert.match(said.stderr, /Note: .*manifest\.json/);
    await untilStatus(path, (all) => all.every((one) => one === "completed"));
    rmSync(manifest, { recursive: true });
    assert.equal((await runCommand(["status", path])).code, 0);
    assert.equal(JSON.parse(readFileSync(manifest, "utf8")).length, 2);
  }));

test("run --wait --json tells what was submitted and how it ended, in one document", () =>
  inSweep(
    { yaml: localYaml(3), launcher: "#!/bin/bash\n[ $HYPERHERD_TRIAL_ID != 1 ]\n" },
    async (ws) => {
      const document = await runJson(["run", ws.path, "--wait", "-i", "0,1"], { code: 1 });
      assert.deepEqual(document.submitted_indices, [0, 1]);
      assert.deepEqual(document.left_indices, []);
      assert.deepEqual(document.jobs.map(({ indices }: { indices: number[] }) => indices), [[
        0,
        1,
      ]]);
      assert.equal(document.slurm_job_id, document.jobs[0].job_id);
      assert.deepEqual(document.totals, { total: 2, completed: 1, failed: 1 });
      assert.deepEqual(
        document.trials.map(({ index, exit_code }: Record<string, unknown>) => [index, exit_code]),
        [[0, 0], [1, 1]],
      );
    },
  ));

test(
  "root that looks at somebody's sweep leaves nothing of root's there and runs nothing of theirs",
  { skip: process.getuid?.() === 0 ? false : "only root can give files away" },
  () =>
    inSweep({ yaml: localYaml(2), launcher: SLEEPER }, async ({ path, write }) => {
      await runJson(["run", path]);
      await untilStatus(path, (all) => all.every((status) => status === "running"));
      const clock = createSystemClock();
      while (!["at.0", "at.1"].every((name) => existsSync(join(path, name)))) await clock.sleep(20);
      const spool = join(path, ".hyperherd", "local");
      // The supervisor leaves without its tasks, as if it had been killed.
      symlinkSync("free", join(spool, "supervisor.lock.999"));
      rmSync(join(spool, "supervisor.log"));
      give(path, 65534);
      const before = tree(path).filter((line) => !line.includes("/local/"));
      const said = await runCommand(["status", path]);
      assert.equal(said.code, 0, said.stderr);
      assert.deepEqual(tree(path).filter((line) => !line.includes("/local/")), before);
      assert.deepEqual(ownedBy(path, 0), []);
      assert.equal(existsSync(join(spool, "supervisor.log")), false, "no supervisor was started");
      write("go", "");
      // Nobody looks after these trials any more: the test waits for their own ends.
      const events = join(path, ".hyperherd", "events");
      const [submission] = readdirSync(events);
      for (const task of [0, 1]) {
        const record = join(events, submission!, `${task}.tsv`);
        while (!readFileSync(record, "utf8").includes("\texit\t")) await clock.sleep(20);
      }
    }),
);

function give(path: string, uid: number): void {
  chownSync(path, uid, uid);
  if (!lstatSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) {
    const inner = join(path, name);
    if (!lstatSync(inner).isSymbolicLink()) give(inner, uid);
  }
}

function ownedBy(path: string, uid: number): string[] {
  const stats = lstatSync(path);
  const own = stats.uid === uid && !stats.isSymbolicLink() ? [path] : [];
  if (!stats.isDirectory()) return own;
  return [...own, ...readdirSync(path).flatMap((name) => ownedBy(join(path, name), uid))];
}
