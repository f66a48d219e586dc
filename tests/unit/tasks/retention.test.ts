import { test } from "node:test";
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  foldersIn,
  type KeptFolder,
  removeFolders,
  toDelete,
} from "../../../lib/tasks/retention.ts";
import { removeTree } from "../../support/remove-tree.ts";

const HOUR = 3_600_000;
const NOW = 1_000 * HOUR;

function folder(
  task: string,
  hoursAgo: number | undefined,
  more: Partial<KeptFolder> = {},
): KeptFolder {
  return {
    task,
    epoch: 1,
    bytes: 100,
    state: "succeeded",
    endedAt: hoursAgo === undefined ? undefined : NOW - hoursAgo * HOUR,
    acknowledged: false,
    ...more,
  };
}

function chosen(
  folders: KeptFolder[],
  rules: Partial<Parameters<typeof toDelete>[1]> = {},
): string[] {
  return toDelete(folders, { now: NOW, ...rules }).folders.map(({ task }) => task);
}

test("successes go after a day, failures when somebody has seen them, the rest never by age", () => {
  const folders = [
    folder("young", 23),
    folder("old", 24),
    folder("cancelled", 48, { state: "cancelled" }),
    folder("failed", 5_000, { state: "failed" }),
    folder("seen", 48, { state: "failed", acknowledged: true }),
    folder("just-seen", 1, { state: "failed", acknowledged: true }),
    folder("running", undefined, { state: "running" }),
    folder("unknown", 5_000, { state: "unknown" }),
  ];
  assert.deepEqual(chosen(folders).sort(), ["cancelled", "old", "seen"]);
  assert.deepEqual(chosen(folders, { keepFailed: false }).sort(), [
    "cancelled",
    "failed",
    "old",
    "seen",
  ]);
  assert.deepEqual(chosen(folders, { succeededMs: 1_000 * HOUR }), []);
});

test("a quota takes the oldest successes first, no more than it needs, and says when it cannot", () => {
  const folders = [
    folder("b", 3),
    folder("a", 5),
    folder("c", 1),
    folder("x", 9, { state: "cancelled" }),
    folder("failed", 20, { state: "failed" }),
    folder("running", undefined, { state: "running" }),
  ];
  assert.deepEqual(chosen(folders, { quotaBytes: 600 }), []);
  assert.deepEqual(chosen(folders, { quotaBytes: 599 }), ["a"]);
  assert.deepEqual(chosen(folders, { quotaBytes: 350 }), ["a", "b", "c"]);
  assert.deepEqual(chosen(folders, { quotaBytes: 200 }), ["a", "b", "c", "x"]);
  assert.equal(toDelete(folders, { now: NOW, quotaBytes: 200 }).says, undefined);
  const over = toDelete(folders, { now: NOW, quotaBytes: 150 });
  assert.equal(over.overBytes, 50);
  assert.match(over.says ?? "", /50 bytes over .* 1 failed and not acknowledged, 1 still running$/);
});

test("removal takes exactly the chosen folders, follows no link, and opens closed ones", () => {
  const root = mkdtempSync(join(tmpdir(), "herd-keep-"));
  try {
    const at = (task: string, epoch: number) => join(root, "tasks", task, String(epoch));
    for (const [task, epoch] of [["a", 1], ["a", 2], ["b", 1], ["c", 1]] as const) {
      mkdirSync(join(at(task, epoch), "closed/deep"), { recursive: true });
      writeFileSync(join(at(task, epoch), "closed/deep/file"), "x".repeat(10_000));
    }
    writeFileSync(join(root, "outside"), "kept");
    symlinkSync(root, join(at("a", 1), "link"));
    chmodSync(join(at("a", 1), "closed/deep"), 0);
    chmodSync(join(at("a", 1), "closed"), 0);
    const asked = [{ task: "a", epoch: 1 }, { task: "b", epoch: 1 }, { task: "c", epoch: 1 }];
    const gone = { task: "gone", epoch: 1 };
    const bad = { task: "../..", epoch: 1 };
    const failed = removeFolders(root, [...asked, gone, bad], (task) => task === "c");
    assert.deepEqual(failed.map(({ task }) => task), ["../.."]);
    assert.equal(existsSync(at("a", 1)), false);
    assert.equal(existsSync(at("a", 2)), true);
    assert.equal(existsSync(join(root, "tasks/b")), false);
    assert.equal(existsSync(at("c", 1)), true);
    assert.equal(existsSync(join(root, "outside")), true);
  } finally {
    removeTree(root);
  }
});

test("folders are found with their sizes, unknown ones are kept, and half-removed ones go", () => {
  const root = mkdtempSync(join(tmpdir(), "herd-keep-"));
  try {
    const at = (name: string) => join(root, "tasks", name);
    for (const name of ["a/1", "a/2.going", "b/1", "b/notes"]) {
      mkdirSync(at(name), { recursive: true });
    }
    writeFileSync(at("a/1/big"), "x".repeat(1_000_000));
    const known = { state: "succeeded", endedAt: 5, acknowledged: false } as const;
    const found = foldersIn(root, (task) => task === "a" ? known : undefined);
    assert.deepEqual(found.map(({ task, epoch, state }) => [task, epoch, state]), [
      ["a", 1, "succeeded"],
      ["b", 1, "unknown"],
    ]);
    assert.ok(found[0]!.bytes >= 1_000_000 && found[0]!.bytes < 1_100_000);
    assert.equal(existsSync(at("a/2.going")), false);
    assert.equal(existsSync(at("b/notes")), true);
    assert.deepEqual(foldersIn(join(root, "nowhere"), () => undefined), []);
  } finally {
    removeTree(root);
  }
});
