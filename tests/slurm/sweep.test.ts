import assert from "node:assert/strict";
import { test } from "node:test";
import { herd, makeSweep, statusOf, untilStatus } from "../support/herd.ts";
import type { StatusDocument } from "../support/herd.ts";
import { LAST_NODE, PARTITION, slurm, unlessStarted, withoutSlurm } from "../support/slurm.ts";
import { untilFile } from "../support/until-file.ts";

const SKIP = { skip: withoutSlurm };

/** Behaviours of trials, chosen by the parameter `do`. */
const LAUNCHER = `#!/bin/bash
echo "$HYPERHERD_TRIAL_ID $HERD_ATTEMPT $HERD_RESTART" >> ledger.txt
case "$1" in
  *do=exit3*) exit 3 ;;
  *do=exit200*) exit 200 ;;
  *do=segv*) kill -SEGV $$ ;;
  *do=oom*) exec python3 -c 'import time; x = bytearray(70 << 20); time.sleep(3); y = bytearray(400 << 20); print(len(y))' ;;
  *do=hang*) echo hanging; trap 'exit 143' TERM; while :; do sleep 0.1; done ;;
  *do=ckpt*) trap 'echo saved >> saved.txt; exit 0' USR1; echo waiting; while :; do sleep 0.1; done ;;
  *) echo "fine" ;;
esac
`;

function yaml(name: string, values: readonly string[], slurmMore = ""): string {
  return `
name: ${name}
launcher: ./launch.sh
scheduler: slurm
grid: all
slurm: {partition: ${PARTITION}, time: 5, mem: 100M${slurmMore}}
parameters:
  do: {type: discrete, values: [${values.join(", ")}]}
`;
}

function trial(status: StatusDocument, index: number) {
  const found = status.trials.find((one) => one.index === index);
  assert.ok(found !== undefined, `trial ${index}`);
  return found;
}

test("a sweep of 40 trials runs to its end on SLURM, each trial once", SKIP, async (t) => {
  const sweep = makeSweep({
    yaml: yaml("forty", Array.from({ length: 40 }, (_, i) => `v${i}`)),
    launcher: LAUNCHER,
  });
  t.after(sweep.remove);
  const said = await herd(["run", sweep.path, "--wait"], { timeoutMs: 180_000 });
  assert.equal(said.code, 0, said.stdout + said.stderr);
  const status = await statusOf(sweep.path);
  assert.deepEqual(status.totals, { total: 40, completed: 40 });
  const ledger = sweep.read("ledger.txt").trim().split("\n");
  assert.equal(ledger.length, 40);
  assert.equal(new Set(ledger).size, 40);
  // Run again: there is nothing to do, and nothing is done.
  const again = await herd(["run", sweep.path]);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /Nothing to submit/);
});

test(
  "every way to end gives the right status, cause, exit code, elapsed time and memory",
  SKIP,
  async (t) => {
    const sweep = makeSweep({
      yaml: yaml("endings", ["ok", "exit3", "exit200", "segv", "oom", "hang1", "hang2", "hang3"]),
      launcher: LAUNCHER,
    });
    t.after(sweep.remove);
    const ran = await herd(["run", sweep.path]);
    assert.equal(ran.code, 0, ran.stderr);
    const running = await untilStatus(
      sweep.path,
      (status) => [5, 6, 7].every((index) => trial(status, index).status === "running"),
    );
    const job = (index: number) => trial(running, index).job_id!;
    await slurm(["scontrol", "update", `JobId=${job(5)}`, "EndTime=now+1"]);
    await slurm(["scancel", job(6)]);
    const stopped = await herd(["stop", sweep.path, "7"]);
    assert.equal(stopped.code, 0, stopped.stderr);
    const status = await untilStatus(
      sweep.path,
      ({ trials }) =>
        trials.every((one) =>
          !["submitted", "queued", "running", "unknown"].includes(one.status)
        ) &&
        trial({ trials } as StatusDocument, 4).max_rss_bytes !== null,
    );
    const found = status.trials.map(({ status, cause, exit_code, signal }) =>
      [status, cause, exit_code, signal].join(" ")
    );
    assert.deepEqual(found, [
      "completed completed 0 ",
      "failed exit 3 ",
      "failed exit 200 ",
      "failed signal 139 SEGV",
      found[4]!,
      found[5]!,
      found[6]!,
      found[7]!,
    ]);
    assert.match(found[4]!, /^failed out-of-memory/);
    assert.match(found[5]!, /^failed timeout/);
    assert.match(found[6]!, /^cancelled cancelled/);
    assert.match(found[7]!, /^cancelled cancelled/);
    assert.ok(
      trial(status, 4).max_rss_bytes! > 50 * 1024 * 1024,
      "peak memory of the killed trial",
    );
    for (const one of status.trials) {
      assert.ok(
        one.elapsed_seconds !== null && one.elapsed_seconds < 90,
        `elapsed of ${one.index}`,
      );
    }
  },
);

test(
  "an edited sweep appends new trials and keeps finished ones; run again submits only what should run",
  SKIP,
  async (t) => {
    const sweep = makeSweep({ yaml: yaml("edit", ["a", "exit3"]), launcher: LAUNCHER });
    t.after(sweep.remove);
    await herd(["run", sweep.path, "--wait"]);
    sweep.write("hyperherd.yaml", yaml("edit", ["a", "b", "exit3"]));
    const again = await herd(["run", sweep.path, "--wait"]);
    assert.equal(again.code, 1, again.stderr);
    const status = await statusOf(sweep.path);
    assert.deepEqual(status.trials.map(({ index, status }) => `${index} ${status}`), [
      "0 completed",
      "1 failed",
      "2 completed",
    ]);
    // The finished one ran once, the failed one again, the new one once.
    const runs = sweep.read("ledger.txt").trim().split("\n").map((line) => line.split(" ")[0])
      .sort();
    assert.deepEqual(runs, ["0", "1", "1", "2"]);
  },
);

test("a requeued job counts its restart and ends as one attempt", SKIP, async (t) => {
  const sweep = makeSweep({
    yaml: yaml("requeue", ["hang"], ", requeue: true"),
    launcher: LAUNCHER,
  });
  t.after(sweep.remove);
  await herd(["run", sweep.path]);
  const running = await untilStatus(sweep.path, ({ totals }) => totals["running"] === 1);
  const job = trial(running, 0).job_id!;
  // Running is seen before the launcher's first line runs.
  await untilFile(`${sweep.path}/ledger.txt`);
  await slurm(["scontrol", "requeue", job]);
  const back = await untilStatus(sweep.path, (status) => {
    const { status: word, restarts } = trial(status, 0);
    // SLURM lets it wait two minutes (BeginTime) unless it is told otherwise.
    // It may start in this moment, or have started since.
    if (word === "queued") {
      slurm(["scontrol", "update", `JobId=${job}`, "StartTime=now"]).catch(unlessStarted);
    }
    return word === "running" && restarts === 1 && sweep.read("ledger.txt").includes("0 1 1");
  });
  assert.equal(trial(back, 0).attempts, 1);
  await herd(["stop", sweep.path, "--all"]);
  const over = await untilStatus(sweep.path, ({ totals }) => totals["cancelled"] === 1);
  assert.equal(trial(over, 0).restarts, 1);
  assert.equal(sweep.read("ledger.txt").trim().split("\n").at(-1), "0 1 1");
});

test(
  "a node that fails ends its trial with that cause, and run submits it again",
  SKIP,
  async (t) => {
    const sweep = makeSweep({
      yaml: yaml("node", ["hang"], `, requeue: false, extra_args: [--nodelist=${LAST_NODE}]`),
      launcher: LAUNCHER,
    });
    t.after(sweep.remove);
    await herd(["run", sweep.path]);
    await untilStatus(sweep.path, ({ totals }) => totals["running"] === 1);
    // A node whose daemon lives comes back by itself (ReturnToService=2); then there is nothing to resume.
    const resume = () =>
      slurm(["scontrol", "update", `nodename=${LAST_NODE}`, "state=resume"]).catch(() => "");
    t.after(resume);
    await slurm(["scontrol", "update", `nodename=${LAST_NODE}`, "state=down", "reason=test"]);
    const failed = await untilStatus(sweep.path, ({ totals }) => totals["failed"] === 1);
    assert.equal(trial(failed, 0).cause, "node-failure");
    await resume();
    const again = await herd(["run", sweep.path]);
    assert.equal(again.code, 0, again.stderr);
    const live = await untilStatus(sweep.path, ({ totals }) => totals["running"] === 1);
    assert.equal(trial(live, 0).attempts, 2);
    await herd(["stop", sweep.path, "--all"]);
  },
);

test(
  "the signal before the time limit reaches the trainer, which may save and exit",
  SKIP,
  async (t) => {
    const sweep = makeSweep({
      yaml: yaml("signal", ["ckpt"], ", signal: USR1@30").replace("time: 5", "time: 1"),
      launcher: LAUNCHER,
    });
    t.after(sweep.remove);
    await herd(["run", sweep.path]);
    await untilStatus(sweep.path, ({ totals }) => totals["completed"] === 1, 100_000);
    assert.equal(sweep.read("saved.txt"), "saved\n");
  },
);

test(
  "hostile names, values and paths go through SLURM and a real shell intact",
  SKIP,
  async (t) => {
    const values = [
      "a b",
      "it's",
      'say "hi"',
      "semi;colon",
      "$(touch owned)",
      "`touch owned`",
      "line\nbreak",
      "tab\there",
      "ünïcödé 日本",
      "back\\slash",
      "#hash %a",
      "x".repeat(4096),
    ];
    const sweep = makeSweep({
      yaml: yaml("hostile", values.map((value) => JSON.stringify(value))),
      launcher: `#!/bin/bash
for token in "${"$"}{@:2}"; do
  case "$token" in do=*) printf '%s' "${"$"}{token#do=}" > "got-$HYPERHERD_TRIAL_ID" ;; esac
done
`,
    }, "herd hostile 'q' \$(x) ünï % #-");
    t.after(sweep.remove);
    const said = await herd(["run", sweep.path, "--wait"]);
    assert.equal(said.code, 0, said.stdout + said.stderr);
    for (const [index, value] of values.entries()) {
      assert.equal(sweep.read(`got-${index}`), value, `value ${index}`);
    }
    assert.throws(() => sweep.read("owned"));
  },
);
