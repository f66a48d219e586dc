import assert from "node:assert/strict";
import { test } from "node:test";
import { herd, makeSweep, untilStatus } from "../support/herd.ts";

test("on the local scheduler every stopped trainer hears SIGTERM and can save itself", async (t) => {
  const sweep = makeSweep({
    yaml: `
name: term
launcher: ./launch.sh
scheduler: local
local: {slots: 6}
grid: all
slurm: {partition: none, time: 5, mem: 50M}
parameters:
  x: {type: discrete, values: [0, 1, 2, 3, 4, 5]}
`,
    launcher: `#!/bin/bash
trap 'echo saved > saved-$HYPERHERD_TRIAL_ID; exit 0' TERM
while :; do sleep 0.05; done
`,
  });
  t.after(sweep.remove);
  await herd(["run", sweep.path]);
  await untilStatus(sweep.path, ({ totals }) => totals["running"] === 6);
  for (let index = 0; index < 6; index++) {
    const said = await herd(["stop", sweep.path, `${index}`]);
    assert.equal(said.code, 0, said.stderr);
  }
  await untilStatus(sweep.path, ({ totals }) => totals["cancelled"] === 6);
  for (let index = 0; index < 6; index++) assert.equal(sweep.read(`saved-${index}`), "saved\n");
});
