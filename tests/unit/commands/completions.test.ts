import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { defineCommand } from "../../../commands/command.ts";
import { completionScript } from "../../../commands/completions.ts";
import { runProcess } from "../../../lib/base/process.ts";

const COMMANDS = [
  defineCommand({
    name: "sh",
    summary: "It's halving: [all] $HOME `x`",
    options: [
      { name: "mode", value: "MODE", choices: ["sync", "asha"], description: "How: 'a' or [b]" },
      { name: "dry-run", short: "n", description: "Change nothing" },
    ],
    run: () => 0,
  }),
  defineCommand({ name: "status", summary: "Show", run: () => 0 }),
  defineCommand({ name: "help", summary: "Help", run: () => 0 }),
];

async function isThere(program: string): Promise<boolean> {
  return (await runProcess([program, "-c", "exit 0"])).ok;
}

const ZSH = await isThere("zsh");
const FISH = await isThere("fish");

/** What bash offers for the last word of a line. */
async function offered(...words: string[]): Promise<string[]> {
  const line = words.map((word) => `'${word}'`).join(" ");
  const script = `${completionScript("bash", COMMANDS)}
COMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _herd; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, ok } = await runProcess(["bash", "-euc", script]);
  assert.equal(stderr, "");
  assert.ok(ok);
  return stdout.split("\n").filter((word) => word !== "");
}

test("bash completes commands, options and choices", async () => {
  assert.deepEqual(await offered("herd", ""), ["sh", "status", "help"]);
  assert.deepEqual(await offered("herd", "st"), ["status"]);
  assert.deepEqual(await offered("herd", "sh", "--"), ["--mode", "--dry-run", "--json", "--help"]);
  assert.deepEqual(await offered("herd", "sh", "--d"), ["--dry-run"]);
  assert.deepEqual(await offered("herd", "sh", "--mode", "a"), ["asha"]);
  assert.deepEqual(await offered("herd", "help", "s"), ["sh", "status"]);
});

test("bash completes behind --host NAME as in front, and names of the ssh config", async () => {
  assert.deepEqual(await offered("herd", "--h"), ["--host"]);
  assert.deepEqual(await offered("herd", "--host", "login", ""), ["sh", "status", "help"]);
  assert.deepEqual(await offered("herd", "--host", "=", "login", "st"), ["status"]);
  assert.deepEqual(await offered("herd", "--host", "login", "sh", "--mode", "s"), ["sync"]);
  assert.deepEqual(await offered("herd", "--host", "login", "sh", "--d"), ["--dry-run"]);
  const home = mkdtempSync(join(tmpdir(), "herd-completions-"));
  mkdirSync(join(home, ".ssh"));
  writeFileSync(join(home, ".ssh/config"), "Host login gpu*\nhost other\n  User ana\n");
  const before = process.env["HOME"];
  process.env["HOME"] = home;
  try {
    assert.deepEqual(await offered("herd", "--host", ""), ["login", "other"]);
    assert.deepEqual(await offered("herd", "status", "--host", "o"), ["other"]);
  } finally {
    process.env["HOME"] = before;
    rmSync(home, { recursive: true });
  }
});

test("bash leaves files to bash itself", async () => {
  assert.deepEqual(await offered("herd", "status", ""), []);
  assert.match(completionScript("bash", COMMANDS), /complete -o default -F _herd herd/);
});

test("the zsh script is read by zsh", { skip: ZSH ? false : "zsh is not installed" }, async () => {
  const { ok, stderr } = await runProcess(["zsh", "-n"], {
    input: completionScript("zsh", COMMANDS),
  });
  assert.ok(ok, stderr);
});

test(
  "the fish script is read by fish",
  { skip: FISH ? false : "fish is not installed" },
  async () => {
    const { ok, stderr } = await runProcess(["fish", "-n"], {
      input: completionScript("fish", COMMANDS),
    });
    assert.ok(ok, stderr);
  },
);

test("in zsh and fish texts are quoted, so that none of them runs", () => {
  const zsh = completionScript("zsh", COMMANDS);
  assert.ok(zsh.includes(`'sh:It'\\''s halving\\: \\[all\\] $HOME \`x\`'`), zsh);
  assert.ok(zsh.includes("(sync asha)"));
  const fish = completionScript("fish", COMMANDS);
  assert.ok(fish.includes(`-a sh -d 'It\\'s halving: [all] $HOME \`x\`'`), fish);
  assert.ok(fish.includes("-l mode -r -f -a 'sync asha'"));
  assert.ok(fish.includes("-l dry-run -s n -d 'Change nothing'"));
});

test("an unknown shell is refused with what is allowed", () => {
  assert.throws(() => completionScript("powershell", COMMANDS), /"bash", "zsh", "fish"/);
  assert.throws(() => completionScript("constructor", COMMANDS), /allowed are/);
});
