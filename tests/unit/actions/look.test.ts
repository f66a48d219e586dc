import assert from "node:assert/strict";
import { test } from "node:test";
import { SchedulerError } from "../../../lib/base/errors.ts";
import type { Happening } from "../../../lib/sweep/event.ts";
import { statusOf } from "../../../lib/sweep/status.ts";
import { createActing } from "../../support/acting.ts";
import { seen as sighting } from "../../support/scene.ts";
import type { Acting } from "../../support/acting.ts";
import { stateOf, submittedSweep } from "../../support/journal-of.ts";
import { sampleConfig } from "../../support/sample-config.ts";

const SLURM = { config: sampleConfig({ scheduler: "slurm" }), scheduler: "slurm" as const };

function acting(...more: Happening[]): Acting {
  return createActing(stateOf([...submittedSweep(1), ...more]));
}

function ended(cause: "completed" | "exit"): Happening {
  const ending = { cause, exitCode: 0, signal: undefined, source: "scheduler" as const };
  return {
    type: "attempts-changed",
    changes: [{ submission: "s1", task: 0, phase: "ended", ending, usageDue: false }],
  };
}

test("a paused trial that could not be cancelled as it waited is told once it runs, grace 0 or not", async () => {
  const at = acting();
  at.cluster.queue = [sighting("pending")];
  at.cluster.cancelDown = true;
  await at.perform({ verb: "pause", indices: [0], graceSeconds: 0 });
  assert.equal(at.signals.get(0), undefined);
  at.cluster.queue = [sighting("running", { startedAt: at.now() })];
  await at.perform({ verb: "look", graceSeconds: 0 });
  assert.equal(at.signals.get(0), "pause");
  assert.deepEqual(at.cluster.cancelled, []);
});

test("a prune that was killed between its wish and its signal is told by the next look", async () => {
  const at = acting();
  at.cluster.queue = [sighting("running", { startedAt: at.now() })];
  const { fault } = at.parts;
  at.parts.fault = (point) => {
    if (point === "mark-intended") throw new Error("killed");
  };
  await assert.rejects(at.perform({ verb: "prune", indices: [0], graceSeconds: 600 }), /killed/);
  at.parts.fault = fault;
  assert.equal(at.signals.get(0), undefined);
  await at.perform({ verb: "look", graceSeconds: 600 });
  assert.equal(at.signals.get(0), "prune");
});

test("a pause while the queue is silent cancels no trial that may run by now", async () => {
  const at = acting();
  at.cluster.queue = [sighting("pending")];
  await at.perform({ verb: "look", graceSeconds: 600 });
  at.cluster.queueDown = true;
  await at.perform({ verb: "pause", indices: [0], graceSeconds: 600 });
  assert.deepEqual(at.cluster.cancelled, []);
  at.cluster.queueDown = false;
  await at.perform({ verb: "look", graceSeconds: 600 });
  assert.deepEqual(at.cluster.cancelled, [{ jobId: "7", task: 0 }]);
});

test("a resume that SLURM refuses leaves the trial paused, to be resumed later", async () => {
  const at = acting({ type: "intent-set", indices: [0], intent: "pause" }, ended("completed"));
  assert.equal(statusOf(at.parts.state(), 0), "paused");
  at.cluster.refusal = new SchedulerError("rejected", "QOSMaxSubmitJobPerUserLimit");
  const resume = { verb: "resume", indices: [0], maxConcurrent: undefined, ...SLURM } as const;
  await at.perform(resume);
  assert.equal(statusOf(at.parts.state(), 0), "paused");
  at.cluster.refusal = undefined;
  const again = await at.perform(resume);
  assert.equal(again.done && again.submitted.length, 1);
  assert.equal(statusOf(at.parts.state(), 0), "submitted");
});

test("run submits no trial whose ended job somebody requeued, though nothing else is open", async () => {
  const at = acting(ended("exit"));
  assert.equal(statusOf(at.parts.state(), 0), "failed");
  at.cluster.queue = [sighting("running", { startedAt: at.now(), restarts: 1 })];
  const resume = { verb: "resume", indices: [0], maxConcurrent: undefined, ...SLURM } as const;
  const refused = await at.perform(resume);
  assert.equal(refused.done, false);
  assert.equal(statusOf(at.parts.state(), 0), "running");
  assert.deepEqual(at.cluster.submitted, []);
});

test("an earlier job that comes back beside the latest one is cancelled until it is gone", async () => {
  const at = acting(ended("exit"), {
    type: "submission-intended",
    submission: "s2",
    scheduler: "slurm",
    jobName: "hyperherd_test_s2",
    fixed: "f",
    tasks: [{ task: 0, trial: 0, attempt: 2, as: "a" }],
    timeSeconds: 60,
  }, { type: "submission-accepted", submission: "s2", jobId: "8" });
  const latest = sighting("running", { jobId: "8", jobName: "hyperherd_test_s2", startedAt: 1 });
  at.cluster.queue = [latest, sighting("pending", { restarts: 1 })];
  await at.perform({ verb: "look", graceSeconds: 600 });
  assert.deepEqual(at.cluster.cancelled, [{ jobId: "7", task: 0 }]);
  assert.equal(statusOf(at.parts.state(), 0), "running");
  at.cluster.queue = [latest, sighting("cancelled")];
  await at.perform({ verb: "look", graceSeconds: 600 });
  await at.perform({ verb: "look", graceSeconds: 600 });
  assert.equal(at.cluster.cancelled.length, 1);
});

test("a look that learns nothing about ended trials asks no cluster", async () => {
  const at = acting(ended("completed"));
  await at.perform({ verb: "look", graceSeconds: 600 });
  assert.equal(at.cluster.looks, 0);
});

test("a trial that ran before is not submitted again while its queue is silent", async () => {
  const at = acting({ type: "intent-set", indices: [0], intent: "pause" }, ended("completed"));
  at.cluster.queueDown = true;
  const resume = { verb: "resume", indices: [0], maxConcurrent: undefined, ...SLURM } as const;
  await assert.rejects(at.perform(resume), /Cannot submit trials 0 again: the slurm queue/);
  assert.equal(statusOf(at.parts.state(), 0), "paused");
  assert.deepEqual(at.cluster.submitted, []);
});

test("a submission that arrives after its recovery was killed at the mark is adopted and runs", async () => {
  const at = createActing(stateOf(submittedSweep(1).slice(0, 2)));
  const voided = new Set<string>();
  at.parts.files.voidSubmission = (submission) => voided.add(submission);
  at.parts.files.unvoidSubmission = (submission) => voided.delete(submission);
  at.parts.fault = (point) => {
    if (point === "voided") throw new Error("killed");
  };
  await assert.rejects(at.perform({ verb: "look", graceSeconds: 600 }), /killed/);
  assert.equal(voided.size, 1);
  at.cluster.found = ["7"];
  await at.perform({ verb: "look", graceSeconds: 600 });
  assert.equal(at.parts.state().submissions.get("s1")?.jobId, "7");
  assert.equal(voided.size, 0);
});
