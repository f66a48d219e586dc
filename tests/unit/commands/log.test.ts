import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { readValue } from "../../../commands/log.ts";
import { runCommand, runJson } from "../../support/command.ts";

async function inTrial(
  use: (
    trial: { root: string; env: Record<string, string>; read(file: string): string },
  ) => Promise<void>,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "herd-log-"));
  const state = join(root, ".hyperherd");
  mkdirSync(join(state, "results"), { recursive: true });
  // A trainer never needs the YAML: it is broken here.
  writeFileSync(join(root, "hyperherd.yaml"), "name: [");
  writeFileSync(join(state, "manifest.json"), "[]");
  try {
    const env = { HYPERHERD_WORKSPACE: root, HYPERHERD_TRIAL_ID: "3" };
    await use({ root, env, read: (file) => readFileSync(join(state, "results", file), "utf8") });
  } finally {
    rmSync(root, { recursive: true });
  }
}

test("a step goes into the metric's stream as HyperHerd writes it", () =>
  inTrial(async ({ env, read }) => {
    const said = await runCommand(["log", "val/loss", "0.25", "--step", "7"], { env });
    assert.deepEqual([said.code, said.stdout, said.stderr], [0, "", ""]);
    await runCommand(["log", "val/loss", "nan", "--step", "8"], { env });
    const [first, second] = read("3/stream/val/loss.jsonl").split("\n");
    assert.match(first!, /^\{"step": 7, "value": 0\.25, "ts": \d+(\.\d+)?\}$/);
    assert.match(second!, /^\{"step": 8, "value": NaN, "ts": /);
  }));

test("without a step it is a final value, whatever its kind", () =>
  inTrial(async ({ env, read }) => {
    const words: [string, string][] = [
      ["acc", "0.9"],
      ["worst", "-inf"],
      ["ok", "true"],
      ["note", 'it\'s "fine"; $(rm -rf x)\nnext'],
      ["commit", "12e4567"],
    ];
    for (const [name, value] of words) {
      assert.equal((await runCommand(["log", name, value], { env })).code, 0, name);
    }
    assert.equal(
      read("3.json"),
      '{\n  "acc": 0.9,\n  "worst": -Infinity,\n  "ok": true,\n' +
        '  "note": "it\'s \\"fine\\"; $(rm -rf x)\\nnext",\n  "commit": "12e4567"\n}',
    );
  }));

test("the signal file decides the exit code, once the step is written", () =>
  inTrial(async ({ root, env, read }) => {
    mkdirSync(join(root, ".hyperherd/results/3"), { recursive: true });
    for (const [word, code] of [["prune", 10], ["pause", 11], ["nonsense", 0]] as const) {
      writeFileSync(join(root, ".hyperherd/results/3/_signal"), word);
      const said = await runCommand(["log", "loss", "1", "--step", `${code}`], { env });
      assert.equal(said.code, code, word);
      assert.equal(said.stderr === "", code === 0);
      if (code !== 0) assert.match(said.stderr, new RegExp(`trial 3 is to (be )?${word}`));
    }
    assert.equal(read("3/stream/loss.jsonl").trimEnd().split("\n").length, 3);
    writeFileSync(join(root, ".hyperherd/results/3/_signal"), "prune");
    assert.equal(
      (await runCommand(["log", "final", "1"], { env })).code,
      0,
      "without --step never",
    );
    const document = await runJson(["log", "loss", "1", "--step", "99"], { env, code: 10 });
    assert.deepEqual(document, { trial: 3, name: "loss", step: 99, value: 1, signal: "prune" });
  }));

test("--trial and --workspace stand in for the environment; the YAML names the workspace, too", () =>
  inTrial(async ({ root, read }) => {
    const yaml = join(root, "hyperherd.yaml");
    const words = ["log", "x", "007", "--text", "--trial", "5", "--workspace", yaml];
    assert.equal((await runCommand(words)).code, 0);
    assert.equal(read("5.json"), '{\n  "x": "007"\n}');
  }));

test("a workspace that cannot be seen whole is refused, with the bind that mends it", () =>
  inTrial(async ({ root, env }) => {
    const away = { ...env, HYPERHERD_WORKSPACE: "/not/here it is" };
    const unseen = await runCommand(["log", "x", "1"], { env: away });
    assert.equal(unseen.code, 2);
    assert.match(unseen.stderr, /workspace "\/not\/here it is" cannot be seen here/);
    assert.match(unseen.stderr, /apptainer exec --bind '\/not\/here it is:\/not\/here it is'/);
    rmSync(join(root, ".hyperherd/manifest.json"));
    const partial = await runCommand(["log", "x", "1", "--step", "1"], { env });
    assert.equal(partial.code, 2);
    assert.match(partial.stderr, /manifest\.json in it is not/);
    assert.match(partial.stderr, /--bind/);
    assert.equal(existsSync(join(root, ".hyperherd/results/3")), false, "nothing was written");
  }));

test("outside a trial the missing variable is named", () =>
  inTrial(async ({ env }) => {
    const nowhere = await runCommand(["log", "x", "1"]);
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.stderr, /HYPERHERD_TRIAL_ID is not set/);
    const odd = await runCommand(["log", "x", "1"], {
      env: { ...env, HYPERHERD_TRIAL_ID: "../1" },
    });
    assert.equal(odd.code, 2);
    const climbing = await runCommand(["log", "../../x", "1", "--step", "1"], { env });
    assert.equal(climbing.code, 2);
  }));

test("values are read as a shell says them", () => {
  const cases: [string, unknown][] = [
    ["1", 1],
    ["-0.5", -0.5],
    ["1e-3", 0.001],
    [".5", 0.5],
    ["NaN", NaN],
    ["inf", Infinity],
    ["-Infinity", -Infinity],
    ["True", true],
    ["FALSE", false],
    ["", ""],
    ["0x10", "0x10"],
    ["1 2", "1 2"],
    ["1e999", "1e999"],
    ["nano", "nano"],
    ["null", "null"],
  ];
  for (const [text, value] of cases) assert.deepEqual(readValue(text), value, text);
});
