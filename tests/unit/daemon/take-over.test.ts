import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { inSweep, runCommand, runJson } from "../../support/command.ts";
import type { CommandSaid } from "../../support/command.ts";

const YAML = `name: mine
scheduler: slurm
launcher: ./launch.sh
slurm: {partition: p, mem: 64M, time: 10}
grid: all
parameters:
  lr: {type: continuous, low: 1.0e-5, high: 1.0e-1, scale: log, steps: 9}
`;

/** What HyperHerd writes for these values: all the digits of the float that Python computed. */
const LRS = [
  1e-05,
  3.1622776601683795e-05,
  0.0001,
  0.00031622776601683794,
  0.001,
  0.0031622776601683794,
  0.01,
  0.03162277660168379,
  0.1,
];

interface Scene {
  path: string;
  /** Runs herd with the fake cluster in front of the path. */
  herd(...argv: string[]): Promise<CommandSaid>;
  // deno-lint-ignore no-explicit-any
  json(...argv: string[]): Promise<any>;
  /** What squeue and sacct print; undefined makes the program fail. */
  cluster(says: { squeue?: string | undefined; sacct?: string | undefined }): void;
  /** Command lines of the programs that change something. */
  acts(): string[];
  statuses(): Promise<string[]>;
}

const PROGRAM = `#!/bin/bash
here=$(dirname "$0")
name=$(basename "$0")
case $name in
  squeue|sacct) [ -e "$here/$name.says" ] || { echo "$name: error: connect failure" >&2; exit 1; }
    cat "$here/$name.says" ;;
  sbatch) echo "$name $*" >> "$here/acts"; cat > /dev/null; echo 900 ;;
  scancel) echo "$name $*" >> "$here/acts"
    sed -i 's/RUNNING/CANCELLED/' "$here/squeue.says" ;;
  *) echo "$name: error: not here" >&2; exit 1 ;;
esac
`;

function inHyperHerds(
  left: { statuses: readonly string[]; jobs?: string },
  use: (scene: Scene) => Promise<void>,
): Promise<void> {
  return inSweep({ yaml: YAML }, async ({ path, write }) => {
    const bin = join(path, "bin");
    mkdirSync(bin);
    for (const name of ["squeue", "sacct", "sbatch", "scancel", "scontrol", "sinfo", "sacctmgr"]) {
      writeFileSync(join(bin, name), PROGRAM);
      chmodSync(join(bin, name), 0o755);
    }
    const manifest = left.statuses.map((status, index) => ({
      index,
      hash: "0",
      params: { lr: LRS[index]! },
      extras: {},
      experiment_name: `lr-${index}`,
      status,
    }));
    write(".hyperherd/manifest.json", JSON.stringify(manifest, null, 2));
    if (left.jobs !== undefined) write(".hyperherd/job_ids.json", left.jobs);
    const env = { PATH: `${bin}:${process.env["PATH"]}` };
    const scene: Scene = {
      path,
      herd: (command, ...more) => runCommand([command!, path, ...more], { env }),
      json: (command, ...more) => runJson([command!, path, ...more], { env }),
      cluster: ({ squeue, sacct }) => {
        for (const [name, text] of Object.entries({ squeue, sacct })) {
          const file = join(bin, `${name}.says`);
          if (text !== undefined) writeFileSync(file, text);
          else if (existsSync(file)) renameSync(file, `${file}.not`);
        }
      },
      acts: () =>
        existsSync(join(bin, "acts"))
          ? readFileSync(join(bin, "acts"), "utf8").trim().split("\n")
          : [],
      statuses: async () =>
        (await scene.json("status")).trials.map(({ status }: { status: string }) => status),
    };
    scene.cluster({ squeue: "", sacct: "" });
    await use(scene);
  });
}

const queueRow = (task: number, name: string, state = "RUNNING") =>
  `77|${task}|${state}|0|1700000000|1700009000|0|n1|None|${name}|\n`;
const accountRow = (task: number, name: string, state: string, code = "0:0") =>
  `77_${task}|${state}|${code}|1700000000|1700000061|61|2|1|512M|00:01:00|||n1|${name}\n` +
  `77_${task}.batch|${state}|${code}|1700000000|1700000061|61|2|1||00:01:00|104857600|104857600|n1|batch\n`;

const STATUSES = ["completed", "failed", "submitted", "queued", "running", "paused", "ready"];
const THREE = '[{"slurm_job_id": "77", "indices": [0, 1, 2]}]';
const JOBS = '[{"slurm_job_id": "77", "indices": [0, 1, 2, 3, 4, 5]}]';

test("without job ids only what is not possibly alive runs again, and a stop frees the rest", () =>
  inHyperHerds({ statuses: STATUSES }, async ({ herd, json, statuses }) => {
    const before = ["completed", "failed", "unknown", "unknown", "unknown", "paused", "ready"];
    assert.deepEqual(await statuses(), before);
    const plan = await json("run", "--dry-run");
    assert.deepEqual(plan.submitted_indices, [1, 6, 7, 8]);
    const refused = await herd("run", "-i", "3");
    assert.equal(refused.code, 3, refused.stderr);
    const stopped = await herd("stop", "3");
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.equal((await statuses())[3], "cancelled");
    assert.deepEqual((await json("run", "--dry-run")).submitted_indices, [1, 3, 6, 7, 8]);
  }));

for (const file of ["manifest.json", "job_ids.json"]) {
  test(`a torn ${file} is shown as far as it goes, and refuses every change`, () =>
    inHyperHerds({ statuses: STATUSES, jobs: JOBS }, async ({ path, herd, acts, json }) => {
      const torn = join(path, ".hyperherd", file);
      const whole = readFileSync(torn, "utf8");
      writeFileSync(torn, whole.slice(0, -30));
      const changes = ["run", "run --dry-run", "run --force -i 2", "stop --all", "pause 2"];
      changes.push("prune 2", "resume 5", "clean --all --yes");
      for (const line of changes) {
        const said = await herd(...line.split(" "));
        assert.equal(said.code, 3, `${line}: ${said.stderr}`);
        assert.ok(said.stderr.includes(torn), `${line}: ${said.stderr}`);
        assert.match(said.stderr, /torn[^]*Restore it[^]*move it aside/);
      }
      for (const command of ["status", "ls"]) {
        const said = await herd(command);
        assert.equal(said.code, 0, said.stderr);
        assert.match(said.stdout, /completed/);
        assert.match(said.stderr, /torn/);
      }
      assert.deepEqual(acts(), []);
      assert.equal(readFileSync(torn, "utf8"), whole.slice(0, -30));
      assert.equal(existsSync(join(path, ".hyperherd", "journal.jsonl")), false);
      renameSync(torn, `${torn}.old`);
      const plan = await json("run", "--dry-run");
      if (file === "manifest.json") {
        // Indices of jobs are never given again.
        assert.deepEqual(plan.submitted_indices, [6, 7, 8, 9, 10, 11, 12, 13, 14]);
      } else assert.deepEqual(plan.submitted_indices, [1, 6, 7, 8]);
    }));
}

test("a job of another name under HyperHerd's id is neither followed nor cancelled", () =>
  inHyperHerds({ statuses: ["completed", "failed", "running"], jobs: JOBS }, async (scene) => {
    const { cluster, statuses, herd, acts } = scene;
    cluster({
      squeue: [0, 1, 2].map((task) => queueRow(task, "hyperherd_other")).join(""),
      sacct: accountRow(0, "hyperherd_other", "FAILED") + accountRow(2, "other", "COMPLETED"),
    });
    assert.deepEqual((await statuses()).slice(0, 3), ["completed", "failed", "unknown"]);
    const said = await herd("stop", "--all");
    assert.equal(said.code, 0, said.stderr);
    assert.equal((await statuses())[2], "cancelled");
    assert.deepEqual(acts().filter((line) => line.startsWith("scancel")), []);
  }));

test("a job of the sweep's name is followed and cancelled", () =>
  inHyperHerds({ statuses: ["ready", "ready", "submitted"], jobs: JOBS }, async (scene) => {
    const { cluster, statuses, herd, acts } = scene;
    cluster({ squeue: queueRow(2, "hyperherd_mine"), sacct: "" });
    assert.equal((await statuses())[2], "running");
    const said = await herd("stop", "2");
    assert.equal(said.code, 0, said.stderr);
    assert.equal((await statuses())[2], "cancelled");
    assert.match(acts().join(), /^scancel 77_\[2\]/);
  }));

test("while the YAML cannot be read nothing is carried over, and all can be seen", () =>
  inHyperHerds({ statuses: STATUSES, jobs: JOBS }, async ({ path, herd, acts }) => {
    writeFileSync(join(path, "hyperherd.yaml"), "name: [");
    const shown = await herd("status");
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, /completed/);
    const said = await herd("stop", "2");
    assert.equal(said.code, 2, said.stderr);
    assert.equal(existsSync(join(path, ".hyperherd", "journal.jsonl")), false);
    assert.deepEqual(acts(), []);
  }));

test("accounting fills in what ended, asked for once", () =>
  inHyperHerds({ statuses: ["completed", "failed", "failed"], jobs: THREE }, async (scene) => {
    const { cluster, json } = scene;
    cluster({
      squeue: "",
      sacct: accountRow(0, "hyperherd_mine", "COMPLETED") +
        accountRow(1, "hyperherd_mine", "OUT_OF_MEMORY", "0:125") +
        accountRow(2, "hyperherd_mine", "TIMEOUT"),
    });
    const { trials } = await json("stats");
    assert.deepEqual(
      trials.slice(0, 3).map((trial: Record<string, unknown>) => [
        trial["status"],
        trial["slurm_state"],
        trial["elapsed_seconds"],
        trial["max_rss_bytes"],
      ]),
      [
        ["completed", "COMPLETED", 61, 104857600],
        ["failed", "OUT_OF_MEMORY", 61, 104857600],
        ["failed", "TIMEOUT", 61, 104857600],
      ],
    );
    cluster({ squeue: "" });
    const again = await json("status");
    assert.match(again.trials[1].note, /out of memory/);
    assert.match(again.trials[2].note, /timeout/);
    assert.deepEqual(again.warnings, [], "accounting is not asked any more");
  }));

test("G.1.5: what HyperHerd called cancelled runs again once both views know nothing of it", () =>
  inHyperHerds(
    { statuses: ["cancelled", "ready"], jobs: JOBS },
    async ({ cluster, json, statuses }) => {
      cluster({ squeue: "" });
      assert.equal((await statuses())[0], "unknown");
      assert.match((await json("status")).trials[0].note, /HyperHerd said cancelled; /);
      cluster({ squeue: "", sacct: "" });
      assert.deepEqual((await json("run", "--dry-run")).submitted_indices[0], 0);
      assert.equal((await statuses())[0], "cancelled");
    },
  ));

test("the ten digits that HyperHerd gave are no drift, and what a retry gets", () =>
  inHyperHerds({ statuses: ["completed", "completed", "failed", "failed"] }, async ({ json }) => {
    const plan = await json("run", "--dry-run");
    assert.deepEqual(plan.submitted_indices, [2, 3, 4, 5, 6, 7, 8]);
    const { trials } = await json("ls");
    assert.deepEqual(trials.slice(0, 4).map(({ overrides }: { overrides: string }) => overrides), [
      "experiment_name=lr-0 lr=1e-05",
      "experiment_name=lr-1 lr=3.16227766e-05",
      "experiment_name=lr-2 lr=0.0001",
      "experiment_name=lr-3 lr=0.000316227766",
    ]);
  }));
