import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { test } from "node:test";
import { herd, herdJson, makeSweep, statusOf, untilStatus } from "../support/herd.ts";
import { startCluster, until, withoutPrivateCluster } from "../support/private-cluster.ts";
import { createTogether } from "../support/together.ts";

const SKIP = { skip: withoutPrivateCluster };
const together = createTogether();

/** Writes down when each trial comes and goes, in the order in which it happens. */
const LAUNCHER = `#!/bin/bash
echo "+ $HYPERHERD_TRIAL_ID $SLURM_MEM_PER_NODE" >> moves.txt
echo "this is trial $HYPERHERD_TRIAL_ID"
sleep 0.3
echo "- $HYPERHERD_TRIAL_ID" >> moves.txt
`;

interface Run {
  submitted_indices: number[];
  left_indices: number[];
  sbatch_script: string | null;
  jobs: { job_id: string; indices: number[]; sbatch_path: string }[];
}

function yaml(count: number, slurmMore = "", more = ""): string {
  return `
name: limits
launcher: ./launch.sh
scheduler: slurm
grid: all
slurm: {partition: main, time: 5, mem: 50M${slurmMore}}
parameters:
  x: {type: discrete, values: [${Array.from({ length: count }, (_, i) => i).join(", ")}]}
${more}`;
}

type Sweep = ReturnType<typeof makeSweep>;

/** The trials that began, in order, and the most that ran at once. */
function movesOf(sweep: Sweep): { began: number[]; most: number } {
  const began: number[] = [];
  let [now, most] = [0, 0];
  for (const line of sweep.read("moves.txt").trim().split("\n")) {
    const [sign, trial] = line.split(" ");
    now += sign === "+" ? 1 : -1;
    most = Math.max(most, now);
    if (sign === "+") began.push(Number(trial));
  }
  return { began, most };
}

function ascending(numbers: Iterable<number>): number[] {
  return [...numbers].sort((a, b) => a - b);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

test(
  "25 trials where an array holds 11 run once each, with logs of their own and one max_concurrent for all arrays",
  SKIP,
  together(async () => {
    await using cluster = await startCluster({
      accounting: "none",
      settings: { MaxArraySize: "11" },
    });
    const { env } = cluster;
    const sweep = makeSweep({ yaml: yaml(25, ", max_concurrent: 4"), launcher: LAUNCHER });
    try {
      const said = await herd(["run", sweep.path, "--wait"], { env });
      assert.equal(said.code, 0, said.stdout + said.stderr);
      assert.equal(said.stdout.match(/^Submitted /gm)?.length, 3, said.stdout);
      const { began, most } = movesOf(sweep);
      assert.deepEqual(ascending(began), range(25));
      assert.ok(most <= 4, `${most} ran at once`);
      for (const index of range(25)) {
        const log = sweep.read(`.hyperherd/logs/${index}.out`);
        assert.match(log, new RegExp(`^this is trial ${index}$`, "m"));
        const shown = await herd(["tail", sweep.path, `${index}`], { env });
        assert.match(shown.stdout, new RegExp(`this is trial ${index}\n`));
      }
      const status = await statusOf(sweep.path, env);
      assert.deepEqual(status.totals, { total: 25, completed: 25 });
    } finally {
      sweep.remove();
    }
  }),
);

test(
  "what fits under the submit limit of a QOS or an association is submitted, the rest is named, and --wait finishes it",
  SKIP,
  together(async () => {
    await using cluster = await startCluster({
      accounting: "own",
      settings: { AccountingStorageEnforce: "associations,limits,qos" },
    });
    const { env } = cluster;
    const change = (...argv: string[]) => cluster.slurm("sacctmgr", "-i", ...argv);
    await change("add", "qos", "tight", "set", "MaxSubmitJobsPerUser=5");
    await change("modify", "user", "root", "set", "qos+=tight");
    const held = makeSweep({
      yaml: yaml(12, ", qos: tight"),
      launcher: "#!/bin/bash\nuntil [ -e go ]; do sleep 0.1; done\n",
    });
    const waited = makeSweep({ yaml: yaml(12, ", max_concurrent: 3"), launcher: LAUNCHER });
    try {
      const first = await herdJson<Run>(["run", held.path], { env });
      assert.deepEqual(first.submitted_indices, range(5));
      assert.deepEqual(first.left_indices, [5, 6, 7, 8, 9, 10, 11]);
      const full = await herd(["run", held.path], { env });
      assert.equal(full.code, 0, full.stderr);
      assert.match(full.stderr, /7 trials \(5-11\) did not fit under the site's submit limit/);
      await untilStatus(held.path, ({ totals }) => totals["running"] === 5, 30_000, env);
      held.write("go", "");
      const rest = await herd(["run", held.path, "--wait"], { env });
      assert.equal(rest.code, 0, rest.stdout + rest.stderr);
      const status = await statusOf(held.path, env);
      assert.deepEqual(status.totals, { total: 12, completed: 12 });
      assert.ok(status.trials.every(({ attempts }) => attempts === 1));

      await change("modify", "user", "root", "set", "MaxSubmitJobs=5");
      const said = await herd(["run", waited.path, "--wait"], { env });
      assert.equal(said.code, 0, said.stdout + said.stderr);
      const { began, most } = movesOf(waited);
      assert.deepEqual(ascending(began), range(12));
      assert.ok(most <= 3, `${most} ran at once`);
    } finally {
      held.remove();
      waited.remove();
    }
  }),
);

test(
  "where others leave no room, --wait asks seldom, and submits when they have gone",
  SKIP,
  together(async () => {
    await using cluster = await startCluster({
      accounting: "own",
      settings: { AccountingStorageEnforce: "associations,limits" },
      programs: {
        scontrol:
          '#!/bin/bash\necho "$@" >> "${0%/bin/scontrol}/asked"\nexec /usr/bin/scontrol "$@"\n',
      },
    });
    const { env, dir } = cluster;
    await cluster.slurm("sacctmgr", "-i", "modify", "user", "root", "set", "MaxSubmitJobs=5");
    const others = await cluster.slurm(
      ...["sbatch", "--parsable", "--array=0-4", "--mem=50M", "-t", "5", "-o", "/dev/null"],
      ...["--wrap", "sleep 300"],
    );
    const sweep = makeSweep({ yaml: yaml(4), launcher: LAUNCHER });
    const asked = () => existsSync(`${dir}/asked`) ? readFileSync(`${dir}/asked`, "utf8") : "";
    try {
      const waiting = herd(["run", sweep.path, "--wait"], { env });
      await until(() => Promise.resolve(asked().includes("show partition")), "the first try");
      // Long enough for a hundred more tries of one that is in a hurry.
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      const tries = asked().match(/show config/g)!.length;
      assert.equal(tries, 1, `${tries} tries within some seconds`);
      await cluster.slurm("scancel", others.trim());
      const said = await waiting;
      assert.equal(said.code, 0, said.stdout + said.stderr);
      assert.match(said.stderr, /4 trials \(0-3\) did not fit/);
      assert.deepEqual(ascending(movesOf(sweep).began), range(4));
    } finally {
      sweep.remove();
    }
  }),
);

test(
  "trials that ask for other resources go in arrays of their own, and get them",
  SKIP,
  together(async () => {
    await using cluster = await startCluster({ accounting: "own" });
    const { env } = cluster;
    const sweep = makeSweep({
      yaml: yaml(
        6,
        "",
        `conditions:
  - {name: large, when: {x: [1, 4]}, slurm: {mem: 1G}}
  - {name: larger, when: {x: 5}, slurm: {mem: 1500M, cpus_per_task: 2}}
`,
      ),
      launcher: LAUNCHER,
    });
    try {
      const run = await herdJson<Run>(["run", sweep.path], { env });
      assert.deepEqual(run.jobs.map(({ indices }) => indices), [[0, 2, 3], [1, 4], [5]]);
      await untilStatus(sweep.path, ({ totals }) => totals["completed"] === 6, 60_000, env);
      const given = sweep.read("moves.txt").split("\n").filter((line) => line.startsWith("+"));
      assert.deepEqual(given.sort(), [
        "+ 0 50",
        "+ 1 1024",
        "+ 2 50",
        "+ 3 50",
        "+ 4 1024",
        "+ 5 1500",
      ]);
      const [small, large, larger] = run.jobs.map(({ job_id }) => job_id);
      const wanted = [`${small}_0|50M|1`, `${large}_4|1G|1`, `${larger}_5|1500M|2`];
      const argv = ["sacct", "-X", "-n", "-P", "-o", "JobID,ReqMem,ReqCPUS"];
      // Accounting has a row for each task some seconds after it ended.
      await until(async () => {
        const rows = (await cluster.slurm(...argv)).split("\n");
        return wanted.every((row) => rows.includes(row));
      }, `accounting to show ${wanted}`);
    } finally {
      sweep.remove();
    }
  }),
);

test(
  "a controller that is full takes the rest when it has forgotten the first, and nothing runs twice",
  SKIP,
  together(async () => {
    await using cluster = await startCluster({
      accounting: "none",
      settings: { MaxJobCount: "10", MinJobAge: "2" },
    });
    const { env } = cluster;
    const sweep = makeSweep({ yaml: yaml(14), launcher: LAUNCHER });
    try {
      const said = await herd(["run", sweep.path, "--wait"], { env, timeoutMs: 180_000 });
      assert.equal(said.code, 0, said.stdout + said.stderr);
      assert.deepEqual(ascending(movesOf(sweep).began), range(14));
    } finally {
      sweep.remove();
    }
  }),
);

test(
  "10,000 trials are planned, submitted as one small script, shown and stopped",
  SKIP,
  together(async () => {
    await using cluster = await startCluster({
      accounting: "own",
      settings: { MaxArraySize: "20001", MaxJobCount: "50000" },
    });
    const { env } = cluster;
    const sweep = makeSweep({
      yaml: yaml(10_000),
      launcher: `#!/bin/bash\necho "$HYPERHERD_TRIAL_ID" >> moves.txt\nexec sleep 300\n`,
    });
    try {
      const planned = await herdJson<Run>(["run", sweep.path, "-n"], { env });
      assert.equal(planned.submitted_indices.length, 10_000);
      assert.throws(() => statSync(`${sweep.path}/.hyperherd/journal.jsonl`), /ENOENT/);
      const run = await herdJson<Run>(["run", sweep.path], { env });
      assert.deepEqual(run.jobs.map(({ indices }) => indices.length), [10_000]);
      assert.ok(statSync(run.jobs[0]!.sbatch_path).size < 256 * 1024);
      const live = await untilStatus(
        sweep.path,
        ({ totals }) => (totals["running"] ?? 0) > 0,
        30_000,
        env,
      );
      assert.equal(live.totals["total"], 10_000);
      assert.equal((live.totals["running"] ?? 0) + (live.totals["queued"] ?? 0), 10_000);
      const stopped = await herd(["stop", sweep.path, "--all"], { env });
      assert.equal(stopped.code, 0, stopped.stderr);
      const over = await untilStatus(
        sweep.path,
        ({ totals }) => totals["cancelled"] === 10_000,
        60_000,
        env,
      );
      assert.deepEqual(over.warnings, []);
      assert.equal((await cluster.slurm("squeue", "-h", "-t", "PD,R")).trim(), "");
    } finally {
      sweep.remove();
    }
  }),
);
