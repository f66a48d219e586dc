import assert from "node:assert/strict";
import { test } from "node:test";
import { herd, herdJson, makeSweep, statusOf } from "../support/herd.ts";

const PROCESSES = 8;
/** 100 each in the soak; CI changes fewer, the contention is the same. */
const CHANGES = process.env["HERD_SOAK"] ? 100 : 25;

test(`G.1.1: ${PROCESSES} processes changing one workspace at once lose no change and corrupt no file`, async () => {
  const sweep = makeSweep({
    yaml: `
name: crowd
launcher: ./launch.sh
scheduler: local
grid: all
slurm: {partition: none}
parameters:
  p: {type: discrete, values: [${Array.from({ length: PROCESSES }, (_, i) => i)}]}
  c: {type: discrete, values: [${Array.from({ length: CHANGES }, (_, i) => i)}]}
`,
    launcher: "#!/bin/bash\n",
  }, "herd-crowd-");
  try {
    // One trial runs, so that the workspace has all of them on record.
    await herd(["run", sweep.path, "-i", "0", "--wait"]);
    const failures: string[] = [];
    await Promise.all(Array.from({ length: PROCESSES }, async (_, p) => {
      for (let c = 0; c < CHANGES; c++) {
        const index = p * CHANGES + c;
        if (index === 0) continue;
        const said = await herd(["prune", sweep.path, `${index}`, "--reason", `by ${p}`]);
        if (said.code !== 0) failures.push(`${index}: ${said.code} ${said.stderr}`);
      }
    }));
    assert.deepEqual(failures, []);
    const status = await statusOf(sweep.path);
    assert.equal(status.totals["pruned"], PROCESSES * CHANGES - 1);
    assert.equal(status.totals["completed"], 1);
    const events = sweep.read(".hyperherd/journal.jsonl").trim().split("\n")
      .map((line) =>
        JSON.parse(line) as { seq: number; what: { type: string; indices?: number[] } }
      );
    assert.deepEqual(events.map(({ seq }) => seq), events.map((_, i) => i + 1));
    const pruned = events.filter(({ what }) => what.type === "intent-set")
      .flatMap(({ what }) => what.indices ?? []);
    assert.equal(new Set(pruned).size, PROCESSES * CHANGES - 1);
    assert.equal(pruned.length, PROCESSES * CHANGES - 1);
    const manifest = JSON.parse(sweep.read(".hyperherd/manifest.json")) as { status: string }[];
    assert.equal(manifest.filter((trial) => trial.status === "pruned").length, pruned.length);
    await herdJson(["ls", sweep.path]);
  } finally {
    sweep.remove();
  }
});
