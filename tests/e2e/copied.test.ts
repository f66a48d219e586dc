import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { runProcess } from "../../lib/base/process.ts";
import { tree } from "../support/tree.ts";
import { HERD, herd, makeSweep, statusOf, untilStatus } from "../support/herd.ts";
import { removeTree } from "../support/remove-tree.ts";

const YAML = `
name: x6copied
launcher: ./launch.sh
scheduler: local
grid: all
slurm: {partition: none}
local: {slots: 2}
parameters:
  p: {type: discrete, values: [1, 2, 3, 4]}
`;
const LAUNCHER = `#!/bin/bash
echo $HYPERHERD_TRIAL_ID >>started
while [ ! -e go ]; do sleep 0.05; done
`;

async function liveSweep(): Promise<ReturnType<typeof makeSweep>> {
  const sweep = makeSweep({ yaml: YAML, launcher: LAUNCHER }, "herd-x6-");
  assert.equal((await herd(["run", sweep.path])).code, 0);
  await untilStatus(sweep.path, ({ totals }) => totals["running"] === 2);
  return sweep;
}

const content = (path: string) => [
  tree(path),
  readFileSync(join(path, ".hyperherd", "journal.jsonl"), "utf8"),
];

test("in a copy of a live workspace nothing of the original's is touched, and clean --all forgets it", async () => {
  const sweep = await liveSweep();
  const copy = `${sweep.path}-copy`;
  try {
    cpSync(sweep.path, copy, { recursive: true, verbatimSymlinks: true });
    const before = content(copy);
    const changes = [
      ["stop", copy, "--all"],
      ["run", copy],
      ["run", copy, "--dry-run"],
      ["run", copy, "-i", "0", "--force"],
      ["pause", copy, "0"],
      ["prune", copy, "0"],
      ["clean", copy, "--yes"],
      ["clean", copy, "--logs", "--yes"],
    ];
    for (const argv of changes) {
      const said = await herd(argv);
      assert.equal(said.code, 3, `${argv.join(" ")}: ${said.stdout}${said.stderr}`);
      assert.match(said.stderr, new RegExp(`belong to the workspace "${sweep.path}"`));
      assert.match(said.stderr, /clean --all.*HERD_ADOPT=1 herd status/);
    }
    const looked = await herd(["status", copy]);
    assert.equal(looked.code, 0, looked.stderr);
    assert.match(looked.stderr, new RegExp(`Note: .*belong to the workspace "${sweep.path}"`));
    assert.deepEqual(content(copy), before);
    const cleaned = await herd(["clean", copy, "--all", "--yes"]);
    assert.equal(cleaned.code, 0, cleaned.stderr);
    assert.equal(existsSync(join(copy, ".hyperherd")), false);
    const { totals, warnings } = await statusOf(sweep.path);
    assert.deepEqual([totals["running"], totals["queued"], warnings], [2, 2, []]);
    sweep.write("go", "");
    await untilStatus(sweep.path, ({ totals }) => totals["completed"] === 4);
    assert.deepEqual(sweep.read("started").trim().split("\n").sort(), ["0", "1", "2", "3"]);
    // The copy is a workspace of its own from now on.
    writeFileSync(join(copy, "go"), "");
    assert.equal((await herd(["run", copy, "--wait"])).code, 0);
  } finally {
    sweep.write("go", "");
    removeTree(copy);
    sweep.remove();
  }
});

test("a look at a copy starts none of the original's waiting trials, although its supervisor is gone", async () => {
  const sweep = await liveSweep();
  const copy = `${sweep.path}-copy`;
  try {
    cpSync(sweep.path, copy, { recursive: true, verbatimSymlinks: true });
    sweep.write("go", "");
    await untilStatus(sweep.path, ({ totals }) => totals["completed"] === 4);
    assert.equal((await herd(["clean", sweep.path, "--all", "--yes"])).code, 0);
    const before = tree(copy);
    for (let i = 0; i < 3; i++) assert.equal((await herd(["status", copy])).code, 0);
    assert.deepEqual(tree(copy), before);
    assert.equal(sweep.read("started").trim().split("\n").length, 4);
  } finally {
    rmSync(copy, { recursive: true, force: true });
    sweep.remove();
  }
});

test("a workspace that was restored is adopted by its user's word, and then stops its trials", async () => {
  const sweep = await liveSweep();
  try {
    // As if restored; the supervisor would end its trials if the folder itself went away.
    const journal = join(sweep.path, ".hyperherd", "journal.jsonl");
    writeFileSync(journal, readFileSync(journal, "utf8").replace(/("inode":")\d+/g, "$11"));
    rmSync(join(sweep.path, ".hyperherd", "snapshot.json"), { force: true });
    const refused = await herd(["stop", sweep.path, "--all"]);
    assert.equal(refused.code, 3, refused.stderr);
    assert.match(refused.stderr, /in this place before/);
    assert.equal((await herd(["clean", sweep.path, "--all", "--yes"])).code, 3);
    const adopted = await herd(["status", sweep.path], { env: { HERD_ADOPT: "1" } });
    assert.equal(adopted.code, 0, adopted.stderr);
    assert.match(adopted.stderr, /taken for those of/);
    const stopped = await herd(["stop", sweep.path, "--all"]);
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.doesNotMatch(stopped.stderr, /Note/);
    assert.equal((await statusOf(sweep.path)).totals["cancelled"], 4);
  } finally {
    sweep.write("go", "");
    sweep.remove();
  }
});

test("after a move it is said that live jobs write to the old path", async () => {
  const sweep = await liveSweep();
  const moved = `${sweep.path}-moved`;
  try {
    renameSync(sweep.path, moved);
    const said = await herd(["status", moved]);
    assert.equal(said.code, 0, said.stderr);
    assert.match(said.stderr, new RegExp(`^Note: Jobs already submitted write to "${sweep.path}"`));
    assert.equal(said.stderr.match(/already submitted/g)?.length, 1);
  } finally {
    mkdirSync(sweep.path, { recursive: true });
    writeFileSync(join(moved, "go"), "");
    await herd(["stop", moved, "--all"]);
    removeTree(moved);
    sweep.remove();
  }
});

test("a change that waits for another process says for whom, and not with --json", async () => {
  const sweep = await liveSweep();
  try {
    const hold = join(sweep.path, ".hyperherd", "lease");
    const keeper = spawn(process.execPath, [
      "run",
      "-A",
      "--no-check",
      "tests/support/store-hold.ts",
      hold,
    ], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => keeper.stdout.once("data", resolve));
    const waits = ["pause", sweep.path, "3"];
    const said = await Promise.all([
      runProcess([HERD, ...waits], { timeoutMs: 4_000 }),
      runProcess([HERD, ...waits, "--json"], { timeoutMs: 4_000 }),
    ]);
    keeper.kill("SIGKILL");
    assert.match(
      said[0].stderr,
      new RegExp(
        `^Note: .*held by "hold for ever" \\(process ${keeper.pid} on .*waiting for it\n$`,
      ),
    );
    assert.equal(said[1].stderr, "");
  } finally {
    sweep.write("go", "");
    await herd(["stop", sweep.path, "--all"]);
    sweep.remove();
  }
});
