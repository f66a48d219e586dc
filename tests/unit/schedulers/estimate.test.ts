import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import type { Ended } from "../../../lib/base/process.ts";
import { createLocalScheduler } from "../../../lib/schedulers/local/scheduler.ts";
import { makeSpool, takeJobId, writeJob } from "../../../lib/schedulers/local/spool.ts";
import { estimateStarts, parseStarts, startsArgv } from "../../../lib/schedulers/slurm/starts.ts";
import { removeTree } from "../../support/remove-tree.ts";

function ended(more: Partial<Ended> & Pick<Ended, "argv">): Ended {
  return {
    ok: true,
    exitCode: 0,
    signal: undefined,
    timedOut: false,
    canceled: false,
    spawnError: undefined,
    stdout: "",
    stderr: "",
    durationMs: 1,
    ...more,
  } as Ended;
}

test("squeue's pending tasks are read with reason and guess; odd lines are passed over", () => {
  assert.deepEqual(
    parseStarts(
      "7|3|1800000000|Priority|\n7|4|N/A|Resources|\n7|5|0|None|\n" +
        "7|[6-9]|N/A|Priority|\n8|N/A|N/A|Priority|\nslurm_load_jobs error\n" +
        "7|10|N/A|ReqNodeNotAvail, UnavailableNodes:n[1|2]|\n",
    ),
    [
      { jobId: "7", task: 3, reason: "Priority", startsAt: 1_800_000_000_000 },
      { jobId: "7", task: 4, reason: "Resources", startsAt: undefined },
      { jobId: "7", task: 5, reason: undefined, startsAt: undefined },
      {
        jobId: "7",
        task: 10,
        reason: "ReqNodeNotAvail, UnavailableNodes:n[1|2]",
        startsAt: undefined,
      },
    ],
  );
});

test("G.2.20: one call for any number of tasks, none for none, and others' tasks are left out", async () => {
  const calls: (readonly string[])[] = [];
  const call = (argv: readonly string[]) => {
    calls.push(argv);
    const stdout = Array.from({ length: 10_000 }, (_, i) => `7|${i}|N/A|Priority|`).join("\n");
    return Promise.resolve(ended({ argv, stdout }));
  };
  const tasks = Array.from({ length: 5000 }, (_, task) => ({ jobId: "7", task }));
  const found = await estimateStarts(call, 1000, tasks);
  assert.equal(found.tasks.length, 5000);
  assert.deepEqual(calls, [startsArgv(1000)]);
  assert.deepEqual((await estimateStarts(call, 1000, [])).tasks, []);
  assert.equal(calls.length, 1);
});

test("a controller that is down is told as such and throws nothing", async () => {
  const call = (argv: readonly string[]) =>
    Promise.resolve(
      ended({ argv, ok: false, exitCode: 1, stderr: "squeue: error: Unable to contact" }),
    );
  const found = await estimateStarts(call, 1000, [{ jobId: "7", task: 1 }]);
  assert.deepEqual(found, {
    answer: { answered: false, reason: "unreachable", message: "Unable to contact" },
    tasks: [],
  });
});

test("the local scheduler tells why tasks wait, how many run at once, and starts nothing", async () => {
  const root = mkdtempSync(join(tmpdir(), "herd local $(x) 'ü' "));
  try {
    const spool = join(root, "spool");
    makeSpool(spool);
    const id = takeJobId(spool);
    writeJob(spool, {
      id,
      submission: "s1",
      jobName: "j",
      tasks: [0, 1, 2],
      cpusPerTask: 1,
      memoryMiB: 64,
      timeSeconds: null,
      maxConcurrent: null,
      after: [],
      cwd: root,
      environment: {},
      output: "o",
      error: "e",
      signal: null,
      slots: 2,
      submittedAt: 0,
    }, new Uint8Array());
    const scheduler = createLocalScheduler({
      spool,
      supervisor: [],
      clock: { now: () => 0, sleep: () => Promise.resolve() },
      slots: 2,
    });
    const found = await scheduler.estimate!([{ jobId: id, task: 1 }, { jobId: "99", task: 0 }]);
    assert.deepEqual(found, {
      answer: { answered: true },
      tasks: [{ jobId: id, task: 1, reason: "SupervisorStarting", startsAt: undefined }],
      slots: 2,
    });
  } finally {
    removeTree(root);
  }
});
