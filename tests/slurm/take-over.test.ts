import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createSystemClock } from "../../lib/base/clock.ts";
import { herd, herdJson, makeSweep, statusOf } from "../support/herd.ts";
import { PARTITION, slurm, withoutSlurm } from "../support/slurm.ts";

const CASES = ["ok", "exit3", "oom", "hang", "hang", "gone", "alien", "alien"];

/** What HyperHerd's array job does for the case of its task. */
const BODY = `case $SLURM_ARRAY_TASK_ID in
  0) exit 0 ;;
  1) exit 3 ;;
  2) exec python3 -c 'import time; x = bytearray(400 << 20); time.sleep(5); print(len(x))' ;;
  *) sleep 300 ;;
esac`;

async function array(name: string, tasks: string): Promise<string> {
  const argv = ["sbatch", "--parsable", "-J", name, "-p", PARTITION, "--mem=60M", "-t", "5"];
  const out = await slurm([...argv, `--array=${tasks}`, "-o", "/dev/null", "--wrap", BODY]);
  return out.trim();
}

async function untilOver(job: string, tasks: readonly number[]): Promise<void> {
  const clock = createSystemClock();
  for (const until = clock.now() + 90_000; clock.now() < until;) {
    const out = await slurm(["sacct", "-n", "-P", "-X", "-j", job, "-o", "JobID,State"]);
    const isOver = (task: number) =>
      new RegExp(`^${job}_${task}\\|(COMPLETED|FAILED|OUT_OF_MEMORY)`, "m").test(out);
    if (tasks.every(isOver)) return;
    await clock.sleep(500);
  }
  throw new Error(`Job ${job} has not ended in time`);
}

test(
  "a sweep of HyperHerd's on a real cluster: ends are filled in, its jobs followed, others let be",
  { skip: withoutSlurm },
  async (t) => {
    const name = `x1-taken-over-${process.pid}`;
    const sweep = makeSweep({
      yaml: `
name: ${name}
launcher: ./launch.sh
scheduler: slurm
grid: all
slurm: {partition: ${PARTITION}, time: 5, mem: 60M}
parameters:
  i: {type: discrete, values: [${CASES.map((_, i) => i).join(", ")}]}
`,
      launcher: "#!/bin/bash\ntrue\n",
    });
    t.after(sweep.remove);
    const own = await array(`hyperherd_${name}`, "0-4");
    const alien = await array("x1-alien", "6-7");
    t.after(() => slurm(["scancel", own, alien]));
    await untilOver(own, [0, 1, 2]);

    const statuses = ["completed", "failed", "failed", "running", "cancelled", "cancelled"];
    const manifest = [...statuses, "running", "cancelled"].map((status, index) => ({
      index,
      hash: "0",
      params: { i: index },
      extras: {},
      experiment_name: `i-${index}`,
      status,
    }));
    mkdirSync(join(sweep.path, ".hyperherd"));
    const file = (named: string) => join(sweep.path, ".hyperherd", named);
    const text = JSON.stringify(manifest);
    writeFileSync(file("manifest.json"), text.slice(0, -9));
    const jobs = [{ slurm_job_id: own, indices: [0, 1, 2, 3, 4] }, {
      slurm_job_id: alien,
      indices: [6, 7],
    }, { slurm_job_id: "99999999", indices: [5] }];
    writeFileSync(file("job_ids.json"), JSON.stringify(jobs));

    const refused = await herd(["run", sweep.path]);
    assert.equal(refused.code, 3, refused.stdout + refused.stderr);
    assert.match(refused.stderr, /manifest\.json.*torn/);
    writeFileSync(file("manifest.json"), text);

    const { trials } = await statusOf(sweep.path);
    assert.deepEqual(trials.map(({ status }) => status), [
      ...["completed", "failed", "failed", "running", "running"],
      ...["cancelled", "unknown", "cancelled"],
    ]);
    assert.equal(trials[2]?.cause, "out-of-memory");
    const stats = await herdJson<{ trials: { slurm_state: string; elapsed_seconds: number }[] }>(
      ["stats", sweep.path],
    );
    assert.deepEqual(stats.trials.slice(0, 3).map(({ slurm_state }) => slurm_state), [
      ...["COMPLETED", "FAILED", "OUT_OF_MEMORY"],
    ]);
    assert.ok(stats.trials.slice(0, 3).every(({ elapsed_seconds }) => elapsed_seconds !== null));

    const stopped = await herd(["stop", sweep.path, "--all"]);
    assert.equal(stopped.code, 0, stopped.stderr);
    const left = await slurm(["squeue", "-h", "-r", "-j", `${own},${alien}`, "-o", "%F_%K"]);
    const expected = [6, 7].map((task) => `${alien}_${task}`);
    assert.deepEqual(left.trim().split("\n").sort(), expected, "other jobs run on");
    const after = await statusOf(sweep.path);
    assert.deepEqual(after.totals, { total: 8, failed: 2, cancelled: 5, completed: 1 });
  },
);
