import { test } from "node:test";
import assert from "node:assert/strict";
import { copyFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Happening } from "../../../lib/sweep/event.ts";
import { apply, emptyState, fromPlain, STATE_VERSION, toPlain } from "../../../lib/sweep/state.ts";
import { openJournal } from "../../../lib/store/journal.ts";
import type { Fold } from "../../../lib/store/journal-reading.ts";
import { alwaysHeld, inFolder, leapingClock, notes } from "../../support/store-folder.ts";

const clock = leapingClock();
const how = { by: "cli:test", at: 1, lease: alwaysHeld };
const noted = (text: string): Happening => ({ type: "noted", text });

/** Counts how many events are applied: what a snapshot is to save. */
function counting(): Fold<string[]> & { applied: number } {
  const fold = {
    ...notes,
    applied: 0,
    apply(state: string[], event: Parameters<typeof notes.apply>[1]) {
      fold.applied++;
      notes.apply(state, event);
    },
  };
  return fold;
}

function openIn(folder: string, fold: Fold<string[]> = notes) {
  const [path, snapshot] = [join(folder, "journal.jsonl"), join(folder, "snapshot.json")];
  return openJournal({ path, snapshot, fold, clock });
}

test("an opening with a snapshot gives the same state and applies only what came after", () =>
  inFolder((folder) => {
    const journal = openIn(folder);
    journal.append(["a", "b"].map(noted), how);
    journal.saveSnapshot(alwaysHeld);
    journal.append([noted("c")], how);
    assert.equal(statSync(join(folder, "snapshot.json")).mode & 0o777, 0o600);
    const fold = counting();
    const again = openIn(folder, fold);
    assert.deepEqual([again.state, again.seq, fold.applied], [["a", "b", "c"], 3, 1]);
    assert.deepEqual(again.since(0).map(({ seq }) => seq), [1, 2, 3]);
    again.append([noted("d")], how);
    assert.deepEqual(openIn(folder).state, ["a", "b", "c", "d"]);
  }));

test("a snapshot that does not fit is passed over: torn, foreign, of another fold, ahead of the journal", () =>
  inFolder((folder) => {
    const [path, snapshot] = [join(folder, "journal.jsonl"), join(folder, "snapshot.json")];
    const journal = openIn(folder);
    journal.append(["a", "b"].map(noted), how);
    journal.saveSnapshot(alwaysHeld);
    const good = readFileSync(snapshot, "utf8");
    const value = JSON.parse(good);
    const bad = [
      "",
      "null",
      good.slice(0, -5),
      JSON.stringify({ ...value, version: 99 }),
      JSON.stringify({ ...value, foldVersion: 2 }),
      JSON.stringify({ ...value, check: "0" }),
      JSON.stringify({ ...value, offset: value.offset + 7 }),
      JSON.stringify({ ...value, offset: -1 }),
      JSON.stringify({ ...value, seq: "2" }),
    ];
    for (const text of bad) {
      writeFileSync(snapshot, text);
      const fold = counting();
      assert.deepEqual(openIn(folder, fold).state, ["a", "b"], text.slice(0, 60));
      assert.equal(fold.applied, 2);
    }
    writeFileSync(snapshot, good);
    rmSync(path);
    openJournal({ path, fold: notes, clock }).append(["x", "y"].map(noted), how);
    assert.deepEqual(openIn(folder).state, ["x", "y"]);
    rmSync(path);
    assert.deepEqual(openIn(folder).state, []);
  }));

test("damage before the snapshot is still told", () =>
  inFolder((folder) => {
    const path = join(folder, "journal.jsonl");
    const journal = openIn(folder);
    journal.append(["a", "b", "c"].map(noted), how);
    const lines = readFileSync(path, "utf8").split("\n");
    writeFileSync(path, [lines[0], "broken", lines[2], ""].join("\n"));
    const damaged = openIn(folder);
    damaged.append([noted("d")], how);
    damaged.saveSnapshot(alwaysHeld);
    assert.match(openIn(folder).notices[0]!.message, /line 2/);
    writeFileSync(path, `${readFileSync(path, "utf8")}more\n`);
    assert.deepEqual(openIn(folder).notices.map(({ line }) => line), [2, 5]);
  }));

test("a snapshot is written after many events and many bytes, not after few", () =>
  inFolder((folder) => {
    const snapshot = join(folder, "snapshot.json");
    const journal = openIn(folder);
    journal.append(Array.from({ length: 1000 }, () => noted("x")), how);
    assert.equal(existsSync(snapshot), false, "many small events are read in no time");
    journal.append([noted("x".repeat(300_000))], how);
    assert.equal(existsSync(snapshot), true);
    const { ino } = statSync(snapshot);
    journal.append([noted("x".repeat(300_000))], how);
    assert.equal(statSync(snapshot).ino, ino);
  }));

test("a copied workspace uses the snapshot that came with it", () =>
  inFolder((folder) => {
    const journal = openIn(folder);
    journal.append([noted("a")], how);
    journal.saveSnapshot(alwaysHeld);
    copyFileSync(join(folder, "journal.jsonl"), join(folder, "copy.jsonl"));
    const fold = counting();
    const parts = { path: join(folder, "copy.jsonl"), snapshot: join(folder, "snapshot.json") };
    assert.deepEqual(openJournal({ ...parts, fold, clock }).state, ["a"]);
    assert.equal(fold.applied, 0);
  }));

test("a workspace of 10,000 trials opens through its snapshot in a blink", () =>
  inFolder((folder) => {
    const fold = { version: STATE_VERSION, empty: emptyState, apply, toPlain, fromPlain };
    const [path, snapshot] = [join(folder, "journal.jsonl"), join(folder, "snapshot.json")];
    const journal = openJournal({ path, snapshot, fold, clock });
    const trials = Array.from({ length: 10_000 }, (_, index) => ({
      index,
      key: index.toString(16).padStart(12, "0"),
      params: { lr: index / 7, optimiser: "adamw", layers: index % 9, dataset: "imagenet" },
      extras: {},
      resources: {},
      name: `lr-${index}_optimiser-adamw_layers-${index % 9}`,
      conditions: [],
    }));
    journal.append([{ type: "trials-added", trials }], how);
    const tasks = trials.map(({ index }) => ({
      task: index,
      trial: index,
      attempt: 1,
      as: "0123456789ab",
    }));
    const common = { submission: "s1", scheduler: "slurm", jobName: "j", fixed: "f" } as const;
    journal.append([
      { type: "submission-intended", ...common, tasks, timeSeconds: 3600 },
      { type: "submission-accepted", submission: "s1", jobId: "77" },
    ], how);
    journal.saveSnapshot(alwaysHeld);
    const times = Array.from({ length: 5 }, () => {
      const started = performance.now();
      const opened = openJournal({ path, snapshot, fold, clock });
      const took = performance.now() - started;
      assert.equal(opened.state.attempts.size, 10_000);
      return took;
    });
    // The best of five: the machine has other things to do.
    assert.ok(Math.min(...times) < 100, `took ${times.map(Math.round)} ms`);
  }));
