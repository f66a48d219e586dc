import { test } from "node:test";
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CarriedAttempt, Happening } from "../../../lib/sweep/event.ts";
import { apply, emptyState } from "../../../lib/sweep/state.ts";
import type { SweepState } from "../../../lib/sweep/state.ts";
import { statusOf } from "../../../lib/sweep/status.ts";
import { carryOver } from "../../../lib/store/carry-over.ts";
import type { CarryOver } from "../../../lib/store/carry-over.ts";
import { readHyperHerdFiles } from "../../../lib/store/hyperherd-files.ts";
import { workspacePaths } from "../../../lib/store/paths.ts";
import { inFolder } from "../../support/store-folder.ts";

const fixture = (name: string) =>
  workspacePaths(fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url)));

function carried(root = fixture("hyperherd-workspace")): CarryOver {
  const found = readHyperHerdFiles(root);
  assert.ok(found !== undefined);
  return carryOver(found);
}

function folded(happenings: readonly Happening[]): SweepState {
  const state = emptyState();
  happenings.forEach((what, i) => apply(state, { v: 1, seq: i + 1, at: 5, by: "cli:test", what }));
  return state;
}

function attemptsOf({ happenings }: CarryOver): readonly CarriedAttempt[] {
  return happenings.flatMap((what) => what.type === "carried-over" ? what.attempts : []);
}

test("a workspace of HyperHerd's opens with its trials, names and statuses", () => {
  const state = folded(carried().happenings);
  const statuses = [...Array(12).keys()].map((i) => statusOf(state, i));
  assert.deepEqual(statuses, [
    "ready",
    "completed",
    "failed",
    // What may be alive is asked of the scheduler before anything is said of it.
    ...["submitted", "submitted", "submitted", "submitted", "submitted", "submitted"],
    "ready",
    ...["submitted", "submitted"],
  ]);
  assert.deepEqual(state.trials.get(1)?.params, { lr: 0.1, opt: "sgd" });
  assert.equal(state.trials.get(1)?.name, "lr-0.1_opt-sgd");
  assert.match(state.trials.get(1)!.key, /^[0-9a-f]{12}$/);
});

test("every job that HyperHerd submitted for a trial is an attempt of it, in order", () => {
  const attempts = attemptsOf(carried());
  const of3 = attempts.filter(({ trial }) => trial === 3);
  assert.deepEqual(of3, [
    { trial: 3, number: 1, jobId: "100", task: 3 },
    { trial: 3, number: 2, jobId: "101", task: 3 },
  ]);
  assert.equal(attempts.find(({ trial }) => trial === 8)?.jobId, "102");
  assert.equal(attempts.length, 13);
});

test("G.1.5: a trial that HyperHerd called cancelled is asked for, not believed to be over", () => {
  const last = attemptsOf(carried()).find(({ trial }) => trial === 6);
  assert.equal(last?.cause, undefined);
});

test("G.1.6: failed is believed of a trial's only attempt, not of one submitted after it", () => {
  const attempts = attemptsOf(carried());
  assert.deepEqual(attempts.filter(({ trial }) => trial === 2).map(({ cause }) => cause), ["exit"]);
  assert.deepEqual(
    attempts.filter(({ trial }) => trial === 11).map(({ cause }) => cause),
    [undefined, undefined],
  );
});

test("paused, pruned and cancelled become wishes", () => {
  const intents = carried().happenings.flatMap((what) =>
    what.type === "intent-set" ? [[what.intent, what.indices]] : []
  );
  assert.deepEqual(intents, [["stop", [6]], ["pause", [4]], ["prune", [5]]]);
});

test("indices that HyperHerd once used are never given to another trial", () => {
  const state = folded(carried().happenings);
  // 12 was in a job, 13 has results, 14 has a log; none is in the manifest any more.
  assert.equal(state.nextIndex, 15);
  assert.deepEqual([12, 13, 14].map((i) => state.trials.get(i)?.dropped), [true, true, true]);
  assert.equal(new Set([...state.trials.values()].map(({ key }) => key)).size, 15);
});

test("G.1.13: two trials with one name are told apart, and it is said", () => {
  const { happenings, notices } = carried();
  const state = folded(happenings);
  assert.equal(new Set([...state.trials.values()].map(({ name }) => name)).size, 15);
  assert.ok(notices.some(({ message }) => /^Trial 8 had the name of another/.test(message)));
});

test("values that JSON has no word for reach the journal as text", () => {
  const state = folded(JSON.parse(JSON.stringify(carried().happenings)));
  assert.deepEqual(state.trials.get(3)?.extras, { warmup: "nan" });
});

test("a status in SLURM's words is said to be one", () => {
  assert.ok(carried().notices.some(({ message }) => message.includes('"preempted"')));
});

test("G.1.1: of torn files every whole entry is carried over, with a notice", () => {
  const { happenings, notices } = carried(fixture("hyperherd-workspace-torn"));
  const state = folded(happenings);
  assert.deepEqual([...state.trials.keys()], [0, 1, 2]);
  assert.deepEqual(
    attemptsOf({ happenings, notices }).map(({ trial, jobId }) => [trial, jobId]),
    [[1, "7"], [1, "8"], [2, "7"], [2, "9"]],
  );
  const said = notices.map(({ message }) => message).join("\n");
  assert.match(said, /manifest\.json" is torn or damaged: 3 whole entries/);
  assert.match(said, /job_ids\.json" is torn or damaged/);
  assert.match(said, /it is no submission/);
});

test("nothing is carried over where HyperHerd left nothing", () =>
  inFolder((folder) => assert.equal(readHyperHerdFiles(workspacePaths(folder)), undefined)));

test("odd files and odd entries do not stop the rest", () =>
  inFolder((folder) => {
    const paths = workspacePaths(folder);
    mkdirSync(join(paths.results, "0"), { recursive: true });
    writeFileSync(paths.signal(0), "prune\n");
    const trial = { index: 0, hash: "0", params: { a: 1 }, extras: {}, status: "running" };
    const odd = [trial, trial, { index: -1 }, { index: "1" }, null, 7, { index: 5, status: 3 }];
    writeFileSync(paths.manifest, JSON.stringify(odd));
    writeFileSync(paths.jobIds, '{"not": "a list"}');
    const { happenings, notices } = carryOver(readHyperHerdFiles(paths)!);
    const state = folded(happenings);
    assert.deepEqual([...state.trials.values()].map(({ index, name }) => [index, name]), [
      [0, "trial-0"],
      [5, "trial-5"],
    ]);
    // Its trainer will obey the signal, whatever the manifest says.
    assert.equal(state.intents.get(0)?.intent, "prune");
    assert.equal(notices.length, 7);
  }));
