import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import test from "node:test";
import { isUntouched, renderSkill } from "../../../commands/install-skill/skill.ts";
import { runCommand, runJson } from "../../support/command.ts";
import { assertDocumented, doc, keyTables, section } from "../../support/documented-keys.ts";

const NAME = "hyperherd-config";

interface Place {
  cwd: string;
  home: string;
  env: Record<string, string>;
}

async function inPlace(use: (place: Place) => Promise<void>): Promise<void> {
  const cwd = mkdtempSync(join(tmpdir(), "herd skill-"));
  const home = join(cwd, "home");
  mkdirSync(home);
  try {
    await use({ cwd, home, env: { HOME: home, CLAUDE_CONFIG_DIR: "" } });
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

test("the skill goes to the home folder, and a second time nothing happens", () =>
  inPlace(async ({ home, ...place }) => {
    const path = join(home, `.claude/skills/${NAME}/SKILL.md`);
    const first = await runCommand(["install-skill"], place);
    assert.equal(first.code, 0);
    assert.match(first.stdout, /^Created .*SKILL\.md\n.*\/hyperherd-config/);
    assert.equal(readFileSync(path, "utf8"), renderSkill(NAME));
    const { mtimeMs, ino } = lstatSync(path);
    const second = await runJson(["install-skill"], place);
    assert.deepEqual(second, { path, name: NAME, scope: "user", state: "unchanged" });
    assert.deepEqual([lstatSync(path).mtimeMs, lstatSync(path).ino], [mtimeMs, ino]);
  }));

test("a project's skill goes to the current folder, and both may have another name", () =>
  inPlace(async ({ cwd, home, env }) => {
    const said = await runJson(["install-skill", "--scope", "project", "--name", "sweeps-2"], {
      cwd,
      env,
    });
    const path = join(cwd, ".claude/skills/sweeps-2/SKILL.md");
    assert.deepEqual(said, { path, name: "sweeps-2", scope: "project", state: "created" });
    assert.match(readFileSync(path, "utf8"), /^---\nname: sweeps-2\ndescription: /);
    assert.ok(!existsSync(join(home, ".claude")));
  }));

test("where Claude Code's own folder is elsewhere, the skill goes there", () =>
  inPlace(async ({ cwd, home, env }) => {
    const own = join(cwd, "own claude");
    const moved = { ...env, CLAUDE_CONFIG_DIR: own };
    const { path } = await runJson(["install-skill"], { cwd, env: moved });
    assert.equal(path, join(own, `skills/${NAME}/SKILL.md`));
    assert.ok(existsSync(path));
    assert.ok(!existsSync(join(home, ".claude")));
  }));

test("a skill that somebody wrote or changed is kept until --force says otherwise", () =>
  inPlace(async ({ home, ...place }) => {
    const path = join(home, `.claude/skills/${NAME}/SKILL.md`);
    const changed = renderSkill(NAME).replace("## Steps", "## My steps");
    for (const text of ["---\nname: mine\n---\n", changed, `${renderSkill(NAME)}more\n`, ""]) {
      put(path, text);
      const said = await runCommand(["install-skill"], place);
      assert.equal(said.code, 2);
      assert.match(said.stderr, /Cannot write ".*SKILL\.md": a skill .* is there[^]*--force/);
      assert.equal(readFileSync(path, "utf8"), text);
      const { state } = await runJson(["install-skill", "--force"], place);
      assert.equal(state, "replaced");
      assert.equal(readFileSync(path, "utf8"), renderSkill(NAME));
    }
  }));

test("a skill of an older herd that nobody changed is brought up to date", () =>
  inPlace(async ({ home, ...place }) => {
    const path = join(home, `.claude/skills/${NAME}/SKILL.md`);
    // Another name makes another text, sealed like that of another version.
    put(path, renderSkill("older"));
    const { state } = await runJson(["install-skill"], place);
    assert.equal(state, "updated");
    assert.equal(readFileSync(path, "utf8"), renderSkill(NAME));
  }));

test("a link into somebody's dotfiles stays a link", () =>
  inPlace(async ({ home, cwd, env }) => {
    const path = join(home, `.claude/skills/${NAME}/SKILL.md`);
    const real = join(cwd, "dotfiles/SKILL.md");
    put(real, "old\n");
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(real, path);
    await runJson(["install-skill", "-f"], { cwd, env });
    assert.ok(lstatSync(path).isSymbolicLink());
    assert.equal(readFileSync(real, "utf8"), renderSkill(NAME));
  }));

test("names that are no skill's, or lead elsewhere, are refused before anything is written", () =>
  inPlace(async ({ home, ...place }) => {
    const long = "a".repeat(65);
    for (const name of ["", "..", "../x", "a/b", "A", "a_b", "a--b", "a-", "a b", "a\nb", long]) {
      const said = await runCommand(["install-skill", `--name=${name}`], place);
      assert.equal(said.code, 2, name);
      assert.ok(!existsSync(join(home, ".claude")), name);
    }
  }));

test("what the system refuses is a mistake that can be mended, not a bug", () =>
  inPlace(async ({ home, cwd, env }) => {
    writeFileSync(join(home, ".claude"), "a file");
    assert.equal((await runCommand(["install-skill"], { cwd, env })).code, 2);
    rmSync(join(home, ".claude"));
    mkdirSync(join(home, `.claude/skills/${NAME}/SKILL.md`), { recursive: true });
    assert.equal((await runCommand(["install-skill", "-f"], { cwd, env })).code, 2);
    const none = await runCommand(["install-skill"], { cwd, env: { ...env, HOME: "" } });
    assert.equal(none.code, 2);
    assert.match(none.stderr, /HOME is not set[^]*--scope project/);
    if (process.getuid?.() === 0) return;
    rmSync(join(home, ".claude"), { recursive: true });
    chmodSync(home, 0o500);
    const locked = await runCommand(["install-skill"], { cwd, env });
    chmodSync(home, 0o700);
    assert.equal(locked.code, 2);
  }));

test("a seal holds for the text as it was written, to the last byte", () => {
  const text = renderSkill(NAME);
  assert.ok(isUntouched(text));
  for (const other of [`${text} `, text.replace("a", "b"), text.slice(1), `x${text}`, "", "\n"]) {
    assert.ok(!isUntouched(other), other.slice(-80));
  }
});

test("install-skill prints with --json what docs/commands.md says", () =>
  inPlace(async (place) => {
    const [table] = keyTables(section(doc("commands.md"), "## herd install-skill"));
    assertDocumented(table!, [await runJson(["install-skill"], place)]);
  }));
