import assert from "node:assert/strict";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { carryOver } from "../../../lib/store/carry-over.ts";
import { readHyperHerdFiles } from "../../../lib/store/hyperherd-files.ts";
import type { HyperHerdFiles } from "../../../lib/store/hyperherd-files.ts";
import { workspacePaths } from "../../../lib/store/paths.ts";
import { apply, emptyState, fromPlain, latestAttempt, toPlain } from "../../../lib/sweep/state.ts";
import type { SweepState } from "../../../lib/sweep/state.ts";
import { statusOf } from "../../../lib/sweep/status.ts";
import { viewOf } from "../../../lib/sweep/view.ts";
import { inFolder } from "../../support/store-folder.ts";

const STATUSES = [
  "completed",
  "failed",
  "submitted",
  "queued",
  "running",
  "paused",
  "pruned",
  "cancelled",
  "ready",
  "preempted",
];

const MANIFEST = JSON.stringify(
  STATUSES.map((status, index) => ({
    index,
    hash: "0",
    params: { x: index },
    extras: {},
    experiment_name: `x-${index}`,
    status,
  })),
);

/** Files under `.hyperherd`, as HyperHerd would have left them. */
function found(files: Readonly<Record<string, string>>, use: (found: HyperHerdFiles) => void) {
  return inFolder((folder) => {
    const paths = workspacePaths(folder);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(paths.state, name)), { recursive: true });
      writeFileSync(join(paths.state, name), text);
    }
    const files_ = readHyperHerdFiles(paths);
    assert.ok(files_ !== undefined);
    use(files_);
  });
}

function stateOf(files: HyperHerdFiles): SweepState {
  const state = emptyState();
  const { happenings } = carryOver(files, "hyperherd_test");
  for (const what of JSON.parse(JSON.stringify(happenings))) {
    apply(state, { v: 1, seq: state.seq + 1, at: 5, by: "cli:test", what });
  }
  return fromPlain(JSON.parse(JSON.stringify(toPlain(state))));
}

const EXPECTED = [
  "completed",
  "failed",
  ...["unknown", "unknown", "unknown"],
  ...["paused", "pruned", "cancelled", "ready"],
  "unknown",
];

for (
  const [what, files] of Object.entries({
    missing: {},
    empty: { "job_ids.json": "" },
    "without jobs": { "job_ids.json": "[]" },
    torn: { "job_ids.json": '[{"slurm_job_id": "10", "ind' },
  })
) {
  test(`with job_ids.json ${what} the manifest's statuses stay, and what may be alive is unknown`, () =>
    found({ "manifest.json": MANIFEST, ...files }, (read) => {
      const state = stateOf(read);
      assert.deepEqual(STATUSES.map((_, index) => statusOf(state, index)), EXPECTED);
      assert.equal(latestAttempt(state, 0)?.jobId, undefined);
      assert.equal(read.damage.length, what === "torn" ? 1 : 0);
    }));
}

test("what HyperHerd submitted without a job id on record says so, and how to go on", () =>
  found({ "manifest.json": MANIFEST }, (read) => {
    const state = stateOf(read);
    const { note } = viewOf(state, state.trials.get(3)!);
    assert.match(note!, /HyperHerd had submitted it and no job id is on record/);
    assert.match(note!, /`herd stop 3`/);
    assert.ok(
      carryOver(read, "hyperherd_test").notices.some(({ message }) =>
        /Trials 2-4,9 .*no job id.*`herd stop -i 2-4,9`/.test(message)
      ),
    );
  }));

test("a stop gives up what has no job id: it is cancelled and can run again", () =>
  found({ "manifest.json": MANIFEST }, (read) => {
    const state = stateOf(read);
    const what = { type: "intent-set", indices: [3], intent: "stop" } as const;
    apply(state, { v: 1, seq: state.seq + 1, at: 9, by: "cli:test", what });
    assert.equal(statusOf(state, 3), "cancelled");
    assert.equal(latestAttempt(state, 3)?.endedAt, 9);
    assert.equal(statusOf(state, 4), "unknown");
  }));

for (
  const [what, files, path, said] of [
    ["a torn manifest", { "manifest.json": MANIFEST.slice(0, -20) }, "manifest", /torn.*9 whole/],
    ["an empty manifest", { "manifest.json": "" }, "manifest", /empty/],
    ["a manifest of another kind", { "manifest.json": "{}" }, "manifest", /no list/],
    ["a manifest with an odd entry", { "manifest.json": "[7]" }, "manifest", /no trial/],
    ["torn job ids", { "manifest.json": MANIFEST, "job_ids.json": "[{" }, "jobIds", /torn/],
    ["job ids of another kind", { "job_ids.json": "7" }, "jobIds", /no list/],
  ] as const
) {
  test(`${what}: that it is damaged is told with the file's path`, () =>
    found(files, (read) => {
      assert.equal(read.damage.length, 1);
      assert.match(read.damage[0]!.what, said);
      assert.ok(
        read.damage[0]!.path.endsWith(path === "manifest" ? "manifest.json" : "job_ids.json"),
      );
      assert.ok(read.notices.some((notice) => notice.path === read.damage[0]!.path));
    }));
}

test("indices of jobs, results and logs stay used when the manifest was moved aside", () =>
  inFolder((folder) => {
    const paths = workspacePaths(folder);
    mkdirSync(join(paths.results, "6"), { recursive: true });
    writeFileSync(join(paths.results, "6.json"), "{}");
    mkdirSync(paths.logs, { recursive: true });
    writeFileSync(join(paths.logs, "8.err"), "");
    writeFileSync(paths.jobIds, '[{"slurm_job_id": "7", "indices": [2]}]');
    assert.equal(stateOf(readHyperHerdFiles(paths)!).nextIndex, 9);
    rmSync(paths.jobIds);
    assert.equal(readHyperHerdFiles(paths), undefined);
    writeFileSync(`${paths.manifest}.old`, "[{");
    assert.equal(stateOf(readHyperHerdFiles(paths)!).nextIndex, 9);
  }));

test("the expected job name is carried with the jobs", () =>
  found({
    "manifest.json": MANIFEST,
    "job_ids.json": '[{"slurm_job_id": "7", "indices": [0, 4]}]',
  }, (read) => {
    const state = stateOf(read);
    assert.equal(state.submissions.get("carried-7")?.jobName, "hyperherd_test");
    assert.equal(latestAttempt(state, 0)?.usageDue, true);
    assert.equal(latestAttempt(state, 4)?.jobId, "7");
  }));

for (const name of ["manifest", "jobIds"] as const) {
  test(`that ${name} cannot be read is damage, and the rest is read`, () =>
    inFolder((folder) => {
      const paths = workspacePaths(folder);
      mkdirSync(paths.state, { recursive: true });
      writeFileSync(paths.manifest, MANIFEST);
      writeFileSync(paths.jobIds, '[{"slurm_job_id": "7", "indices": [0]}]');
      rmSync(paths[name]);
      symlinkSync(paths[name], paths[name]);
      const read = readHyperHerdFiles(paths)!;
      assert.deepEqual(read.damage.map(({ path }) => path), [paths[name]]);
      assert.match(read.damage[0]!.what, /cannot be read \(ELOOP\)/);
      assert.equal(read.trials.length + read.jobs.length, name === "manifest" ? 1 : 10);
    }));
}
