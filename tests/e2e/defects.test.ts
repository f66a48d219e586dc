import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { HERD, herd, herdJson, makeSweep, statusOf, untilStatus } from "../support/herd.ts";
import { tree } from "../support/tree.ts";

const LAUNCHER = `#!/bin/bash
echo "$HYPERHERD_TRIAL_ID" >> ledger.txt
case "$1" in *do=fail*) exit 3 ;; *do=hang*) while :; do sleep 0.1; done ;; esac
`;

function yaml(values: readonly string[], more = ""): string {
  return `
name: defects
launcher: ./launch.sh
scheduler: local
grid: all
slurm: {partition: none, time: 5, mem: 100M}
parameters:
  do: {type: discrete, values: [${values.join(", ")}]}
${more}`;
}

test("G.1.8: previews write nothing at all, on a new sweep and on an edited one", async (t) => {
  const sweep = makeSweep({ yaml: yaml(["a", "fail"]), launcher: LAUNCHER });
  t.after(sweep.remove);
  const untouched = tree(sweep.path);
  for (const args of [["run", "-n"], ["ls"], ["check", "--no-cluster"]]) {
    const said = await herd([args[0]!, sweep.path, ...args.slice(1)]);
    assert.equal(said.code, 0, said.stderr);
    assert.deepEqual(tree(sweep.path), untouched, args.join(" "));
  }
  const ran = await herd(["run", sweep.path, "--wait"]);
  assert.equal(ran.code, 1, ran.stderr);
  await untilStatus(
    sweep.path,
    ({ totals }) => totals["failed"] === 1 && totals["completed"] === 1,
  );
  // The edit drops the failed trial and adds one: HyperHerd's dry run dropped its history here.
  sweep.write("hyperherd.yaml", yaml(["a", "b"]));
  // The local scheduler's supervisor writes its own files until it leaves.
  const own = () => tree(sweep.path).filter((line) => !line.startsWith(".hyperherd/local/"));
  const before = own();
  const preview = await herdJson<{ submitted_indices: number[] }>(["run", sweep.path, "-n"]);
  assert.deepEqual(preview.submitted_indices, [2]);
  await herd(["ls", sweep.path]);
  await herd([
    "sh",
    sweep.path,
    "-n",
    "--metric",
    "loss",
    "--direction",
    "min",
    "--min-steps",
    "1",
    "--budget",
    "4",
  ]);
  assert.deepEqual(own(), before);
  assert.equal((await statusOf(sweep.path)).totals["failed"], 1);
});

test("G.1.9: looking at the sweep in between hides no failure from whoever looks later", async (t) => {
  const sweep = makeSweep({ yaml: yaml(["a", "fail"]), launcher: LAUNCHER });
  t.after(sweep.remove);
  await herd(["run", sweep.path, "--wait"]);
  for (let i = 0; i < 3; i++) await statusOf(sweep.path);
  // The change is an event with a sequence number: each reader follows from where it was.
  const failures = sweep.read(".hyperherd/journal.jsonl").trim().split("\n")
    .map((line) =>
      JSON.parse(line) as {
        seq: number;
        what: { type: string; changes?: { ending?: { cause: string } }[] };
      }
    )
    .filter(({ what }) => what.changes?.some(({ ending }) => ending?.cause === "exit"));
  assert.ok(failures.length >= 1);
  const snapshot = await herdJson<{ failed_stderr: { index: number }[] }>(["snapshot", sweep.path]);
  assert.deepEqual(snapshot.failed_stderr.map(({ index }) => index), [1]);
  const again = await herdJson<{ failed_stderr: { index: number }[] }>(["snapshot", sweep.path]);
  assert.deepEqual(again.failed_stderr.map(({ index }) => index), [1]);
});

test("G.1.4: prune cancels a trial that waits, and ends one that runs", async (t) => {
  const sweep = makeSweep({
    yaml: yaml(["hang1", "hang2"], "local: {slots: 1}\nprune_grace_seconds: 1\n"),
    launcher: LAUNCHER,
  });
  t.after(sweep.remove);
  await herd(["run", sweep.path]);
  await untilStatus(sweep.path, ({ totals }) => totals["running"] === 1 && totals["queued"] === 1);
  assert.equal((await herd(["prune", sweep.path, "1"])).code, 0);
  await untilStatus(sweep.path, ({ trials }) => trials[1]!.status === "pruned");
  assert.equal((await herd(["prune", sweep.path, "0"])).code, 0);
  assert.equal(sweep.read(".hyperherd/results/0/_signal"), "prune");
  // This trainer never looks at its signal: after the grace its job is cancelled.
  const over = await untilStatus(sweep.path, ({ totals }) => totals["pruned"] === 2);
  assert.equal(over.trials[0]!.cause, "cancelled");
  assert.equal(sweep.read("ledger.txt").trim(), "0");
});

test("G.1.6: a trial is never run beside itself, whatever is asked", async (t) => {
  const sweep = makeSweep({ yaml: yaml(["hang"]), launcher: LAUNCHER });
  t.after(sweep.remove);
  await herd(["run", sweep.path]);
  await untilStatus(sweep.path, ({ totals }) => totals["running"] === 1);
  assert.match((await herd(["run", sweep.path])).stdout, /Nothing to submit/);
  const refused = await herd(["run", sweep.path, "-i", "0"]);
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /0=running/);
  const forced = await herd(["run", sweep.path, "-i", "0", "--force"]);
  assert.equal(forced.code, 0, forced.stderr);
  const status = await untilStatus(sweep.path, ({ totals }) => totals["running"] === 1);
  assert.equal(status.trials[0]!.attempts, 2);
  assert.equal((await herd(["stop", sweep.path, "--all"])).code, 0);
});

test("G.1.17: the binary needs no Python, and the helper it writes needs no newer one than 3.6", () => {
  const helper = fileURLToPath(new URL("../../commands/init/herd_results.py", import.meta.url));
  // The parser itself judges: it refuses what 3.6 does not know.
  const script = "import ast,sys; ast.parse(open(sys.argv[1]).read(), feature_version=(3, 6))";
  execFileSync("python3", ["-c", script, helper]);
  const linked = execFileSync("ldd", [HERD], { encoding: "utf8" });
  assert.doesNotMatch(linked, /python/);
});
