import { test } from "node:test";
import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../lib/base/errors.ts";
import { createResultLog } from "../../../lib/store/result-log.ts";
import { createResults } from "../../../lib/store/results.ts";
import { createSignals } from "../../../lib/store/signals.ts";
import { inFolder, leapingClock, startChild } from "../../support/store-folder.ts";

const partsIn = (dir: string) => {
  const clock = leapingClock(Date.UTC(2025, 0, 31) + 250);
  return {
    results: createResults({ dir }),
    log: createResultLog({ dir, clock }),
    signals: createSignals({ dir }),
  };
};

test("a final value is written as HyperHerd writes it and read back", () =>
  inFolder(async (dir) => {
    const { results, log } = partsIn(dir);
    await log.logFinal(3, "acc", 0.5);
    await log.logFinal(3, "val/loss", NaN);
    await log.logFinal(3, "acc", 0.75);
    await log.logFinal(3, 'note "q"', [1, "ü", null, { a: -Infinity }]);
    assert.equal(
      readFileSync(join(dir, "3.json"), "utf8"),
      '{\n  "acc": 0.75,\n  "val/loss": NaN,\n  "note \\"q\\"": [1, "ü", null, {"a": -Infinity}]\n}',
    );
    assert.deepEqual(results.readFinal(3), {
      values: { acc: 0.75, "val/loss": NaN, 'note "q"': [1, "ü", null, { a: -Infinity }] },
      notices: [],
    });
    assert.deepEqual(results.listTrials(), [3]);
  }));

test("logging one value leaves the others as they are written, to the last digit", () =>
  inFolder(async (dir) => {
    const { log } = partsIn(dir);
    writeFileSync(
      join(dir, "0.json"),
      '{"seed": 12345678901234567890, "one": 1.0, "tiny": 1e-400, "s": "a,}\\""}',
    );
    await log.logFinal(0, "acc", 1);
    assert.equal(
      readFileSync(join(dir, "0.json"), "utf8"),
      '{\n  "seed": 12345678901234567890,\n  "one": 1.0,\n  "tiny": 1e-400,\n  "s": "a,}\\"",\n  "acc": 1\n}',
    );
  }));

test("G.1.1: processes that log final values of one trial at once lose none", async () => {
  await inFolder(async (dir) => {
    const names = ["a", "b", "c", "d", "e", "f"];
    const children = names.map((name) => startChild("./store-log-final.ts", dir, name, "15"));
    assert.deepEqual(await Promise.all(children.map(({ ended }) => ended)), names.map(() => 0));
    const { values, notices } = createResults({ dir }).readFinal(7);
    assert.deepEqual(notices, []);
    const expected = names.flatMap((name) => [...Array(15).keys()].map((i) => [`${name}/${i}`, i]));
    assert.deepEqual({ ...values }, Object.fromEntries(expected));
    const stream = createResults({ dir }).readStream(7, "shared/loss");
    assert.deepEqual([stream.points.length, stream.skipped], [90, 0]);
  });
});

test("G.1.11: a torn or odd results file is a notice, and its whole values are read", () =>
  inFolder((dir) => {
    const { results } = partsIn(dir);
    const texts: [string, Record<string, unknown>][] = [
      ["", {}],
      ["{", {}],
      ['{"a": 1, "b": [2, 3], "c": 4', { a: 1, b: [2, 3] }],
      ['{"a": 1, "b": "x', { a: 1 }],
      ['{"a": NaN, "b": ', { a: NaN }],
      ["[1]", {}],
      ["7", {}],
      ["\0\0\0", {}],
    ];
    for (const [text, values] of texts) {
      writeFileSync(join(dir, "1.json"), text);
      const read = results.readFinal(1);
      assert.deepEqual({ ...read.values }, values, text);
      assert.equal(read.notices.length, 1);
      assert.match(read.notices[0]!.message, /trial 1/);
    }
    mkdirSync(join(dir, "2.json"));
    assert.equal(results.readFinal(2).notices.length, 1);
    assert.deepEqual(results.readFinal(99), { values: {}, notices: [] });
  }));

test("G.1.11: file names that are no trial are passed over", () =>
  inFolder((dir) => {
    for (
      const name of [
        "x.json",
        "3.json",
        "10.json",
        "1.json.tmp",
        "-1.json",
        "01.json",
        "1e3.json",
        ".5",
      ]
    ) {
      writeFileSync(join(dir, name), "{}");
    }
    mkdirSync(join(dir, "20"));
    assert.deepEqual(createResults({ dir }).listTrials(), [3, 10, 20]);
    assert.deepEqual(createResults({ dir: join(dir, "none") }).listTrials(), []);
  }));

test("a torn results file is set aside when the next value is logged, its whole values kept", () =>
  inFolder(async (dir) => {
    const { results, log } = partsIn(dir);
    writeFileSync(join(dir, "1.json"), '{"a": 1, "b": 2.');
    await log.logFinal(1, "c", 3);
    assert.deepEqual({ ...results.readFinal(1).values }, { a: 1, c: 3 });
    const aside = readdirSync(dir).find((name) => name.includes("torn"));
    assert.equal(readFileSync(join(dir, aside!), "utf8"), '{"a": 1, "b": 2.');
    assert.deepEqual(results.listTrials(), [1]);
  }));

test("a step is one line in HyperHerd's stream format, in folders for slashes", () =>
  inFolder((dir) => {
    const { results, log } = partsIn(dir);
    log.logStep(4, "val/loss", 1, 0.5);
    log.logStep(4, "val/loss", 2, NaN);
    log.logStep(4, "acc", 2, "x\ny");
    assert.equal(
      readFileSync(join(dir, "4/stream/val/loss.jsonl"), "utf8"),
      '{"step": 1, "value": 0.5, "ts": 1738281600.25}\n{"step": 2, "value": NaN, "ts": 1738281600.25}\n',
    );
    assert.deepEqual(results.listStreams(4), ["acc", "val/loss"]);
    assert.deepEqual(results.listStreams(5), []);
    const { points } = results.readStream(4, "val/loss");
    assert.deepEqual(points.map(({ step, value }) => [step, value]), [[1, 0.5], [2, null]]);
    assert.equal(points[0]?.at, 1738281600.25);
  }));

test("after a line that a killed trainer left torn, only that line is lost", () =>
  inFolder((dir) => {
    const { results, log } = partsIn(dir);
    log.logStep(1, "loss", 1, 1);
    appendFileSync(join(dir, "1/stream/loss.jsonl"), '{"step": 2, "val');
    log.logStep(1, "loss", 3, 3);
    const { points, skipped } = results.readStream(1, "loss");
    assert.deepEqual([points.map(({ step }) => step), skipped], [[1, 3], 1]);
  }));

test("a stream is read on from where the last reading ended, in whole lines", () =>
  inFolder((dir) => {
    const { results, log } = partsIn(dir);
    const path = join(dir, "1/stream/loss.jsonl");
    log.logStep(1, "loss", 1, 1);
    const first = results.readStream(1, "loss");
    appendFileSync(path, '{"step": 2, "value": 2');
    const second = results.readStream(1, "loss", { fromByte: first.nextByte });
    assert.deepEqual([second.points, second.nextByte], [[], first.nextByte]);
    appendFileSync(path, ', "ts": 1}\nrubbish\n{"step": 3, "value": 3, "ts": 2}\n');
    const third = results.readStream(1, "loss", { fromByte: second.nextByte });
    assert.deepEqual([third.points.map(({ step }) => step), third.skipped], [[2, 3], 1]);
    writeFileSync(path, '{"step": 9, "value": 9, "ts": 3}\n');
    const fourth = results.readStream(1, "loss", { fromByte: third.nextByte });
    assert.deepEqual([fourth.restarted, fourth.points.map(({ step }) => step)], [true, [9]]);
    assert.deepEqual(results.readStream(1, "none").points, []);
  }));

test("G.2.20: how far a trial is comes from the ends of its streams alone", () =>
  inFolder((dir) => {
    const { results, log } = partsIn(dir);
    log.logStep(1, "a", 5, 1);
    const path = join(dir, "1/stream/big.jsonl");
    const lines = Array.from(
      { length: 5000 },
      (_, i) => `{"step": ${i}, "value": ${i}, "ts": ${i}.5}\n`,
    );
    writeFileSync(path, `${"x".repeat(100_000)}\n${lines.join("")}{"step": 50`);
    const last = results.lastStep(1);
    assert.deepEqual([last?.metric, last?.step, last?.recent.length], ["big", 4999, 80]);
    assert.deepEqual(results.lastPoints(1, "big", 2).map(({ step }) => step), [4998, 4999]);
    assert.equal(results.lastStep(2), undefined);
    symlinkSync(join(dir, "1"), join(dir, "1/stream/loop"));
    assert.deepEqual(results.listStreams(1), ["a", "big"]);
  }));

test("names that leave the trial's folder or cannot be files are refused, and nothing is made", () =>
  inFolder(async (dir) => {
    const { log, results } = partsIn(dir);
    for (
      const name of [
        "",
        " ",
        "/etc/x",
        "../x",
        "a/../../x",
        "a/..",
        "a\nb",
        "a\0b",
        "a/",
        ".",
        "x".repeat(300),
      ]
    ) {
      assert.throws(() => log.logStep(1, name, 1, 1), UserError, JSON.stringify(name));
      assert.throws(() => results.readStream(1, name), UserError);
    }
    await assert.rejects(log.logFinal(1, "a\nb", 1), UserError);
    await assert.rejects(log.logFinal(1, "", 1), UserError);
    for (const step of [1.5, NaN, Infinity, 2 ** 60]) {
      assert.throws(() => log.logStep(1, "a", step, 1), /not a whole number/);
    }
    assert.deepEqual(readdirSync(dir), []);
    log.logStep(1, "a", 1, 1);
    assert.throws(() => log.logStep(1, "a.jsonl/b", 1, 1), /another metric's file/);
    for (const fine of ["a..b", "ü x", "$(x);'\"", "a//b", "__proto__"]) log.logStep(2, fine, 1, 1);
    assert.deepEqual(results.listStreams(2), ["$(x);'\"", "__proto__", "a..b", "a/b", "ü x"]);
  }));

test("a final value named __proto__ is a value like others", () =>
  inFolder(async (dir) => {
    const { log, results } = partsIn(dir);
    await log.logFinal(1, "__proto__", 1);
    await log.logFinal(1, "a", 2);
    assert.deepEqual(Object.entries(results.readFinal(1).values), [["__proto__", 1], ["a", 2]]);
  }));

test("a signal is written whole, read with its age, and cleared with HyperHerd's mark", () =>
  inFolder((dir) => {
    const { signals } = partsIn(dir);
    const path = join(dir, "6/_signal");
    assert.equal(signals.read(6), undefined);
    signals.clear(6);
    signals.write(6, "pause");
    signals.write(6, "prune");
    assert.equal(readFileSync(path, "utf8"), "prune");
    utimesSync(path, 100, 100);
    assert.deepEqual(signals.read(6), { action: "prune", at: 100_000 });
    writeFileSync(path, "pause\n");
    assert.equal(signals.read(6)?.action, "pause");
    writeFileSync(path, "dance");
    assert.equal(signals.read(6), undefined);
    writeFileSync(`${path}_escalated`, "1");
    signals.clear(6);
    assert.deepEqual(readdirSync(join(dir, "6")), []);
    assert.ok(statSync(join(dir, "6")).isDirectory());
  }));
