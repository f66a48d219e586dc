import assert from "node:assert/strict";
import { test } from "node:test";
import { decideScale } from "../../../lib/tasks/scale-rules.ts";
import type { JobWorker, ScaleFacts } from "../../../lib/tasks/scale-rules.ts";
import { readScaleWish } from "../../../lib/tasks/scale-wish.ts";

const NOW = 10_000_000;

function worker(name: string, more: Partial<JobWorker> = {}): JobWorker {
  return {
    worker: name,
    slots: 1,
    phase: "running",
    leaving: false,
    held: 0,
    idleSince: NOW,
    ...more,
  };
}

function decide(facts: Partial<ScaleFacts>) {
  return decideScale({
    least: 0,
    most: 4,
    slots: 1,
    idleMs: 60_000,
    waiting: 0,
    held: false,
    workers: [],
    now: NOW,
    ...facts,
  });
}

const NOTHING = { submit: 0, drain: [], cancel: [] };

test("a fixed number is kept, whatever waits, and however long it was idle", () => {
  const at = { least: 3, most: 3 };
  assert.deepEqual(decide(at), { ...NOTHING, submit: 3 });
  assert.equal(decide({ ...at, waiting: 50, workers: [worker("a")] }).submit, 2);
  const idle = ["a", "b", "c"].map((one) => worker(one, { idleSince: 0 }));
  assert.deepEqual(decide({ ...at, workers: idle }), NOTHING);
});

test("it goes up at once, to as many as what waits fills, and no further than the most", () => {
  assert.equal(decide({ waiting: 3 }).submit, 3);
  assert.equal(decide({ waiting: 99 }).submit, 4);
  assert.equal(decide({ waiting: 5, slots: 3 }).submit, 2);
  const asked = ["a", "b"].map((one) => worker(one, { phase: "waiting" }));
  assert.equal(decide({ waiting: 3, workers: asked }).submit, 1, "those under way count");
  const busy = ["a", "b"].map((one) => worker(one, { held: 1 }));
  assert.equal(decide({ waiting: 1, workers: busy }).submit, 1);
  const leaving = [worker("a", { leaving: true, held: 1 })];
  assert.equal(decide({ waiting: 1, workers: leaving }).submit, 1, "one that leaves is no help");
});

test("nothing is started while no work is given out, not even the least", () => {
  assert.equal(decide({ waiting: 9, held: true }).submit, 0);
  assert.equal(decide({ least: 2, held: true }).submit, 0);
});

test("it goes down after a time without work, never below the least, never in mid-task", () => {
  const old = (name: string, more: Partial<JobWorker> = {}) =>
    worker(name, { idleSince: NOW - 60_000, ...more });
  assert.deepEqual(decide({ workers: [old("a"), worker("b")] }).drain, ["a"]);
  assert.deepEqual(decide({ workers: [old("a"), old("b")], least: 1 }).drain.length, 1);
  assert.deepEqual(decide({ workers: [old("a", { held: 1 })] }), NOTHING);
  assert.deepEqual(decide({ workers: [old("a")], waiting: 1 }), NOTHING, "it is about to be used");
});

test("above a lowered limit the excess goes at once: first what waits, then the idle, then the busy", () => {
  const workers = [
    worker("busy", { held: 1 }),
    worker("idle"),
    worker("queued", { phase: "waiting" }),
  ];
  assert.deepEqual(decide({ most: 2, least: 2, workers }), {
    submit: 0,
    drain: [],
    cancel: ["queued"],
  });
  assert.deepEqual(decide({ most: 1, workers }), {
    submit: 0,
    drain: ["idle"],
    cancel: ["queued"],
  });
  assert.deepEqual(decide({ most: 0, workers }), {
    submit: 0,
    drain: ["idle", "busy"],
    cancel: ["queued"],
  });
});

test("one of which nobody knows whether SLURM has it is left alone until that is known", () => {
  const workers = [worker("a", { phase: "asked", idleSince: 0 })];
  assert.deepEqual(decide({ most: 0, workers }), NOTHING);
});

test("every decision leads to a state in which nothing more is to be decided", () => {
  let seed = 7;
  const random = (most: number) => (seed = (seed * 48_271) % 2_147_483_647) % most;
  for (let round = 0; round < 2_000; round++) {
    const most = random(6);
    const least = random(most + 1);
    const facts = {
      least,
      most,
      waiting: random(8),
      slots: 1 + random(3),
      workers: Array.from({ length: random(7) }, (_, i) =>
        worker(`w${i}`, {
          held: random(2),
          phase: (["waiting", "running"] as const)[random(2)]!,
          idleSince: NOW - random(2) * 60_000,
        })),
    };
    const steps = decide(facts);
    const gone = new Set([...steps.drain, ...steps.cancel]);
    const added = Array.from({ length: steps.submit }, (_, i) => worker(`n${i}`));
    const workers = [...facts.workers.filter((one) => !gone.has(one.worker)), ...added];
    assert.deepEqual(decide({ ...facts, workers }), NOTHING, JSON.stringify({ facts, steps }));
    assert.ok(workers.length <= Math.max(most, 0), "no more than the most");
    const busy = new Set(facts.workers.filter(({ held }) => held > 0).map((one) => one.worker));
    if (facts.workers.length <= most) assert.ok([...gone].every((one) => !busy.has(one)));
  }
});

test("a wish that cannot be is refused with the reason, and sbatch's own options are not for others", () => {
  const refused = (wish: Parameters<typeof readScaleWish>[0]) => {
    const read = readScaleWish(wish, { slurm: undefined }, "abc");
    return "refused" in read ? read.refused : undefined;
  };
  assert.match(refused({ slurm: 2, least: 1 }) ?? "", /either/);
  assert.match(refused({ least: 5, most: 2 }) ?? "", /the least is 5 and the most is 2/);
  assert.match(refused({ slurm: 1, partition: "a b\n#SBATCH --wrap=x" }) ?? "", /partition/);
  for (
    const option of [
      "--array=1-5",
      "--wrap=x",
      "--job-nam=x",
      "--mem=1G --wrap=x",
      "-x",
      "--requeue",
    ]
  ) {
    assert.notEqual(refused({ slurm: 1, options: [option] }), undefined, option);
  }
  assert.equal(refused({ slurm: 1, options: ["--account=x", "--mem=8G"] }), undefined);
  assert.deepEqual(
    [
      readScaleWish({}, { slurm: undefined }, "abc"),
      readScaleWish({ most: 9 }, { slurm: undefined }, "abc"),
    ]
      .map((one) => "refused" in one ? one : [one.least, one.most]),
    [[0, 4], [0, 9]],
  );
});

test("jobs that wait with options of before are taken out of the queue, and asked for anew", () => {
  const workers = [
    worker("a", { phase: "waiting", outdated: true }),
    worker("b", { phase: "running", outdated: true }),
    worker("c", { phase: "asked", outdated: true }),
    worker("d", { phase: "waiting" }),
  ];
  const at = { least: 4, most: 4, workers };
  assert.deepEqual(decide(at), { ...NOTHING, cancel: ["a"] });
  const after = workers.map((one) => one.worker === "a" ? { ...one, leaving: true } : one);
  assert.deepEqual(decide({ ...at, workers: after }), { ...NOTHING, submit: 1 });
});
