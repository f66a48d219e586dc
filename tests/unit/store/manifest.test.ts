import { test } from "node:test";
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { writeJobIds, writeManifest } from "../../../lib/store/manifest.ts";
import { inFolder } from "../../support/store-folder.ts";

const entry = {
  more: 1,
  status: "ready",
  experiment_name: "lr-0.1",
  extras: {},
  params: { lr: 0.1, note: "a\nb" },
  hash: "0123456789ab",
  index: 0,
};

test("the manifest has HyperHerd's keys in its order and form, others after them", () =>
  inFolder((folder) => {
    const path = join(folder, "manifest.json");
    assert.equal(writeManifest(path, [entry]), true);
    assert.equal(
      readFileSync(path, "utf8"),
      `[
  {
    "index": 0,
    "hash": "0123456789ab",
    "params": {
      "lr": 0.1,
      "note": "a\\nb"
    },
    "extras": {},
    "experiment_name": "lr-0.1",
    "status": "ready",
    "more": 1
  }
]`,
    );
    assert.deepEqual(readdirSync(folder), ["manifest.json"]);
  }));

test("a manifest that says the same is not written again", () =>
  inFolder((folder) => {
    const path = join(folder, "manifest.json");
    writeManifest(path, [entry]);
    const { ino } = statSync(path);
    assert.equal(writeManifest(path, [{ ...entry }]), false);
    assert.equal(statSync(path).ino, ino);
    assert.equal(writeManifest(path, [{ ...entry, status: "running" }]), true);
    assert.notEqual(statSync(path).ino, ino);
  }));

test("job ids are a list of submissions as HyperHerd kept it", () =>
  inFolder((folder) => {
    const path = join(folder, "job_ids.json");
    writeJobIds(path, [{ slurm_job_id: "12", indices: [0, 3] }]);
    assert.equal(
      readFileSync(path, "utf8"),
      '[\n  {\n    "slurm_job_id": "12",\n    "indices": [\n      0,\n      3\n    ]\n  }\n]',
    );
  }));

test("a manifest that cannot be written says why", (t) =>
  inFolder((folder) => {
    if (process.getuid?.() === 0) return t.skip("root may write everywhere");
    const closed = join(folder, "closed");
    mkdirSync(closed);
    chmodSync(closed, 0o500);
    assert.throws(() => writeManifest(join(closed, "manifest.json"), []), /permission denied/);
  }));
