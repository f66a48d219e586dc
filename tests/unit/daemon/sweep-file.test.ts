import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { readSweepFile } from "../../../lib/daemon/sweep-file.ts";
import type { SweepFile } from "../../../lib/daemon/sweep-file.ts";

type Files = Record<string, string | Uint8Array>;

function inFolder<T>(files: Files, use: (yaml: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "herd sweep-file "));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    return use(join(folder, "hyperherd.yaml"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readFrom(yaml: string | Uint8Array, csv?: string | Uint8Array): SweepFile {
  const files = { "hyperherd.yaml": yaml, ...(csv === undefined ? {} : { "t.csv": csv }) };
  return inFolder(files, readSweepFile);
}

function errorOf(yaml: string | Uint8Array, csv?: string | Uint8Array): UserError {
  try {
    readFrom(yaml, csv);
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error;
  }
  return assert.fail("It was accepted");
}

const HEAD = "name: s\ntrials: t.csv\n";
const CSV = "lr,+model.depth,opt\n0.1,2,adam\n0.001,4,sgd\n0.001,2,sgd\n";

test("conditions may name the columns of the trials file, wherever a parameter may stand", () => {
  const { expansion } = readFrom(
    `${HEAD}repeats: {count: 1, parameter: run}
conditions:
  - {when: {lr: {gt: 0.01}}, set: {w: 1}}
  - {when: {expr: "lr < 0.01 and opt == 'sgd'"}, set: {v: {expr: "lr * 2"}}}
  - {when: {model.depth: 4, run: 0}, exclude: {opt: sgd}}
  - {when: {+model.depth: 2, opt: sgd}, force: {lr: 5}}
`,
    CSV,
  );
  assert.deepEqual(expansion.trials.map(({ params, extras }) => [params, extras]), [
    [{ lr: 0.1, "+model.depth": 2, opt: "adam", run: 0 }, { w: 1 }],
    [{ lr: 5, "+model.depth": 2, opt: "sgd", run: 0 }, { v: 0.002 }],
  ]);
});

test("declared parameters and other columns stand side by side in conditions", () => {
  const { expansion } = readFrom(
    `${HEAD}parameters:
  lr: {abbrev: l}
  opt: {type: discrete, values: [adam, sgd]}
conditions:
  - {when: {lr: 0.1, model.depth: 2, opt: adam}, set: {w: {expr: lr}}}
`,
    CSV,
  );
  assert.deepEqual(expansion.trials.map(({ extras }) => extras), [{ w: 0.1 }, {}, {}]);
});

test("a name that is no column is refused with its place and the columns, in clauses and expressions", () => {
  const { mistakes } = errorOf(
    `${HEAD}conditions:
  - {when: {lrr: 1}, set: {w: 1}}
  - {when: {expr: "optt == 1"}, set: {w: 1}}
`,
    CSV,
  );
  assert.deepEqual(mistakes.map(({ line, column }) => [line, column]), [[4, 13], [5, 20]]);
  assert.match(mistakes[0]!.message, /"lrr": it is not a parameter, known are lr, \+model\.depth/);
  assert.match(mistakes[0]!.hint!, /"lr"/);
  assert.match(`${mistakes[1]!.message} ${mistakes[1]!.hint}`, /optt.*opt/s);
});

test("a trials file without trials, or none, is told as that and not as a mistake of the conditions", () => {
  const yaml = `${HEAD}conditions: [{when: {lr: 1}, set: {w: 1}}]\n`;
  assert.match(errorOf(yaml, "lr\n").message, /"t\.csv" lists no trials/);
  assert.match(errorOf(yaml).message, /Cannot read ".*t\.csv": ENOENT/);
  assert.match(errorOf(yaml, "").message, /"t\.csv": it is empty/);
});

test("what is wrong with the YAML is told when it names a trials file as well", () => {
  assert.match(errorOf(`${HEAD}nmae: 1\n`, CSV).message, /nmae/);
  assert.match(errorOf("name: s\ntrials: [t.csv]\n").message, /trials: found a list/);
  assert.match(
    errorOf("name: [s\ntrials: t.csv\n").message,
    /Cannot read the file as YAML|mistakes/,
  );
});

test("YAML and CSV that are not UTF-8 are refused with line and column of the first bad byte", () => {
  const latin = (text: string) => Buffer.from(text, "latin1");
  const yaml = errorOf(latin("name: s\n# caf\xe9\nparameters: {}\n"));
  assert.match(
    yaml.message,
    /hyperherd\.yaml": found the byte 0xE9 in line 2, column 6, expected UTF-8/,
  );
  assert.match(yaml.hint!, /iconv -f latin1 -t utf-8/);
  assert.deepEqual(yaml.mistakes.map(({ line, column }) => [line, column]), [[2, 6]]);
  const csv = errorOf(HEAD, latin("lr,note\n1,\xfcber\n"));
  assert.match(csv.message, /"t\.csv": found the byte 0xFC in line 2, column 3/);
  assert.deepEqual(csv.mistakes.map(({ file }) => file), ["t.csv"]);
  const wide = errorOf(Buffer.from("\uFEFFname: s\n", "utf16le"));
  assert.match(wide.message, /0xFF in line 1, column 1/);
});

test("a byte order mark before YAML and CSV makes no difference", () => {
  const { config, rows } = readFrom(`\uFEFF${HEAD}`, `\uFEFF${CSV}`);
  assert.equal(config.name, "s");
  assert.deepEqual([...rows![0]!.cells.keys()], ["lr", "+model.depth", "opt"]);
});
