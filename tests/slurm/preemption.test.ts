import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { herd, makeSweep, statusOf, untilStatus } from "../support/herd.ts";
import type { StatusDocument } from "../support/herd.ts";
import { startCluster, until, withoutPrivateCluster } from "../support/private-cluster.ts";
import type { PrivateCluster } from "../support/private-cluster.ts";
import { unlessStarted } from "../support/slurm.ts";
import { createTogether } from "../support/together.ts";

const SKIP = { skip: withoutPrivateCluster };
const together = createTogether();

/** Begins, takes five seconds to go when it is told to, and ends well once there is a file "go". */
const LAUNCHER = `#!/bin/bash
trap 'sleep 5; exit 143' TERM
echo "$HYPERHERD_TRIAL_ID $HERD_ATTEMPT $HERD_RESTART" >> ledger.txt
until [ -e go ]; do sleep 0.1; done
`;

const PREEMPTING = {
  accounting: "own",
  settings: {
    PreemptType: "preempt/partition_prio",
    PreemptMode: "REQUEUE",
    KillWait: "10",
    SlurmdTimeout: "5",
  },
  partitions: [
    "low Nodes=ALL Default=YES MaxTime=60 State=UP PriorityTier=1 PreemptMode=REQUEUE",
    "lowc Nodes=ALL MaxTime=60 State=UP PriorityTier=1 PreemptMode=CANCEL",
    "high Nodes=ALL MaxTime=60 State=UP PriorityTier=10 PreemptMode=OFF",
  ],
} as const;

function yaml(partition: string, node: string, more = ""): string {
  return `
name: preempt-${partition}
launcher: ./launch.sh
scheduler: slurm
grid: all
slurm: {partition: ${partition}, time: 5, mem: 50M, cpus_per_task: 8, extra_args: [--nodelist=${node}]${more}}
parameters:
  x: {type: discrete, values: [1]}
`;
}

interface Scene {
  cluster: PrivateCluster;
  sweep: ReturnType<typeof makeSweep>;
  trial(): Promise<StatusDocument["trials"][number]>;
  until(
    wanted: (trial: StatusDocument["trials"][number]) => boolean,
  ): Promise<StatusDocument["trials"][number]>;
  lines(): string[];
}

/** A sweep of one trial that runs, on a cluster of its own. */
async function withRunningTrial(
  config: string,
  use: (scene: Scene) => Promise<void>,
): Promise<void> {
  await using cluster = await startCluster(PREEMPTING);
  const sweep = makeSweep({ yaml: config, launcher: LAUNCHER }, "herd-preempt-");
  const { env } = cluster;
  const scene: Scene = {
    cluster,
    sweep,
    trial: async () => (await statusOf(sweep.path, env)).trials[0]!,
    until: async (wanted) =>
      (await untilStatus(sweep.path, ({ trials }) => wanted(trials[0]!), 60_000, env)).trials[0]!,
    lines: () =>
      existsSync(`${sweep.path}/ledger.txt`) ? sweep.read("ledger.txt").trim().split("\n") : [],
  };
  try {
    const said = await herd(["run", sweep.path], { env });
    assert.equal(said.code, 0, said.stderr);
    await scene.until(({ status }) => status === "running");
    await until(() => Promise.resolve(scene.lines().length === 1), "the trial to begin");
    await use(scene);
  } finally {
    sweep.remove();
  }
}

/** A job that outranks the trial and stays until it is cancelled. */
async function outrank(cluster: PrivateCluster, node: string): Promise<string> {
  const argv = [
    "sbatch",
    "--parsable",
    "-p",
    "high",
    "-w",
    node,
    "-c",
    "8",
    "--mem=50M",
    "-t",
    "5",
  ];
  return (await cluster.slurm(...argv, "-o", "/dev/null", "--wrap", "sleep 300")).trim();
}

/**
 * Waits for the requeued trial to complete. SLURM lets it wait for two minutes, and sets
 * these when it has cleared away the last run, perhaps after it was told to start it now.
 */
async function sooner({ cluster, trial }: Scene): Promise<StatusDocument["trials"][number]> {
  let seen = await trial();
  await until(async () => {
    if (seen.status === "queued") {
      await cluster.slurm("scontrol", "update", `JobId=${seen.job_id}`, "StartTime=now")
        .catch(unlessStarted);
    }
    seen = await trial();
    return seen.status === "completed";
  }, "the requeued trial to complete");
  return seen;
}

test(
  "a preempted trial that SLURM requeues is never failed, never submitted again, and ends as one attempt",
  SKIP,
  together(() =>
    withRunningTrial(yaml("low", "n3", ", requeue: true"), async (scene) => {
      const { cluster, sweep } = scene;
      await until(
        async () => (await cluster.slurm("sacct", "-X", "-n", "-o", "State")).includes("RUNNING"),
        "accounting to know of the run",
      );
      const above = await outrank(cluster, "n3");
      // While its processes go, accounting already says PREEMPTED: as if it were over.
      for (let back = false; !back;) {
        const trial = await scene.trial();
        assert.ok(["running", "queued"].includes(trial.status), `${trial.status} ${trial.cause}`);
        const again = await herd(["run", sweep.path], { env: cluster.env });
        assert.match(again.stdout, /Nothing to submit/);
        const state = await cluster.slurm("squeue", "-h", "-r", "-p", "low", "-O", "State:|");
        back = trial.status === "queued" && state.startsWith("PENDING");
      }
      assert.equal((await scene.trial()).restarts, 1);
      await cluster.slurm("scancel", above);
      sweep.write("go", "");
      const over = await sooner(scene);
      assert.deepEqual([over.attempts, over.restarts, over.exit_code], [1, 1, 0]);
      assert.deepEqual(scene.lines(), ["0 1 0", "0 1 1"]);
    })
  ),
);

test(
  "a preempted trial that SLURM cancels has failed for that cause, and run submits it again",
  SKIP,
  together(() =>
    withRunningTrial(yaml("lowc", "n3"), async (scene) => {
      const { cluster, sweep } = scene;
      const above = await outrank(cluster, "n3");
      const failed = await scene.until(({ status }) => status !== "running");
      assert.deepEqual([failed.status, failed.cause], ["failed", "preempted"]);
      assert.match(failed.note!, /preempted/);
      await cluster.slurm("scancel", above);
      sweep.write("go", "");
      const again = await herd(["run", sweep.path, "--wait"], { env: cluster.env });
      assert.equal(again.code, 0, again.stdout + again.stderr);
      const over = await scene.trial();
      assert.deepEqual([over.status, over.attempts, over.restarts], ["completed", 2, 0]);
      assert.deepEqual(scene.lines(), ["0 1 0", "0 2 0"]);
    })
  ),
);

test(
  "a node that dies with all that is on it brings a requeued trial back in the same attempt",
  SKIP,
  together(() =>
    withRunningTrial(yaml("low", "n4", ", requeue: true"), async (scene) => {
      const { cluster, sweep } = scene;
      await dieWith(cluster, "n4", (await scene.trial()).job_id!);
      const back = await scene.until(({ status }) => {
        assert.ok(["running", "queued"].includes(status), status);
        return status === "queued";
      });
      assert.equal(back.restarts, 1);
      sweep.write("go", "");
      await cluster.start("n4");
      const over = await sooner(scene);
      assert.deepEqual([over.attempts, over.restarts, over.node], [1, 1, "n4"]);
      assert.deepEqual(scene.lines(), ["0 1 0", "0 1 1"]);
    })
  ),
);

test(
  "a node that dies under a trial that may not be requeued ends it with that cause",
  SKIP,
  together(() =>
    withRunningTrial(yaml("low", "n4", ", requeue: false"), async (scene) => {
      const { cluster, sweep } = scene;
      await dieWith(cluster, "n4", (await scene.trial()).job_id!);
      const failed = await scene.until(({ status }) => status !== "running");
      assert.deepEqual([failed.status, failed.cause], ["failed", "node-failure"]);
      sweep.write("go", "");
      await cluster.start("n4");
      const again = await herd(["run", sweep.path, "--wait"], { env: cluster.env });
      assert.equal(again.code, 0, again.stdout + again.stderr);
      assert.deepEqual(scene.lines(), ["0 1 0", "0 2 0"]);
    })
  ),
);

test(
  "a job whose processes are lost while its node lives gives no sign of life, and status says so",
  SKIP,
  together(() =>
    withRunningTrial(yaml("low", "n3"), async (scene) => {
      const { cluster, sweep } = scene;
      const alive = await scene.trial();
      assert.ok(alive.silent_seconds !== null && alive.silent_seconds < 60);
      assert.equal(alive.note, null);
      endProcesses(cluster, await rawIdOf(cluster, alive.job_id!));
      // What SLURM says of it from now on, for ever.
      const record = `${sweep.path}/.hyperherd/events`;
      await cluster.slurm("bash", "-c", `touch -d '12 minutes ago' ${record}/*/*.tsv`);
      const lost = await scene.trial();
      assert.equal(lost.status, "running");
      assert.equal(lost.note, "no sign of life for 12 min");
      assert.ok(lost.silent_seconds !== null && lost.silent_seconds >= 720);
      const shown = await herd(["status", sweep.path], { env: cluster.env });
      assert.match(shown.stdout, /no sign of life/);
      // It can be ended, and run then submits it again.
      await herd(["stop", sweep.path, "0"], { env: cluster.env });
      await scene.until(({ status }) => status === "cancelled");
      sweep.write("go", "");
      const again = await herd(["run", sweep.path, "--wait"], { env: cluster.env });
      assert.equal(again.code, 0, again.stdout + again.stderr);
    })
  ),
);

/** A node's power goes: its daemon and every process of the job, at once. */
async function dieWith(cluster: PrivateCluster, node: "n4", jobId: string): Promise<void> {
  const raw = await rawIdOf(cluster, jobId);
  await cluster.kill(node);
  endProcesses(cluster, raw);
}

function endProcesses(cluster: PrivateCluster, rawJobId: string): void {
  const pids = cluster.processesOf(rawJobId);
  assert.ok(pids.length >= 3, "the stepd, the script and the trainer");
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It went with the one before.
    }
  }
}

async function rawIdOf(cluster: PrivateCluster, jobId: string): Promise<string> {
  return (await cluster.slurm("squeue", "-h", "-j", jobId, "-o", "%A")).trim();
}
