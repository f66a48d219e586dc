import { test } from "node:test";
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRecordReader } from "../../../lib/store/records.ts";
import { inFolder } from "../../support/store-folder.ts";

const start = "1700000000.5\t12_3\t0\tstart\thost=n1\t.\n";

test("records are read by task, and what is not there yet is left out", () =>
  inFolder((dir) => {
    mkdirSync(join(dir, "sub"));
    writeFileSync(join(dir, "sub", "3.tsv"), start);
    const records = createRecordReader({ dir }).read([
      { submission: "sub", task: 3 },
      { submission: "sub", task: 4 },
      { submission: "none", task: 3 },
      ...Array.from({ length: 20 }, (_, task) => ({ submission: "many", task })),
    ]);
    assert.deepEqual([...records.keys()], ["sub/3"]);
    assert.equal(records.get("sub/3")?.startedAt, 1700000000500);
    assert.equal(records.get("sub/3")?.node, "n1");
  }));

test("an unchanged file gives the same record, a grown, touched or removed one another", () =>
  inFolder((dir) => {
    const path = join(dir, "sub", "3.tsv");
    mkdirSync(join(dir, "sub"));
    writeFileSync(path, start);
    utimesSync(path, 1000, 1000);
    const reader = createRecordReader({ dir });
    const read = () => reader.read([{ submission: "sub", task: 3 }]).get("sub/3");
    const first = read();
    assert.equal(read(), first);
    utimesSync(path, 2000, 2000);
    assert.deepEqual(read(), { ...first, aliveAt: 2_000_000 });
    appendFileSync(path, "1700000009.0\t12_3\t0\tdone\trc=137\t.\n");
    assert.equal(read()?.exitCode, 137);
    rmSync(path);
    assert.equal(read(), undefined);
  }));

test("many tasks of one submission are found", () =>
  inFolder((dir) => {
    mkdirSync(join(dir, "sub"));
    const tasks = Array.from({ length: 40 }, (_, task) => ({ submission: "sub", task }));
    for (const { task } of tasks) {
      if (task % 2) writeFileSync(join(dir, "sub", `${task}.tsv`), start);
    }
    assert.equal(createRecordReader({ dir }).read(tasks).size, 20);
  }));
