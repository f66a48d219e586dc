import assert from "node:assert/strict";
import { test } from "node:test";
import type { AttemptDocument, InfoDocument } from "../../../lib/actions/desk.ts";
import { createWaitSubjects } from "../../../lib/daemon/wait-subjects.ts";
import { INFO, scriptedDesk } from "../../support/scripted-desk.ts";

function subjectsScene() {
  const world = {
    isHeld: true,
    attempts: [] as AttemptDocument[],
    info: { ...INFO, phase: "canary", stage: 0 } as InfoDocument,
    status: "ready",
    tasks: new Map<string, { status: string }>(),
    hasPool: true,
  };
  const bare = scriptedDesk(2);
  const desk = scriptedDesk(2, {
    attempts: () => world.attempts,
    info: () => world.info,
    trial(index) {
      const one = bare.trial(index);
      return one && { ...one, status: world.status };
    },
  });
  const subjects = createWaitSubjects({
    sweepIn: (path) => world.isHeld && path === desk.path ? desk : undefined,
    pool: () => world.hasPool ? { state: () => ({ tasks: world.tasks }) } as never : undefined,
  });
  return { world, desk, subjects };
}

test("a trial that never ran is waited for until its first attempt has ended", () => {
  const { world, desk, subjects } = subjectsScene();
  const begun = subjects.trial(desk, 1);
  assert.ok("subject" in begun);
  assert.equal(subjects.happened(begun.subject), undefined);
  world.attempts = [{ number: 1, phase: "running" }];
  assert.equal(subjects.happened(begun.subject), undefined);
  world.attempts = [{ number: 1, phase: "ended", note: "exit code 1" }];
  world.status = "failed";
  assert.equal(
    subjects.happened(begun.subject),
    'Trial 1 of "lr" has ended: failed (exit code 1).',
  );
});

test("an end between two looks is seen, although the trial runs again; an end of before is not", () => {
  const { world, desk, subjects } = subjectsScene();
  world.attempts = [{ number: 1, phase: "ended" }, { number: 2, phase: "running" }];
  world.status = "running";
  const begun = subjects.trial(desk, 1);
  assert.ok("subject" in begun);
  assert.equal(subjects.happened(begun.subject), undefined);
  world.attempts = [
    { number: 1, phase: "ended" },
    { number: 2, phase: "ended" },
    { number: 3, phase: "running" },
  ];
  assert.match(subjects.happened(begun.subject)!, /has ended/);
});

test("a trial that is set aside, or not in the sweep any more, is not waited for", () => {
  const { world, desk, subjects } = subjectsScene();
  const begun = subjects.trial(desk, 1);
  assert.ok("subject" in begun && begun.subject.kind === "trial");
  world.status = "pruned";
  assert.equal(subjects.happened(begun.subject), 'Trial 1 of "lr" does not run: pruned.');
  assert.match(subjects.happened({ ...begun.subject, trial: 9 })!, /not in the sweep any more/);
});

test("a stage ends when the sweep is at another; of a sweep that is not held nothing is known", () => {
  const { world, desk, subjects } = subjectsScene();
  const begun = subjects.stage(desk);
  assert.ok("subject" in begun);
  assert.equal(subjects.happened(begun.subject), undefined);
  world.info = { ...world.info, phase: "stage", stage: 1 };
  assert.match(subjects.happened(begun.subject)!, /stage 0 of "lr" has ended.*"stage"/);
  world.isHeld = false;
  assert.equal(subjects.happened(begun.subject), undefined);
  assert.equal(subjects.isWatched(begun.subject), false);
});

test("a task of the pool is waited for until it is over", () => {
  const { world, subjects } = subjectsScene();
  assert.throws(() => subjects.task("t1"), /there is none/);
  world.tasks.set("t1", { status: "running" });
  const begun = subjects.task("t1");
  assert.ok("subject" in begun);
  assert.equal(subjects.happened(begun.subject), undefined);
  world.tasks.set("t1", { status: "done" });
  assert.equal(subjects.happened(begun.subject), "Task t1 has ended: done.");
  assert.deepEqual(subjects.task("t1"), { over: "Task t1 has ended: done." });
  world.tasks.delete("t1");
  assert.match(subjects.happened(begun.subject)!, /not there any more/);
  world.hasPool = false;
  assert.deepEqual([subjects.happened(begun.subject), subjects.isWatched(begun.subject)], [
    undefined,
    false,
  ]);
});
