import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { eventsOf, startMonitor, untilTrue } from "../support/daemon.ts";
import { openFarScene, writtenBelow } from "../support/far-scene.ts";
import { herd, untilStatus } from "../support/herd.ts";
import { PARTITION, withoutSlurm } from "../support/slurm.ts";
import { withoutSshd } from "../support/sshd.ts";

/** Longer than what is not worth a word. */
const ASLEEP_MS = 100_000;

/** The last one fails; all wait for the file "go". */
const LAUNCHER = `#!/bin/bash
until [ -e go ]; do sleep 0.1; done
echo "trial $HYPERHERD_TRIAL_ID saw it"
[ "$HYPERHERD_TRIAL_ID" = 3 ] && exit 3
touch "ended-$HYPERHERD_TRIAL_ID"
`;

test(
  "a lid that was closed: everything is caught up with, and told in one post",
  { skip: withoutSlurm || withoutSshd },
  async () => {
    const name = `far-sleep-${Date.now().toString(36)}`;
    await using scene = await openFarScene({
      ...{ name, launcher: LAUNCHER, ssh: ["ServerAliveInterval 1", "ServerAliveCountMax 2"] },
      yaml: `name: ${name}
launcher: ./launch.sh
grid: all
slurm: {partition: ${PARTITION}, time: 5, mem: 10M, host: login}
parameters:
  x: {type: discrete, values: [0, 1, 2, 3]}
`,
    });
    const { sweep, here: { env }, proxy, there } = scene;
    const begun = await herd(["run", sweep.path], { env });
    assert.equal(begun.code, 0, begun.stderr);
    const monitor = startMonitor([sweep.path], env);
    const said = () =>
      eventsOf(sweep.path).flatMap(({ what }) => what.type === "said" ? [what.said] : []);
    try {
      await untilStatus(sweep.path, ({ totals }) => totals["running"] === 4, 60_000, env);
      await untilTrue(
        "it is seen that they run",
        () => said().flatMap(({ trials = [] }) => trials).length >= 4,
        monitor.output,
      );
      await untilTrue(
        "it waits",
        () => eventsOf(sweep.path).some(({ what }) => what.type === "ticked"),
        monitor.output,
      );
      const before = said().length;
      proxy.freeze();
      process.kill(monitor.child.pid!, "SIGSTOP");
      writeFileSync(join(there, "go"), "");
      await untilTrue(
        "they end",
        () => [0, 1, 2].every((i) => existsSync(join(there, `ended-${i}`))),
      );
      await new Promise((next) => setTimeout(next, ASLEEP_MS));
      // The network that it wakes in is another one: nothing of before comes through.
      proxy.cut();
      proxy.thaw();
      process.kill(monitor.child.pid!, "SIGCONT");
      const woke = Date.now();
      await untilTrue(
        "it says what happened",
        () => said().some(({ key }) => key.startsWith("away/")),
        monitor.output,
        60_000,
      );
      console.log(`caught up ${Date.now() - woke} ms after it woke`);
      const { code, output } = await monitor.ended;
      assert.equal(code, 0, output);
      const after = said().slice(before);
      const back = after.filter(({ key }) => key.startsWith("away/"));
      assert.equal(back.length, 1, output);
      const { text, trials = [] } = back[0]!;
      console.log(text);
      assert.match(text, /^back after \d+ \S+ asleep\. Meanwhile:\n/);
      assert.match(text, /3 trials completed \(0-2\)/);
      assert.match(text, /trial 3 failed/);
      assert.equal(trials.length, 4);
      const others = after.flatMap(({ key, trials = [] }) => key.startsWith("away/") ? [] : trials);
      assert.deepEqual(others, [], "each end is told in that post alone");
      const [mine, theirs] = [writtenBelow(sweep.path), writtenBelow(there)];
      assert.deepEqual(mine, theirs);
    } finally {
      if (monitor.child.exitCode === null) monitor.kill("SIGKILL");
    }
  },
);
