import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { WORKSPACE_DEFAULTS } from "../../../lib/chat/broker-defaults.ts";
import { botFolder } from "../../../lib/daemon/bot-folders.ts";
import { botPlace } from "../../../lib/daemon/broker-place.ts";
import { arrival } from "../../support/chat-scene.ts";

function scene(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), "herd-folders-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return { root, place: botPlace(root, "herd") };
}

const one = (id: string) => ({ id, place: arrival("1", "").place });

function git(folder: string, ...words: string[]): string {
  return execFileSync("git", ["-C", folder, ...words], { encoding: "utf8" }).trim();
}

test("B.119, C.10: each conversation has a folder of its own, or all share one with a place for their files each", async (t) => {
  const { root, place } = scene(t);
  const own = await botFolder(one("7"), { projects: {}, workspace: WORKSPACE_DEFAULTS }, place);
  assert.deepEqual(own, {
    folder: join(place.workspaces, "7"),
    files: join(place.workspaces, "7"),
    writes: [],
  });
  const workspace = { ...WORKSPACE_DEFAULTS, folder: join(root, "all"), perThread: false };
  const a = await botFolder(one("7"), { projects: {}, workspace }, place);
  const b = await botFolder(one("8"), { projects: {}, workspace }, place);
  assert.ok(!("refused" in a) && !("refused" in b));
  assert.equal(a.folder, b.folder);
  assert.notEqual(a.files, b.files);
  assert.ok(existsSync(join(a.files, "outbox")));
});

test("C.10: a project's conversations work in git worktrees that leave no trace in its changes", async (t) => {
  const { root, place } = scene(t);
  const project = join(root, "project");
  mkdirSync(project);
  git(project, "init", "-q");
  writeFileSync(join(project, "a.txt"), "a");
  git(project, "add", ".");
  git(project, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one");
  const projects = { "100": { folder: project, worktree: true, agent: undefined } };
  const rules = { projects, workspace: WORKSPACE_DEFAULTS };
  const made = await botFolder(one("7"), rules, place);
  assert.ok(!("refused" in made), JSON.stringify(made));
  assert.equal(readFileSync(join(made.folder, "a.txt"), "utf8"), "a");
  assert.equal(git(made.folder, "branch", "--show-current"), "herd/7");
  assert.equal(git(made.folder, "status", "--porcelain"), "");
  assert.deepEqual(made.writes, [join(project, ".git")]);
  // Its folder was removed by somebody: the branch goes on.
  rmSync(made.folder, { recursive: true });
  const again = await botFolder(one("7"), rules, place);
  assert.ok(!("refused" in again), JSON.stringify(again));
  assert.equal(git(again.folder, "branch", "--show-current"), "herd/7");
});

test("what cannot be is refused in words", async (t) => {
  const { root, place } = scene(t);
  const gone = { "100": { folder: join(root, "gone"), worktree: false, agent: undefined } };
  const rules = { projects: gone, workspace: WORKSPACE_DEFAULTS };
  const refused = await botFolder(one("7"), rules, place);
  assert.match("refused" in refused ? refused.refused : "", /is not there/);
  const plain = { "100": { folder: root, worktree: true, agent: undefined } };
  const other = await botFolder(one("7"), { ...rules, projects: plain }, place);
  assert.match("refused" in other ? other.refused : "", /git worktree/);
});
