import assert from "node:assert/strict";
import { test } from "node:test";
import { createAbsence } from "../../../lib/monitor/absence.ts";
import { createScene, DAWN, HOUR, MINUTE, planText } from "../../support/ground.ts";

test("short silences and waits that end a little late are no absence", () => {
  const absence = createAbsence();
  absence.unanswered(60_000);
  assert.equal(absence.answered(110_000), undefined);
  assert.equal(absence.answered(10_000_000), undefined, "nobody was away");
});

test("an absence begins with the first thing that was not seen, and is told once", () => {
  const absence = createAbsence();
  absence.unanswered(1_000);
  absence.woke(5_000, 600_000);
  assert.deepEqual([600_000, 719_000, 721_000].map(absence.isWaking), [true, true, false]);
  absence.unanswered(600_000);
  assert.deepEqual(absence.answered(601_000), { since: 1_000, ms: 600_000, wasAsleep: true });
  assert.equal(absence.answered(602_000), undefined);
  assert.equal(absence.isWaking(602_000), false);
});

test("what happened while the host did not answer is one post: how long, what ended, what failed, what was done", async () => {
  const fate = (trial: number) =>
    trial === 5
      ? { runMs: 2 * HOUR, end: "node-failure" as const }
      : { runMs: HOUR + (trial + 1) * 10 * MINUTE };
  using scene = createScene({ trials: 12, plan: planText(), fate });
  let at = 0;
  scene.after(90 * MINUTE, () => {
    at = scene.posts().length;
    scene.cluster.down = true;
  });
  scene.after(200 * MINUTE, () => scene.cluster.down = false);
  await scene.run();
  const back = scene.posts().slice(at).filter(({ key }) => key.startsWith("away/"));
  assert.equal(back.length, 1, back.map(({ text }) => text).join("\n"));
  const [first = "", ...lines] = back[0]!.text.split("\n");
  assert.match(first, /^back after 1 h \d+ min without an answer from SLURM\. Meanwhile:$/);
  assert.ok(lines.length > 0, back[0]!.text);
  const told = scene.posts().flatMap(({ trials = [] }) =>
    trials.filter(([, status]) => status === "completed").map(([trial]) => trial)
  );
  assert.equal(new Set(told).size, told.length, "each end is told once");
  assert.ok(DAWN > 0);
});
