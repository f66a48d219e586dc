import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { herd, makeSweep, untilStatus } from "../support/herd.ts";
import { PARTITION, slurm, withoutSlurm } from "../support/slurm.ts";
import { untilFile } from "../support/until-file.ts";

const SKIP = { skip: withoutSlurm };

/** A trainer that needs most of KillWait (2 s on the test cluster) to save its state. */
const SAVER = `#!/bin/bash
say() { echo "$HERD_ATTEMPT $1 $EPOCHREALTIME" >> story.txt; }
trap 'sleep 1.5; say end; exit 75' TERM
say start
for i in {1..600}; do sleep 0.1; done
`;

function sweepOf(launcher: string, more = "") {
  return makeSweep({
    yaml: `
name: overlap
launcher: ./launch.sh
scheduler: slurm
grid: all
slurm: {partition: ${PARTITION}, time: 5, mem: 50M}
${more}parameters:
  x: {type: discrete, values: [1]}
`,
    launcher,
  });
}

/** Waits until the trainer of this attempt has begun: running is seen before its first line runs. */
async function started(sweep: ReturnType<typeof makeSweep>, attempt: number): Promise<void> {
  const until = Date.now() + 60_000;
  while (Date.now() < until) {
    const story = await untilFile(join(sweep.path, "story.txt"));
    if (story.includes(`${attempt} start`)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Attempt ${attempt} has not started: ${sweep.read("story.txt")}`);
}

/** Whether every attempt had ended before the next one began, by the trainers' own clock. */
function assertApart(story: string): void {
  const lines = story.trim().split("\n").map((line) => line.split(" "));
  for (const [i, [attempt, what]] of lines.entries()) {
    if (what !== "start" || attempt === "1") continue;
    const before = lines.slice(0, i).filter(([, word]) => word === "end").length;
    assert.equal(before, Number(attempt) - 1, story);
  }
}

test(
  "G.1.6: a trial that somebody cancelled is submitted again only when its processes are gone",
  SKIP,
  async (t) => {
    const sweep = sweepOf(SAVER);
    t.after(sweep.remove);
    await herd(["run", sweep.path]);
    const running = await untilStatus(sweep.path, ({ totals }) => totals["running"] === 1);
    await started(sweep, 1);
    await slurm(["scancel", running.trials[0]!.job_id!]);
    for (;;) {
      const said = await herd(["run", sweep.path]);
      assert.equal(said.code, 0, said.stderr);
      if (/Submitted/.test(said.stdout)) break;
    }
    await untilStatus(sweep.path, ({ totals }) => totals["running"] === 1);
    await started(sweep, 2);
    await herd(["stop", sweep.path, "--all"]);
    assertApart(sweep.read("story.txt"));
  },
);

test(
  "G.1.6: run --force waits for the old attempt, and resume for the paused one",
  SKIP,
  async (t) => {
    const sweep = sweepOf(SAVER, "prune_grace_seconds: 1\n");
    t.after(sweep.remove);
    await herd(["run", sweep.path]);
    await untilStatus(sweep.path, ({ totals }) => totals["running"] === 1);
    await started(sweep, 1);
    const forced = await herd(["run", sweep.path, "-i", "0", "--force"]);
    assert.equal(forced.code, 0, forced.stderr);
    await started(sweep, 2);
    await herd(["pause", sweep.path, "0"]);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    // The grace is over: this look cancels the job, which then takes its time to end.
    await herd(["status", sweep.path]);
    const resumed = await herd(["resume", sweep.path, "0"]);
    assert.equal(resumed.code, 0, resumed.stderr);
    await started(sweep, 3);
    await herd(["stop", sweep.path, "--all"]);
    assertApart(sweep.read("story.txt"));
  },
);
