import { test } from "node:test";
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { crc32, readRecords } from "../../../lib/sweep/record-log.ts";
import { createTrialOf } from "../../../lib/sweep/wandb-trial.ts";
import { newWandbRun } from "../../../lib/sweep/wandb-history.ts";
import { createWandb } from "../../../lib/store/wandb.ts";
import type { WandbParts } from "../../../lib/store/wandb.ts";
import { inFolder, leapingClock } from "../../support/store-folder.ts";
import {
  config,
  defineMetric,
  field,
  history,
  message,
  run,
  summary,
  wandbLog,
} from "./wandb-writer.ts";

const TRIALS = [{ index: 0, name: "lr-0.1" }, { index: 1, name: "lr-0.01" }, {
  index: 7,
  name: "lr-1",
}];

function wandbIn(dir: string, more: Partial<WandbParts> = {}) {
  const clock = leapingClock();
  const wandb = createWandb({
    roots: [dir],
    trialOf: createTrialOf({ sweep: "s", trials: TRIALS }),
    wanted: ["loss"],
    clock,
    ...more,
  });
  return { wandb, clock };
}

function put(path: string, bytes: Uint8Array | string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

const inRun = (dir: string, stamp = "20260101_120000", id = "abc") =>
  join(dir, "wandb", `run-${stamp}-${id}`, `run-${id}.wandb`);

test("the checksum is zlib's", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  assert.equal(crc32(new Uint8Array(0)), 0);
});

test("a run's numbers are the trial's metrics, in both forms that W&B writes steps in", () =>
  inFolder((dir) => {
    const old = [
      run({ id: "abc", name: "lr-0.1", config: { lr: 0.1 } }),
      history({ loss: 3, _step: 0, _timestamp: 1700000000.5, _runtime: 1 }, 0),
      history({ loss: 2.5, "val.acc": 0.5, _step: 10, _timestamp: 1700000001 }, 10, true),
      summary({ loss: 2.5, best: 0.5, gone: 1, _step: 10 }),
      summary({}, ["gone"]),
    ];
    const fresh = [
      run({ id: "new", name: "lr-0.01", startingStep: 5 }),
      history({ loss: 1, _timestamp: 5 }),
      history({ loss: 0.5, _timestamp: 6 }),
      history({ loss: 0.25, _step: 40 }),
      history({ loss: 0.125 }),
    ];
    put(inRun(dir), wandbLog(old));
    put(join(dir, "wandb", "offline-run-20260101_130000-new", "run-new.wandb"), wandbLog(fresh));
    const { wandb } = wandbIn(dir);
    assert.deepEqual(wandb.refresh(), { more: false, notices: [] });
    assert.deepEqual(wandb.listTrials(), [0, 1]);
    assert.deepEqual(wandb.listStreams(0), ["loss", "val.acc"]);
    assert.deepEqual(wandb.readStream(0, "loss").points, [
      { step: 0, value: 3, at: 1700000000.5 },
      { step: 10, value: 2.5, at: 1700000001 },
    ]);
    assert.deepEqual(wandb.readStream(0, "val.acc").points, [
      { step: 10, value: 0.5, at: 1700000001 },
    ]);
    assert.deepEqual(wandb.readFinal(0).values, { loss: 2.5, best: 0.5 });
    assert.deepEqual(wandb.readStream(1, "loss").points.map(({ step }) => step), [5, 6, 40, 41]);
    assert.deepEqual([wandb.lastStep(1)?.metric, wandb.lastStep(1)?.step], ["loss", 41]);
  }));

test("NaN and infinity are kept as such, nested values by their path, and media are no metric", () =>
  inFolder((dir) => {
    const nan = message(field(
      2,
      message(
        field(1, message(field(1, "loss"), field(16, "NaN"))),
        field(1, message(field(1, "up"), field(16, '"Infinity"'))),
        field(1, message(field(1, "down"), field(16, "-Infinity"))),
        field(1, message(field(1, "bad"), field(16, "{"))),
        field(1, message(field(2, "deep"), field(2, "er"), field(16, "4"))),
      ),
    ));
    put(
      inRun(dir),
      wandbLog([
        run({ id: "abc", name: "lr-1" }),
        nan,
        history({
          train: { loss: 1, more: { x: 2 } },
          image: { _type: "image-file", size: 3 },
          word: "a",
          flag: true,
        }),
      ]),
    );
    const { wandb } = wandbIn(dir);
    wandb.refresh();
    assert.deepEqual(wandb.listStreams(7), [
      "deep.er",
      "down",
      "loss",
      "train.loss",
      "train.more.x",
      "up",
    ]);
    assert.deepEqual(wandb.readStream(7, "loss").points, [{
      step: 0,
      value: null,
      at: 0,
      raw: "NaN",
    }]);
    assert.deepEqual(wandb.readStream(7, "down").points[0]!.raw, "-Infinity");
    assert.deepEqual(wandb.readStream(7, "train.more.x").points, [{ step: 1, value: 2, at: 0 }]);
  }));

test("a metric with a step of its own, as Lightning defines, is shown over that step", () =>
  inFolder((dir) => {
    put(
      inRun(dir),
      wandbLog([
        run({ id: "abc", name: "lr-1" }),
        defineMetric("*", "trainer/global_step", true),
        defineMetric("val_loss", "epoch"),
        history({ loss: 1, epoch: 0, "trainer/global_step": 49 }, 0),
        history({ loss: 0.5, val_loss: 2, epoch: 1, "trainer/global_step": 99 }, 1),
        history({ loss: 0.4 }, 2),
      ]),
    );
    const { wandb } = wandbIn(dir);
    wandb.refresh();
    assert.deepEqual(wandb.readStream(7, "loss").points.map(({ step }) => step), [49, 99, 2]);
    assert.deepEqual(wandb.readStream(7, "val_loss").points.map(({ step }) => step), [1]);
  }));

test("what is appended is read on, wherever the file was cut off in between, and nothing twice", () =>
  inFolder((dir) => {
    const records = [run({ id: "abc", name: "lr-0.1" })];
    for (let i = 0; i < 60; i++) {
      records.push(history({ loss: i, pad: "x".repeat(997 * (i % 7)) }, i));
    }
    records.push(history({ loss: 60, pad: "y".repeat(100_000) }, 60), history({ loss: 61 }, 61));
    const whole = wandbLog(records);
    assert.ok(whole.length > 8 * 32768);
    const path = put(inRun(dir), new Uint8Array(0));
    const { wandb } = wandbIn(dir);
    let at = 0;
    for (let piece = 1; at < whole.length; piece = piece * 3 % 4099 + 1) {
      appendFileSync(path, whole.subarray(at, at + piece));
      at += piece;
      assert.deepEqual(wandb.refresh(), { more: false, notices: [] });
    }
    const { points } = wandb.readStream(0, "loss");
    assert.deepEqual(
      points.map(({ step, value }) => [step, value]),
      Array.from({ length: 62 }, (_, i) => [i, i]),
    );
  }));

test("every cut of a log gives whole records only, and the rest follows from there", () => {
  const records = [
    run({ id: "a" }),
    history({ pad: "z".repeat(70_000) }, 1),
    history({ loss: 1 }, 2),
  ];
  const whole = wandbLog(records);
  for (let cut = 0; cut <= whole.length; cut += cut > 200 && cut < whole.length - 200 ? 331 : 1) {
    const first = readRecords(whole.subarray(0, cut), { from: 0 });
    const second = readRecords(whole.subarray(first.next), { from: first.next });
    assert.deepEqual(
      [first.damaged, second.damaged, first.foreign],
      [0, 0, false],
      `cut at ${cut}`,
    );
    assert.equal(first.records.length + second.records.length, 3, `cut at ${cut}`);
    assert.equal(second.next, whole.length);
  }
});

test("damage in the middle costs its block and no more, and is told once", () =>
  inFolder((dir) => {
    const records = [run({ id: "abc", name: "lr-0.1" })];
    for (let i = 0; i < 3000; i++) records.push(history({ loss: i, _timestamp: i }, i));
    const whole = wandbLog(records);
    assert.ok(whole.length > 4 * 32768);
    whole[40_000]! ^= 0xff;
    whole.fill(0, 32768 * 2 + 100, 32768 * 2 + 400);
    const path = put(inRun(dir), whole);
    const { wandb } = wandbIn(dir);
    const { notices } = wandb.refresh();
    assert.equal(notices.length, 1);
    assert.match(notices[0]!.message, /run-20260101_120000-abc" is damaged in places/);
    const steps = wandb.readStream(0, "loss").points.map(({ step }) => step);
    assert.equal(steps.at(-1), 2999);
    assert.ok(steps.length > 1300 && steps.length < 3000, `${steps.length}`);
    assert.deepEqual(steps, [...new Set(steps)].sort((a, b) => a - b));
    appendFileSync(path, new Uint8Array(50));
    assert.deepEqual(wandb.refresh().notices, []);
  }));

test("a torn tail of a killed trainer costs its last record and is no damage", () =>
  inFolder((dir) => {
    const records = [
      run({ id: "abc", name: "lr-0.1" }),
      history({ loss: 1 }, 1),
      history({ loss: 2 }, 2),
    ];
    const whole = wandbLog(records);
    for (
      const [i, tail] of [
        whole.subarray(0, whole.length - 3),
        Buffer.concat([whole.subarray(0, whole.length - 3), new Uint8Array(3)]),
        Buffer.concat([whole, new Uint8Array(2000)]),
        Buffer.concat([whole, Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9])]),
      ].entries()
    ) {
      const root = join(dir, `${i}`);
      put(inRun(root), tail);
      const { wandb } = wandbIn(root);
      assert.deepEqual(wandb.refresh(), { more: false, notices: [] }, `${i}`);
      assert.equal(wandb.readStream(0, "loss").points.length, i < 2 ? 1 : 2, `${i}`);
    }
  }));

test("a file of another format is told and passed over; malformed records are too", () =>
  inFolder((dir) => {
    put(inRun(dir, "20260101_000000", "other"), "SQLite format 3 and so on");
    put(
      inRun(dir, "20260101_000001", "v9"),
      Uint8Array.from([0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 9, 1]),
    );
    put(
      inRun(dir, "20260101_000002", "odd"),
      wandbLog([
        run({ id: "odd", name: "lr-1" }),
        Uint8Array.from([0xff, 0xff, 0xff]),
        Uint8Array.from([0x12, 0x7f, 1]),
        Uint8Array.from([0x07]),
        new Uint8Array(0),
        history({ loss: 5 }, 5),
      ]),
    );
    put(inRun(dir, "20260101_000003", "empty"), "");
    mkdirSync(join(dir, "wandb", "run-20260101_000004-none"));
    mkdirSync(join(dir, "wandb", "run-20260101_000005-dir", "run-dir.wandb"), { recursive: true });
    const { wandb } = wandbIn(dir);
    const messages = wandb.refresh().notices.map(({ message }) => message).sort();
    assert.deepEqual(messages, [
      'Cannot read the W&B run "run-20260101_000000-other": its file has a format that is not known here',
      'Cannot read the W&B run "run-20260101_000001-v9": its file has a format that is not known here',
      'The W&B run "run-20260101_000002-odd" is damaged in places, which are passed over',
    ]);
    assert.deepEqual(wandb.readStream(7, "loss").points, [{ step: 5, value: 5, at: 0 }]);
    assert.deepEqual(wandb.refresh().notices, []);
  }));

test("a replaced or shortened file is read from its beginning", () =>
  inFolder((dir) => {
    const log = (value: number) =>
      wandbLog([
        run({ id: "abc", name: "lr-1" }),
        history({ loss: value }, 1),
        history({ loss: value }, 2),
      ]);
    const path = put(inRun(dir), log(1));
    const { wandb } = wandbIn(dir);
    wandb.refresh();
    truncateSync(path, 0);
    writeFileSync(path, log(9).subarray(0, -5));
    wandb.refresh();
    assert.deepEqual(wandb.readStream(7, "loss").points, [{ step: 1, value: 9, at: 0 }]);
  }));

test("a resumed trial's runs are one course in the order of their beginning; an earlier life is left out", () =>
  inFolder((dir) => {
    const life = (id: string, startedAt: number, loss: number) =>
      wandbLog([
        run({ id, name: "lr-1", startedAt }),
        history({ loss, _timestamp: startedAt }, 1),
        summary({ loss }),
      ]);
    put(inRun(dir, "20260103_000000", "b"), life("b", 3000, 3));
    put(inRun(dir, "20260102_000000", "a"), life("a", 2000, 2));
    put(inRun(dir, "20250101_000000", "z"), life("z", 1000, 1));
    const { wandb } = wandbIn(dir, { notBefore: () => 2_000_000 });
    wandb.refresh();
    assert.deepEqual(wandb.readStream(7, "loss").points.map(({ value }) => value), [2, 3]);
    assert.deepEqual(wandb.readFinal(7).values, { loss: 3 });
    assert.deepEqual(wandb.lastPoints(7, "loss", 1).map(({ value }) => value), [3]);
  }));

test("runs of old clients are read from their history and summary files", () =>
  inFolder((dir) => {
    const folder = join(dir, "wandb", "run-20200101_000000-old");
    put(
      join(folder, "files", "wandb-metadata.json"),
      JSON.stringify({ args: ["a=1 experiment_name=lr-1", "b=2"] }),
    );
    put(join(folder, "files", "wandb-summary.json"), '{"acc": 0.5, "_step": 3, "worst": NaN}');
    const path = put(
      join(folder, "files", "wandb-history.jsonl"),
      '{"loss": 1, "_step": 1, "_timestamp": 10}\nnot json\n{"loss": NaN, "_step": 2, "_timestamp": 11}\n{"loss": 7',
    );
    const { wandb } = wandbIn(dir);
    assert.equal(wandb.refresh().notices.length, 1);
    appendFileSync(path, ', "_step": 3}\n');
    wandb.refresh();
    assert.deepEqual(wandb.readStream(7, "loss").points, [
      { step: 1, value: 1, at: 10 },
      { step: 2, value: null, at: 11, raw: "NaN" },
      { step: 3, value: 7, at: 0 },
    ]);
    assert.deepEqual(wandb.readFinal(7).values, { acc: 0.5, worst: "NaN" });
  }));

test("runs are found under the trials' own folders, new ones within a minute, and links are not followed", () =>
  inFolder((dir) => {
    const log = (id: string) => wandbLog([run({ id }), history({ loss: 1 }, 1)]);
    put(inRun(join(dir, "outputs", "lr-0.1")), log("abc"));
    symlinkSync(dir, join(dir, "outputs", "up"));
    symlinkSync(join(dir, "outputs", "lr-0.1", "wandb"), join(dir, "outputs", "lr-0.1", "latest"));
    const { wandb, clock } = wandbIn(dir);
    wandb.refresh();
    assert.deepEqual(wandb.listTrials(), [0]);
    put(inRun(join(dir, "outputs", "lr-0.01")), log("def"));
    clock.sleep(60_000);
    wandb.refresh();
    assert.deepEqual(wandb.listTrials(), [0, 1]);
  }));

test("a long history is bounded in memory, read in turns, and given whole when it is asked for", () =>
  inFolder((dir) => {
    const records = [run({ id: "abc", name: "lr-1" })];
    for (let i = 0; i < 25_000; i++) {
      records.push(history({ loss: i, other: -i, pad: "p".repeat(700) }, i));
    }
    put(inRun(dir), wandbLog(records));
    const { wandb } = wandbIn(dir);
    let turns = 1;
    while (wandb.refresh().more) turns += 1;
    assert.ok(turns >= 2, `${turns}`);
    const loss = wandb.readStream(7, "loss").points;
    assert.ok(loss.length <= 10_000, `${loss.length}`);
    assert.deepEqual([loss[0]!.step, loss.at(-1)!.step], [0, 24_999]);
    assert.deepEqual(
      loss.slice(-100).map(({ step }) => step),
      Array.from({ length: 100 }, (_, i) => 24_900 + i),
    );
    assert.equal(wandb.lastPoints(7, "other", 500).length < 200, true);
    assert.equal(wandb.readStream(7, "other").points.length, 25_000);
  }));

test("a run is its trial's by the surest sign that is there", () => {
  const trialOf = createTrialOf({ sweep: "s", trials: TRIALS });
  const facts = (
    values: Record<string, unknown>,
    more: { name?: string; folder?: string; args?: string[] } = {},
  ) => ({
    run: { ...newWandbRun(), displayName: more.name, config: new Map(Object.entries(values)) },
    folder: more.folder ?? "/scratch/wandb/run-1",
    args: more.args ?? [],
  });
  assert.equal(trialOf(facts({})), undefined);
  assert.equal(trialOf(facts({ HYPERHERD_TRIAL_ID: "7" }, { name: "lr-0.1" })), 7);
  assert.equal(trialOf(facts({ HYPERHERD_TRIAL_ID: 1 })), 1);
  assert.equal(trialOf(facts({ HYPERHERD_TRIAL_ID: "99" }, { name: "lr-0.1" })), undefined);
  assert.equal(
    trialOf(facts({ HYPERHERD_TRIAL_ID: "7", HYPERHERD_SWEEP_NAME: "other" })),
    undefined,
  );
  assert.equal(trialOf(facts({ HYPERHERD_TRIAL_ID: "7", HYPERHERD_SWEEP_NAME: "s" })), 7);
  assert.equal(trialOf(facts({ experiment_name: "lr-0.01" })), 1);
  assert.equal(
    trialOf(facts({ experiment_name: "of another sweep" }, { name: "lr-0.1" })),
    undefined,
  );
  assert.equal(trialOf(facts({}, { args: ["x=1", "experiment_name=lr-1 opt=adam"] })), 7);
  assert.equal(trialOf(facts({}, { args: ["--experiment_name='lr-1'"] })), 7);
  assert.equal(trialOf(facts({}, { name: "lr-0.1" })), 0);
  assert.equal(trialOf(facts({}, { folder: "/scratch/lr-0.1/out/lr-1/wandb/run-1" })), 7);
  assert.equal(
    trialOf(facts({ HYPERHERD_TRIAL_ID: { evil: 1 }, experiment_name: null }, { name: "lr-1" })),
    7,
  );
});

test("settings that come later in a run's log still say whose it is", () =>
  inFolder((dir) => {
    const first = wandbLog([run({ id: "abc" }), history({ loss: 1 }, 1)]);
    const both = wandbLog([
      run({ id: "abc" }),
      history({ loss: 1 }, 1),
      config({ HYPERHERD_TRIAL_ID: "1" }),
    ]);
    const path = put(inRun(dir), first);
    const { wandb } = wandbIn(dir);
    wandb.refresh();
    assert.deepEqual(wandb.listTrials(), []);
    appendFileSync(path, both.subarray(first.length));
    wandb.refresh();
    assert.deepEqual(wandb.readStream(1, "loss").points.map(({ value }) => value), [1]);
  }));
