import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventsOf, untilTrue } from "../support/daemon.ts";
import { openFarScene } from "../support/far-scene.ts";
import { herd, statusOf, untilStatus } from "../support/herd.ts";
import { PARTITION, withoutSlurm } from "../support/slurm.ts";
import { withoutSshd } from "../support/sshd.ts";

const SKIP = { skip: withoutSlurm || withoutSshd };

/** Runs until there is a file "go" beside it, or it is told to end. */
const LAUNCHER = `#!/bin/bash
echo "$HYPERHERD_TRIAL_ID" >> ledger.txt
for ((i = 0; i < 1200; i++)); do
  [ -e go ] || [ -e ".hyperherd/results/$HYPERHERD_TRIAL_ID/_signal" ] && exit 0
  sleep 0.1
done
`;

function yaml(name: string, slurm = "host: login"): string {
  return `name: ${name}
launcher: ./launch.sh
scheduler: slurm
grid: all
slurm: {partition: ${PARTITION}, time: 5, mem: 10M${slurm === "" ? "" : `, ${slurm}`}}
parameters:
  x: {type: discrete, values: [0, 1]}
`;
}

test(
  "laptop mode: a host that is away, one that changes while jobs live, a broken YAML",
  SKIP,
  async () => {
    const name = `far-troubles-${Date.now().toString(36)}`;
    await using scene = await openFarScene({ name, yaml: yaml(name), launcher: LAUNCHER });
    const { sweep, here: { env }, proxy, there } = scene;
    const run = (...words: string[]) => herd([...words], { env });

    proxy.refuse(true);
    const away = await run("run", sweep.path);
    assert.equal(away.code, 4, away.stderr);
    assert.match(away.stderr, /"login"/);
    assert.deepEqual(eventsOf(sweep.path).filter(({ what }) => /submission/.test(what.type)), []);
    proxy.refuse(false);

    const begun = await run("run", sweep.path);
    assert.equal(begun.code, 0, begun.stderr);
    await untilStatus(sweep.path, ({ totals }) => totals["running"] === 2, 60_000, env);

    proxy.refuse(true);
    proxy.cut();
    const unseen = await statusOf(sweep.path, env);
    assert.deepEqual(unseen.trials.map(({ status }) => status), ["running", "running"]);
    assert.match(unseen.warnings.join("\n"), /statuses that depend on it are as last known/);
    proxy.refuse(false);

    for (const other of ["host: elsewhere", "", "host: login, path: another"]) {
      sweep.write("hyperherd.yaml", yaml(name, other));
      const moved = await run("run", sweep.path);
      assert.equal(moved.code, 2, `${other}: ${moved.stdout}${moved.stderr}`);
      assert.match(moved.stderr, /jobs of the sweep live on "login"/);
      assert.match(moved.stderr, /herd stop/);
      // They are still looked for where they are.
      const seen = await statusOf(sweep.path, env);
      assert.deepEqual(seen.trials.map(({ status }) => status), ["running", "running"], other);
    }
    sweep.write("hyperherd.yaml", "name: [broken");
    const told = await run("stop", sweep.path, "-i", "1");
    assert.equal(told.code, 0, told.stdout + told.stderr);
    await untilStatus(sweep.path, ({ totals }) => totals["cancelled"] === 1, 60_000, env);

    sweep.write("hyperherd.yaml", yaml(name));
    const copy = `${sweep.path}-copy`;
    cpSync(sweep.path, copy, { recursive: true });
    const copied = await herd(["run", copy], { env: { ...env } });
    rmSync(copy, { recursive: true });
    assert.notEqual(copied.code, 0, copied.stdout);

    writeFileSync(join(there, "go"), "");
    await untilStatus(sweep.path, ({ totals }) => totals["completed"] === 1, 60_000, env);
    await untilTrue(
      "both ran once",
      () =>
        readFileSync(join(there, "ledger.txt"), "utf8").trim().split("\n").sort().join() === "0,1",
    );
    // With nothing alive the sweep may move.
    const moved = await run("run", sweep.path, "--host", "elsewhere", "--dry-run");
    assert.doesNotMatch(moved.stderr, /Cannot move the sweep/);
  },
);
