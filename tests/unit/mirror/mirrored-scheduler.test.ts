import assert from "node:assert/strict";
import { test } from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { SchedulerError, UserError } from "../../../lib/base/errors.ts";
import type { Mirror } from "../../../lib/mirror/mirror.ts";
import { MirrorError } from "../../../lib/mirror/mirror-error.ts";
import { createMirroredScheduler } from "../../../lib/mirror/mirrored-scheduler.ts";
import type { Found, JobRequest, Scheduler } from "../../../lib/schedulers/scheduler.ts";
import { workspacePaths } from "../../../lib/store/paths.ts";

interface Scene {
  /** What was asked of mirror and scheduler, in order. */
  asked: string[];
  warnings: string[];
  /** What a part of the mirror fails with. */
  failing: Partial<Record<"open" | "push" | "tell" | "settle" | "pull", Error>>;
  found: Found;
  scheduler: Scheduler;
}

const FACTS = { uid: 0, home: "/home/ana", bare: {}, login: {}, herd: undefined };

function scene(): Scene {
  const asked: string[] = [];
  const there = { paths: workspacePaths("/there"), facts: FACTS };
  const made: Omit<Scene, "scheduler"> = {
    ...{ asked, warnings: [], failing: {} },
    found: { jobIds: [], conclusive: true, detail: "" },
  };
  const does = <T>(what: keyof Scene["failing"], value: T) => (): Promise<T> => {
    if (what !== "open") asked.push(what);
    const failure = made.failing[what];
    return failure === undefined ? Promise.resolve(value) : Promise.reject(failure);
  };
  const mirror = {
    ...{ host: "login", there: () => there, pulledAt: () => 1, isWhole: () => true },
    ...{ open: does("open", there), push: does("push", {}), pull: does("pull", {}) },
    ...{ tell: does("tell", undefined), settle: does("settle", undefined), touched: () => {} },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  } as unknown as Mirror;
  const inner = {
    name: "slurm",
    submit: ({ script }: JobRequest) => (asked.push(`sbatch ${script}`), { jobId: "7" }),
    find: () => (asked.push("find"), made.found),
    cancel: () => (asked.push("scancel"), { ok: true }),
    look: () => {
      asked.push("squeue");
      return { at: 0, queue: { answered: true }, inQueue: new Map([["7_0", {}]]) };
    },
  } as unknown as Scheduler;
  const scheduler = createMirroredScheduler({
    ...{ mirror, root: "/here", clock: createSystemClock(), make: () => inner },
    log: (_, message) => void made.warnings.push(message),
  });
  return Object.assign(made, { scheduler });
}

const CUT = new MirrorError("unreachable", "The connection was cut");
const BROKEN = new UserError("Cannot read the YAML");
const JOB = { script: "/here/.hyperherd/submissions/s/job.sbatch" } as JobRequest;
const QUESTION = { jobs: [], since: 0, wanted: () => [] };

test("a mark that keeps a late job from running is there before it is asked whether one came", async () => {
  const { scheduler, asked } = scene();
  assert.equal((await scheduler.find("name", 0)).conclusive, true);
  assert.deepEqual(asked, ["settle", "find", "pull"]);
});

test("where the mark could not be brought there, or the records not here, nothing is concluded", async () => {
  for (const part of ["settle", "pull"] as const) {
    const { scheduler, failing } = scene();
    failing[part] = CUT;
    assert.equal((await scheduler.find("name", 0)).conclusive, false, part);
  }
});

test("a job that is found is found, whatever could not be brought or fetched", async () => {
  const made = scene();
  made.failing.settle = CUT;
  made.found = { jobIds: ["7"], conclusive: true, detail: "" };
  assert.deepEqual((await made.scheduler.find("name", 0)).jobIds, ["7"]);
});

test("what cannot be sent is not submitted: in passing where the host is away, else for good", async () => {
  for (const [error, kind] of [[CUT, "unreachable"], [BROKEN, "rejected"]] as const) {
    const { scheduler, failing, asked } = scene();
    failing.push = error;
    await assert.rejects(
      scheduler.submit(JOB),
      (found) => found instanceof SchedulerError && found.kind === kind,
    );
    assert.deepEqual(asked, ["push"]);
  }
});

test("the script is named as it is called there", async () => {
  const { scheduler, asked } = scene();
  await scheduler.submit(JOB);
  assert.deepEqual(asked, ["push", "sbatch /there/.hyperherd/submissions/s/job.sbatch"]);
});

test("a YAML that is broken, or a file that cannot be had, keeps no job from being ended or seen", async () => {
  const { scheduler, failing, warnings } = scene();
  failing.tell = BROKEN;
  failing.pull = BROKEN;
  assert.deepEqual(await scheduler.cancel([]), { ok: true });
  const { inQueue, queue } = await scheduler.look(QUESTION);
  assert.deepEqual([...inQueue.keys()], ["7_0"]);
  assert.equal(queue.answered, false);
  assert.deepEqual(warnings, [BROKEN.message, BROKEN.message]);
});

test("where records could not be fetched, what is not in the queue is not taken for gone", async () => {
  for (const error of [CUT, new MirrorError("unusable", "There is no room"), BROKEN]) {
    const { scheduler, failing } = scene();
    assert.deepEqual((await scheduler.look(QUESTION)).queue, { answered: true });
    failing.pull = error;
    const { queue } = await scheduler.look(QUESTION);
    assert.deepEqual(queue, { answered: false, reason: "unreachable", message: error.message });
  }
});

test("a host that is away is a silent queue, never an empty one", async () => {
  const { scheduler, failing } = scene();
  failing.open = CUT;
  const { queue, accounting } = await scheduler.look(QUESTION);
  assert.deepEqual([queue.answered, accounting.answered], [false, false]);
  assert.equal((await scheduler.find("name", 0)).conclusive, false);
  assert.equal((await scheduler.cancel([])).ok, false);
});
