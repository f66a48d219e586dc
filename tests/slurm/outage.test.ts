import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { herd, herdJson, makeSweep, statusOf, untilStatus } from "../support/herd.ts";
import type { StatusDocument } from "../support/herd.ts";
import { startCluster, until, withoutPrivateCluster } from "../support/private-cluster.ts";
import type { PrivateCluster } from "../support/private-cluster.ts";
import { createTogether } from "../support/together.ts";

const SKIP = { skip: withoutPrivateCluster };
const together = createTogether();

const OUTAGE_MS = 60_000;

const SOAK = process.env["HERD_SOAK"] !== undefined;

/** Each trial begins, waits for a file of its own, and ends as its parameter `do` says. */
const LAUNCHER = `#!/bin/bash
case "$1" in
  *do=stubborn*) trap '' TERM ;;
  *do=polite*) trap 'exit 143' TERM ;;
esac
echo "$HYPERHERD_TRIAL_ID" >> ledger.txt
until [ -e "go-$HYPERHERD_TRIAL_ID" ]; do sleep 0.1; done
case "$1" in
  *do=exit3*) exit 3 ;;
  *do=exit200*) exit 200 ;;
  *do=segv*) kill -SEGV $$ ;;
esac
`;

function yaml(values: readonly string[], slurmMore = "", more = ""): string {
  return `
name: outage
launcher: ./launch.sh
scheduler: slurm
grid: all
slurm: {partition: main, time: 5, mem: 50M${slurmMore}}
parameters:
  do: {type: discrete, values: [${values.join(", ")}]}
${more}`;
}

type Sweep = ReturnType<typeof makeSweep>;

/** Lets these trials go on to their end. */
function release(sweep: Sweep, ...indices: readonly number[]): void {
  for (const index of indices) sweep.write(`go-${index}`, "");
}

function ledger(sweep: Sweep): string[] {
  return existsSync(`${sweep.path}/ledger.txt`)
    ? sweep.read("ledger.txt").trim().split("\n").sort()
    : [];
}

function words({ trials }: StatusDocument): string[] {
  return trials.map(({ status, cause, exit_code, signal }) =>
    [status, cause, exit_code, signal].filter((one) => one !== null).join(" ")
  );
}

function isOver({ status }: { status: string }): boolean {
  return ["completed", "failed", "cancelled"].includes(status);
}

/** Fails unless each trial is in one of the states that are true of it. */
function assertNoneWrong(status: StatusDocument, allowed: readonly (readonly string[])[]): void {
  for (const [index, found] of words(status).entries()) {
    assert.ok(allowed[index]!.includes(found), `trial ${index} is ${found}`);
  }
}

function assertAccountingSilent({ warnings }: StatusDocument): void {
  assert.equal(warnings.length, 1, `one line says what could not be learnt: ${warnings}`);
  assert.match(warnings[0]!, /^Cannot ask the slurm accounting: .*as last known$/);
}

async function inOwnCluster(
  options: Parameters<typeof startCluster>[0],
  files: { yaml: string; launcher: string },
  use: (cluster: PrivateCluster, sweep: Sweep) => Promise<void>,
): Promise<void> {
  await using cluster = await startCluster(options);
  const sweep = makeSweep(files, "herd-outage-");
  try {
    await use(cluster, sweep);
  } finally {
    sweep.remove();
  }
}

test(
  "slurmctld stopped for a minute: no status becomes wrong, run refuses, and all is right afterwards",
  SKIP,
  together(() =>
    inOwnCluster(
      { accounting: "own", settings: { MinJobAge: "2" } },
      {
        yaml: yaml(
          ["before", "ok", "exit3", "segv", "late", "later", "waits"],
          ", max_concurrent: 5",
        ),
        launcher: LAUNCHER,
      },
      async (cluster, sweep) => {
        const { env } = cluster;
        const submitted = await herd(["run", sweep.path], { env });
        assert.equal(submitted.code, 0, submitted.stderr);
        release(sweep, 0);
        await untilStatus(
          sweep.path,
          ({ totals }) =>
            totals["completed"] === 1 && totals["running"] === 5 && totals["queued"] === 1,
          30_000,
          env,
        );
        const stopped = Date.now();
        await cluster.stop("slurmctld");
        release(sweep, 1, 2, 3);
        const during = [
          ["completed completed 0"],
          ["running", "completed completed 0"],
          ["running", "failed exit 3"],
          // A code over 128 may be a kill for memory: only SLURM can tell, so it is not decided yet.
          ["running"],
          ["running"],
          ["running"],
          ["queued"],
        ];
        for (let asked = 0; asked < 2 || Date.now() - stopped < OUTAGE_MS; asked++) {
          const status = await statusOf(sweep.path, env);
          assertNoneWrong(status, during);
          const said = status.warnings.filter((line) =>
            !line.startsWith("Cannot cancel trials 4:")
          );
          assert.equal(said.length, 1, `one line says what could not be learnt: ${said}`);
          assert.match(said[0]!, /^Cannot ask the slurm queue: .*as last known$/);
          if (asked > 0) continue;
          // The trial's own word is as good as ever.
          assert.equal(words(status)[1], "completed completed 0");
          assert.equal(words(status)[2], "failed exit 3");
          const journal = sweep.read(".hyperherd/journal.jsonl");
          const refused = await herd(["run", sweep.path, "--json"], { env });
          assert.equal(refused.code, 4, refused.stdout + refused.stderr);
          assert.match(refused.stderr, /Unable to contact slurm controller/);
          assert.equal(sweep.read(".hyperherd/journal.jsonl"), journal, "run changed nothing");
          const stop = await herd(["stop", sweep.path, "4"], { env });
          assert.equal(stop.code, 4, "a stop that was not heard is told as such");
        }
        await cluster.start("slurmctld");
        release(sweep, 5, 6);
        const after = await untilStatus(
          sweep.path,
          ({ trials, warnings }) => trials.every(isOver) && warnings.length === 0,
          60_000,
          env,
        );
        const found = words(after);
        // The stop that SLURM did not hear was sent again.
        assert.match(found[4]!, /^cancelled cancelled/);
        assert.deepEqual([...found.slice(0, 4), ...found.slice(5)], [
          "completed completed 0",
          "completed completed 0",
          "failed exit 3",
          "failed signal 139 SEGV",
          "completed completed 0",
          "completed completed 0",
        ]);
        // Accounting dates their ends to the reconnection; the jobs know better.
        for (const index of [1, 2, 3]) {
          const seconds = after.trials[index]!.elapsed_seconds;
          assert.ok(seconds !== null && seconds < 30, `trial ${index} ran ${seconds} s`);
        }
        assert.deepEqual(ledger(sweep), ["0", "1", "2", "3", "4", "5", "6"]);
        const settled = await untilStatus(
          sweep.path,
          ({ trials }) => trials.every((one) => one.elapsed_seconds !== null),
          30_000,
          env,
        );
        assert.deepEqual(words(settled), words(after), "the last word is the same");
      },
    )
  ),
);

test(
  "slurmctld hung in the middle of sbatch: what may have arrived is waited for and never doubled",
  SKIP,
  together(() =>
    inOwnCluster(
      {
        accounting: "own",
        programs: {
          // The controller hangs at the very moment when the second array is handed over.
          sbatch: `#!/bin/bash
here=\${0%/bin/sbatch}
if [ -e "$here/hang" ] && [ -e "$here/first" ]; then
  rm "$here/hang"
  kill -STOP "$(cat "$here/slurmctld.pid")"
fi
touch "$here/first"
exec /usr/bin/sbatch "$@"
`,
        },
      },
      {
        yaml: yaml(
          ["a", "b", "c", "d", "e", "f"],
          "",
          `conditions:
  - {name: more, when: {do: [c, d]}, slurm: {mem: 60M}}
  - {name: most, when: {do: [e, f]}, slurm: {mem: 70M}}
`,
        ),
        launcher: LAUNCHER,
      },
      async (cluster, sweep) => {
        const { env, dir } = cluster;
        await herd(["ls", sweep.path], { env });
        const { writeFileSync } = await import("node:fs");
        writeFileSync(`${dir}/hang`, "");
        const hung = await herd(["run", sweep.path], { env });
        const stopped = Date.now();
        assert.equal(hung.code, 4, hung.stdout + hung.stderr);
        assert.match(hung.stderr, /trials 2-3 is not known/);
        release(sweep, 0, 1);
        const journal = () =>
          sweep.read(".hyperherd/journal.jsonl").split("\n").filter((line) =>
            line.includes('"submission-')
          );
        const before = journal();
        const again = await herd(["run", sweep.path], { env });
        assert.equal(again.code, 4, again.stdout + again.stderr);
        assert.deepEqual(journal(), before, "a run in the outage hands nothing over");
        do {
          const status = await statusOf(sweep.path, env);
          assertNoneWrong(status, [
            ["submitted", "running", "completed completed 0"],
            ["submitted", "running", "completed completed 0"],
            ["submitted"],
            ["submitted"],
            ["ready"],
            ["ready"],
          ]);
          assert.match(
            status.warnings.join("\n"),
            /Whether the scheduler took job ".*" is not known/,
          );
        } while (Date.now() - stopped < OUTAGE_MS);
        cluster.thaw("slurmctld");
        release(sweep, 2, 3, 4, 5);
        const rest = await herd(["run", sweep.path, "--wait"], { env });
        assert.equal(rest.code, 0, rest.stdout + rest.stderr);
        await untilStatus(sweep.path, ({ totals }) => totals["completed"] === 6, 30_000, env);
        assert.deepEqual(ledger(sweep), ["0", "1", "2", "3", "4", "5"]);
      },
    )
  ),
);

test(
  "slurmdbd dead, then hung, for a minute: nothing is guessed, run goes on, and all is right afterwards",
  SKIP,
  together(() =>
    inOwnCluster(
      { accounting: "own", settings: { MinJobAge: "2" } },
      {
        yaml: yaml(["ok", "exit3", "segv", "polite", "late"]),
        launcher: LAUNCHER,
      },
      async (cluster, sweep) => {
        const { env } = cluster;
        await herd(["run", sweep.path], { env });
        const running = await untilStatus(
          sweep.path,
          ({ totals }) => totals["running"] === 5,
          30_000,
          env,
        );
        const stopped = Date.now();
        await cluster.kill("slurmdbd");
        release(sweep, 0, 1, 2);
        await cluster.slurm("scancel", running.trials[3]!.job_id!);
        const during = [
          ["running", "unknown", "completed completed 0"],
          ["running", "unknown", "failed exit 3"],
          ["running", "unknown", "failed signal 139 SEGV"],
          ["running", "unknown", "cancelled cancelled", "cancelled cancelled 143 TERM"],
          ["running"],
        ];
        do {
          const status = await statusOf(sweep.path, env);
          assertNoneWrong(status, during);
          if (Date.now() - stopped > 1_000) assertAccountingSilent(status);
          await new Promise((resolve) => setTimeout(resolve, 1_000));
        } while (Date.now() - stopped < OUTAGE_MS / 2);
        const more = await herd(["run", sweep.path, "-i", "1"], { env });
        assert.equal(more.code, 0, "submitting needs no accounting: " + more.stderr);
        // Its port opens again, but nothing answers: sacct itself waits 45 s for that.
        await cluster.start("slurmdbd");
        cluster.freeze("slurmdbd");
        const status = await statusOf(sweep.path, env);
        const again = [...during[1]!, "submitted", "queued"];
        assertNoneWrong(status, [during[0]!, again, ...during.slice(2)]);
        assertAccountingSilent(status);
        assert.ok(Date.now() - stopped > OUTAGE_MS);
        cluster.thaw("slurmdbd");
        release(sweep, 4);
        const after = await untilStatus(
          sweep.path,
          ({ trials, warnings }) => trials.every(isOver) && warnings.length === 0,
          60_000,
          env,
        );
        const found = words(after);
        assert.match(found[3]!, /^cancelled cancelled/);
        assert.deepEqual([...found.slice(0, 3), found[4]], [
          "completed completed 0",
          "failed exit 3",
          "failed signal 139 SEGV",
          "completed completed 0",
        ]);
        assert.deepEqual(ledger(sweep), ["0", "1", "1", "2", "3", "4"]);
      },
    )
  ),
);

test(
  "without accounting every ending is right, from the queue and, once it has forgotten, from the job's own record",
  SKIP,
  together(() =>
    inOwnCluster(
      // Long enough for a loaded machine to see each end before it is forgotten, and to end by itself when told to.
      { accounting: "none", settings: { MinJobAge: "6", KillWait: "5" } },
      {
        yaml: yaml(["ok", "exit3", "exit200", "segv", "stubborn", "polite"]).replace(
          "time: 5",
          "time: 1",
        ),
        launcher: LAUNCHER,
      },
      async (cluster, watched) => {
        const { env } = cluster;
        const unwatched = makeSweep({
          yaml: watched.read("hyperherd.yaml"),
          launcher: LAUNCHER,
        }, "herd-outage-");
        try {
          await endWithoutAccounting(cluster, watched, unwatched);
          assert.deepEqual(ledger(unwatched), ["0", "1", "2", "3", "4", "5"]);
          const preview = await herdJson<{ submitted_indices: number[] }>(
            ["run", unwatched.path, "-n"],
            { env },
          );
          assert.deepEqual(preview.submitted_indices, [1, 2, 3, 4, 5]);
        } finally {
          unwatched.remove();
        }
      },
    )
  ),
);

async function endWithoutAccounting(
  cluster: PrivateCluster,
  watched: Sweep,
  unwatched: Sweep,
): Promise<void> {
  const { env } = cluster;
  const jobs = new Map<Sweep, string>();
  for (const sweep of [watched, unwatched]) {
    const said = await herdJson<{ slurm_job_id: string }>(["run", sweep.path], { env });
    jobs.set(sweep, said.slurm_job_id);
  }
  await until(() => Promise.resolve(ledger(unwatched).length === 6), "all trials to begin");
  for (const [sweep, job] of jobs) {
    release(sweep, 0, 1, 2, 3);
    // In the soak the other sweep waits for the limit itself, a minute and more.
    if (sweep === unwatched && SOAK) continue;
    await cluster.slurm("scontrol", "update", `JobId=${job}_4`, "EndTime=now+1");
    if (sweep === watched) {
      await cluster.slurm("scontrol", "update", `JobId=${job}_5`, "EndTime=now+1");
    } else await cluster.slurm("scancel", `${job}_5`);
  }
  const soon = await untilStatus(watched.path, ({ trials }) => trials.every(isOver), 60_000, env);
  await until(
    async () => (await cluster.slurm("squeue", "-h", "-t", "all")).trim() === "",
    "the queue to forget all jobs",
    180_000,
  );
  const late = await untilStatus(unwatched.path, ({ trials }) => trials.every(isOver), 60_000, env);
  for (const status of [soon, late]) {
    assert.deepEqual(words(status).slice(0, 4), [
      "completed completed 0",
      "failed exit 3",
      "failed exit 200",
      "failed signal 139 SEGV",
    ]);
    assert.deepEqual(status.warnings, [], "no accounting is no outage");
    for (const { index, elapsed_seconds } of status.trials) {
      assert.ok(elapsed_seconds !== null && elapsed_seconds < 100, `elapsed of ${index}`);
    }
  }
  assert.match(words(soon)[4]!, /^failed timeout/);
  assert.match(words(soon)[5]!, /^failed timeout/);
  // Ended before its limit: who ended it is what nobody remembers any more, how is not.
  // Of its processes SLURM kills one after the other: the script may live to see its launcher killed.
  assert.match(
    words(late)[4]!,
    SOAK ? /^failed timeout (TERM|137 KILL)$/ : /^failed signal (TERM|137 KILL)$/,
  );
  assert.equal(words(late)[5]!, SOAK ? "failed timeout 143 TERM" : "failed signal 143 TERM");
  assert.deepEqual(words(await statusOf(watched.path, env)), words(soon));
}
