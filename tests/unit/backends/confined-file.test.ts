import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { listConfined, readConfined, writeConfined } from "../../../lib/backends/confined-file.ts";
import { openFolder, placeIn, resolveIn } from "../../../lib/backends/confined-path.ts";
import { createScene } from "./scene.ts";

const read = (folder: string, path: string) =>
  new TextDecoder().decode(readConfined(placeIn(folder), path, { most: 1_000 }));

test("files within the folder are read by relative and absolute paths, and through links that stay inside", (t) => {
  const { folder } = createScene(t);
  mkdirSync(join(folder, "a/b"), { recursive: true });
  writeFileSync(join(folder, "a/b/c.txt"), "deep");
  symlinkSync("a/b", join(folder, "short"));
  assert.equal(read(folder, "a/b/c.txt"), "deep");
  assert.equal(read(folder, join(folder, "a/b/c.txt")), "deep");
  assert.equal(read(folder, "short/c.txt"), "deep");
  assert.equal(read(folder, "a/../short/../a/b/c.txt"), "deep");
});

test("a folder that stands behind a link is the same place by both of its names", (t) => {
  const { folder, outside } = createScene(t);
  const alias = join(outside, "alias");
  symlinkSync(folder, alias);
  writeFileSync(join(folder, "x"), "same");
  assert.equal(read(alias, join(alias, "x")), "same");
  assert.equal(read(alias, join(folder, "x")), "same");
});

test("no path leads out: dots, absolute paths, links, links in the middle, dangling links", (t) => {
  const { folder, outside } = createScene(t);
  writeFileSync(join(outside, "secret"), "hush");
  mkdirSync(join(outside, `${folder.split("/").at(-1)}-more`));
  symlinkSync(join(outside, "secret"), join(folder, "to-file"));
  symlinkSync("..", join(folder, "to-folder"));
  symlinkSync(join(outside, "not-yet"), join(folder, "to-nothing"));
  const paths = [
    "../secret",
    "a/../../secret",
    join(outside, "secret"),
    `${folder}-more/x`,
    "to-file",
    "to-folder/secret",
    "/etc/passwd",
    "/proc/self/environ",
    "",
    "x\0y",
  ];
  for (const path of paths) {
    assert.throws(() => read(folder, path), { name: "UserError" }, path);
    assert.throws(() => writeConfined(placeIn(folder), path, "mine"), { name: "UserError" }, path);
  }
  // A link to what is not there yet is replaced by the file, never followed.
  writeConfined(placeIn(folder), "to-nothing", "mine");
  assert.equal(existsSync(join(outside, "not-yet")), false);
  assert.equal(readFileSync(join(folder, "to-nothing"), "utf8"), "mine");
  assert.equal(readFileSync(join(outside, "secret"), "utf8"), "hush");
});

test("a folder that is swapped for a link after the check is not followed", (t) => {
  const { folder, outside } = createScene(t);
  mkdirSync(join(outside, "target"));
  mkdirSync(join(folder, "sub"));
  const place = placeIn(folder);
  const real = resolveIn(place, "sub/file");
  rmSync(join(folder, "sub"), { recursive: true });
  symlinkSync(join(outside, "target"), join(folder, "sub"));
  assert.throws(() => openFolder(place, join(real, ".."), { create: true }), /ENOTDIR|ELOOP/);
  assert.deepEqual(readdirSync(join(outside, "target")), []);
});

test("a folder that is moved away while it is open cannot redirect a write", (t) => {
  const { folder, outside } = createScene(t);
  mkdirSync(join(outside, "target"));
  mkdirSync(join(folder, "sub"));
  using held = openFolder(placeIn(folder), join(folder, "sub"));
  renameSync(join(folder, "sub"), join(folder, "was"));
  symlinkSync(join(outside, "target"), join(folder, "sub"));
  writeFileSync(`${held.base}/file`, "x");
  assert.equal(readFileSync(join(folder, "was/file"), "utf8"), "x");
  assert.deepEqual(readdirSync(join(outside, "target")), []);
});

test("what is no plain file is not opened, and what is too long is not read", (t) => {
  const { folder } = createScene(t);
  writeFileSync(join(folder, "long"), "x".repeat(1_001));
  assert.throws(() => read(folder, "long"), /more than 1000 bytes/);
  assert.throws(() => read(folder, "."), /it is a folder/);
  assert.throws(() => writeConfined(placeIn(folder), ".", "x"), { name: "UserError" });
});

test("a write makes folders, keeps the mode of a script and leaves no temporary file", (t) => {
  const { folder } = createScene(t);
  const place = placeIn(folder);
  writeConfined(place, "new/er/run.sh", "one");
  chmodSync(join(folder, "new/er/run.sh"), 0o755);
  writeConfined(place, "new/er/run.sh", "two");
  assert.equal(readFileSync(join(folder, "new/er/run.sh"), "utf8"), "two");
  assert.equal(statSync(join(folder, "new/er/run.sh")).mode & 0o777, 0o755);
  assert.deepEqual(readdirSync(join(folder, "new/er")), ["run.sh"]);
});

test("a listing names links and does not follow them", (t) => {
  const { folder, outside } = createScene(t);
  symlinkSync(outside, join(folder, "up"));
  mkdirSync(join(folder, "sub"));
  assert.deepEqual(listConfined(placeIn(folder), "."), [
    { name: "TASK.txt", kind: "file", bytes: 16, target: undefined },
    { name: "sub", kind: "folder", bytes: undefined, target: undefined },
    { name: "up", kind: "link", bytes: undefined, target: outside },
  ]);
  assert.throws(() => listConfined(placeIn(folder), "up"), { name: "UserError" });
});

test("without confinement any path is reached, relative ones from the folder", (t) => {
  const { folder, outside } = createScene(t);
  const place = placeIn(folder, true);
  writeConfined(place, "../made/by", "x");
  assert.equal(readFileSync(join(outside, "made/by"), "utf8"), "x");
  assert.equal(
    new TextDecoder().decode(readConfined(place, join(outside, "made/by"), { most: 10 })),
    "x",
  );
});
