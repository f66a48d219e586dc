import assert from "node:assert/strict";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { HERD } from "../support/herd.ts";
import { removeTree } from "../support/remove-tree.ts";
import { typedLines, typeLine } from "../support/typed-lines.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const README = readFileSync(join(ROOT, "README.md"), "utf8");

/**
 * Stands for the user: the first time it makes of the template a sweep of this
 * machine and of the launcher a trainer, the second time it asks for more steps.
 */
const EDITOR = `#!/bin/bash
set -eu
if [ $# = 2 ]; then
  sed -i 's/^name: .*/&\\nscheduler: local\\nlocal: {slots: 5}/; s/^  mem: .*/  mem: 100M/' "$1"
  cat >>"$1" <<'YAML'
successive_halving: {metric: val_loss, direction: min, min_steps: 1, budget: 4}
YAML
  sed -i '/^exec python/,$d' "$2"
  cat >>"$2" <<'TRAINER'
echo "$2" >>ledger.txt
for step in 1 2 3 4; do
  "$HERD_BIN" log val_loss "0.$HYPERHERD_TRIAL_ID$step" --step $step
  echo "step $step"
  sleep 0.2
done
TRAINER
else
  sed -i 's/^    steps: 5/    steps: 9/' "$1"
fi
`;

test("what the README tells a new user to type works, in its order", async () => {
  const cwd = mkdtempSync(join(tmpdir(), "herd-readme-"));
  try {
    symlinkSync(HERD, join(cwd, "herd"));
    const editor = join(cwd, "editor");
    writeFileSync(editor, EDITOR);
    chmodSync(editor, 0o755);
    const env = { ...process.env, NO_COLOR: "1", EDITOR: editor };
    const lines = typedLines(README, "## Your own sweep");
    assert.ok(lines.length >= 10, `${lines}`);
    const said = new Map<string, string>();
    for (const line of lines) {
      const ended = await typeLine(line, { cwd, env });
      assert.equal(ended.code, 0, `${line}\n${ended.said}`);
      said.set(line, ended.said);
    }
    const started = readFileSync(join(cwd, "my-sweep", "ledger.txt"), "utf8").trim().split("\n");
    assert.equal(started.length, 9, "five trials, and four that the edit added");
    assert.equal(new Set(started).size, 9, "none of them twice");
    assert.match(said.get("./herd check my-sweep")!, /would submit 5 trials to this machine/);
    assert.match(said.get("./herd status my-sweep --watch")!, /5 trials: 5 completed/);
    assert.match(said.get("./herd tail my-sweep 3 -f")!, /step 4/);
    assert.match(said.get("./herd res my-sweep --best")!, /^rank +trial_id +val_loss +lr/m);
    assert.match(said.get("./herd run my-sweep --wait")!, /Submitted 4 trials \(5-8\)/);
  } finally {
    removeTree(cwd);
  }
});

/** Commands of the README's first section that a machine without a cluster can run, in their order. */
function monitorLines(): string[] {
  return typedLines(README, "## Let it run")
    .filter((line) => !/^(npx|scp|\.\/herd monitor sweep\/$)|login1\.cluster/.test(line));
}

test("what the README tells of the monitor works, curl included", async () => {
  const cwd = mkdtempSync(join(tmpdir(), "herd-readme-"));
  const state = join(cwd, "state");
  const runtime = join(cwd, "runtime");
  for (const folder of [state, runtime]) mkdirSync(folder, { mode: 0o700 });
  const env = {
    ...process.env,
    NO_COLOR: "1",
    HOME: cwd,
    XDG_STATE_HOME: state,
    XDG_RUNTIME_DIR: runtime,
    ANTHROPIC_API_KEY: "",
    ANTHROPIC_AUTH_TOKEN: "",
  };
  try {
    symlinkSync(HERD, join(cwd, "herd"));
    cpSync(join(ROOT, "example"), join(cwd, "sweep"), { recursive: true });
    const lines = monitorLines();
    assert.ok(lines.length >= 6, `${lines}`);
    const said = new Map<string, string>();
    for (const given of lines) {
      // A made-up key would be used; following never ends.
      if (given.startsWith("echo")) continue;
      const line = given === "./herd attach" ? "./herd attach --no-follow" : given;
      const ended = await typeLine(line, { cwd, env });
      assert.equal(ended.code, 0, `${line}\n${ended.said}`);
      said.set(line, ended.said);
      if (!line.includes("--detach")) continue;
      const files = readdirSync(join(cwd, "sweep", ".hyperherd"));
      for (const name of ["control.json", "monitor-lease", "agent_log.jsonl"]) {
        assert.ok(files.includes(name), `${name} in ${files}`);
      }
    }
    assert.match(said.get("./herd attach --no-follow")!, /monitoring waveform: 14 trials/);
    const { items } = JSON.parse(said.get("./herd api sweeps")!);
    assert.equal(items[0].id, "waveform");
    assert.equal(
      JSON.parse(said.get("./herd api --curl sweeps | bash")!).items[0].path,
      join(cwd, "sweep"),
    );
    assert.match(said.get("./herd monitor --stop")!, /monitor of waveform has ended/);
  } finally {
    await typeLine("./herd monitor --stop; ./herd stop sweep --all", { cwd, env });
    removeTree(cwd);
  }
});

test("every task that README and docs name is there", () => {
  const { tasks } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
  const pages = ["README.md", ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`)];
  const named = pages.flatMap((page) =>
    [...readFileSync(join(ROOT, page), "utf8").matchAll(/deno task ([a-z0-9:]+)/g)]
      .map(([, task]) => task!)
  );
  assert.ok(named.length > 5);
  for (const task of named) assert.ok(Object.hasOwn(tasks, task), task);
});

test("the packages that the README lists are those of deno.json", () => {
  const { imports } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
  const listed = [...README.matchAll(/^\| \[`([^`]+)`\]/gm)].map(([, name]) => name!);
  assert.deepEqual(listed.sort(), Object.keys(imports).sort());
  assert.ok(existsSync(join(ROOT, "deno.lock")));
});
