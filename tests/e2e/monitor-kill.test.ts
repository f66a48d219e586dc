import assert from "node:assert/strict";
import { test } from "node:test";
import { eventsOf, makeHome, postsOf, startMonitor, untilTrue } from "../support/daemon.ts";
import { herd, makeSweep } from "../support/herd.ts";
import { abreast } from "../support/kill-campaign.ts";
import { isAlive, killedRun } from "../support/monitor-campaign.ts";

test("a daemon that is killed again and again ends the sweep as if it never had been", async () => {
  let kills = 0;
  await abreast([11, 12, 13], 3, async (seed) => {
    kills += (await killedRun({ seed, kills: 6 })).kills;
  });
  assert.ok(kills >= 3, `${kills} kills`);
});

test("a bump that somebody asked for in a message is made once, wherever the daemon is killed over it", async (t) => {
  for (const point of ["bump-intended", "bump-edited"]) {
    const home = makeHome();
    t.after(home.remove);
    const { env } = home;
    const sweep = makeSweep({
      yaml: `name: asked
launcher: ./launch.sh
scheduler: local
slurm: {partition: x, time: 5, mem: 8M}
monitor: {objective: none}
grid: all
parameters:
  x: {type: discrete, values: [0]}
`,
      launcher: `#!/bin/bash
for ((i = 0; i < 1200; i++)); do [ -e go ] && exit 0; sleep 0.1; done
exit 3
`,
    }, "herd-asked-");
    t.after(sweep.remove);
    const fault = { HERD_TEST_HOOKS: "1", HERD_FAULT: point };
    const struck = startMonitor([sweep.path], { ...env, ...fault });
    t.after(() => void (isAlive(struck) && struck.kill("SIGKILL")));
    const has = (type: string) => eventsOf(sweep.path).some(({ what }) => what.type === type);
    await untilTrue("the trial is there", () => has("submission-accepted"), struck.output);
    const body = JSON.stringify({ id: "m1", text: "/bump mem +50%" });
    const said = await herd(["api", "/v1/sweeps/asked/messages", "-X", "POST", "-d", body], {
      env,
    });
    assert.equal(said.code, 0, said.stdout + said.stderr);
    assert.equal((await struck.ended).signal, "SIGKILL");
    assert.ok(!has("messages-handled"), "killed before it could answer");

    const next = startMonitor([sweep.path], env);
    t.after(() => void (isAlive(next) && next.kill("SIGKILL")));
    await untilTrue("the message is answered", () => has("messages-handled"), next.output);
    sweep.write("go", "");
    const { code, output } = await next.ended;
    assert.equal(code, 0, output);
    const bumps = eventsOf(sweep.path).filter(({ what }) => what.type === "bumped");
    assert.equal(bumps.length, 1, point);
    assert.match(sweep.read("hyperherd.yaml"), /mem: 12M\}/);
    assert.equal(postsOf(sweep.path).filter((post) => post.includes("8M to 12M")).length, 1);
  }
});
