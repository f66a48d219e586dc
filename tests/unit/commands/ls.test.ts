import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { inWorkspace } from "../../support/query-workspace.ts";

const YAML = `
name: t
scheduler: local
launcher: launch.sh
grid: all
slurm: {mem: 1G, time: "00:10:00"}
static_overrides: [epochs=3]
parameters:
  lr: {type: discrete, values: [0.1, 0.2], default: 0.1}
  bs: {type: discrete, values: [16, 32], default: 16}
conditions:
  - {name: big, when: {bs: 32}, set: {accumulate: 2}, slurm: {mem: 32G}}
  - {name: never, when: {bs: 32}, exclude: {lr: 0.2}}
`;

test("ls before the first run lists what a run would make, and writes nothing", () =>
  inWorkspace(YAML, async ({ herd, root }) => {
    const said = await herd(["ls", "--json"]);
    const resources = { cpus_per_task: 1, mem: "1G", time: "00:10:00" };
    assert.equal(said.code, 0);
    assert.deepEqual(said.json(), {
      trials: [
        {
          index: 0,
          status: "ready",
          experiment_name: "lr-0.1_bs-16",
          params: { lr: 0.1, bs: 16 },
          extras: {},
          overrides: "experiment_name=lr-0.1_bs-16 lr=0.1 bs=16 epochs=3",
          resources,
        },
        {
          index: 1,
          status: "ready",
          experiment_name: "lr-0.1_bs-32",
          params: { lr: 0.1, bs: 32 },
          extras: { accumulate: 2 },
          overrides: "experiment_name=lr-0.1_bs-32 lr=0.1 bs=32 epochs=3 accumulate=2",
          resources: { ...resources, mem: "32G" },
        },
        {
          index: 2,
          status: "ready",
          experiment_name: "lr-0.2_bs-16",
          params: { lr: 0.2, bs: 16 },
          extras: {},
          overrides: "experiment_name=lr-0.2_bs-16 lr=0.2 bs=16 epochs=3",
          resources,
        },
      ],
    });
    assert.match(said.stderr, /Conditions exclude 1 of 4 combinations: "never" 1/);
    assert.equal(existsSync(join(root, ".hyperherd")), false);
  }));

test("ls tells what conditions did to a trial, and which ones", () =>
  inWorkspace(YAML, async ({ herd }) => {
    const { stdout } = await herd(["ls"]);
    assert.match(stdout, /set accumulate=2 {2}slurm mem=32G {2}by condition "big"$/m);
    assert.match(stdout, /t: 3 trials: 3 ready/);
  }));

test("a value that is not the default stands out in colour", () =>
  inWorkspace(YAML, async ({ herd }) => {
    const { stdout } = await herd(["ls", "--pin", "lr=0.2"], { env: { FORCE_COLOR: "1" } });
    assert.ok(stdout.includes("\x1b[36mlr=0.2\x1b[39m  bs=16"), stdout);
    assert.match(stdout, /1 trial of 3/);
  }));

test("pins that nothing matches are an answer of no", () =>
  inWorkspace(YAML, async ({ herd }) => {
    const said = await herd(["ls", "--pin", "lr=7"]);
    assert.equal(said.code, 1);
    assert.match(said.error!.message, /No trial has lr=7/);
    const asked = await herd(["ls", "--pin", "lr=7", "--json"]);
    assert.deepEqual([asked.code, asked.json()], [1, { trials: [] }]);
    assert.equal((await herd(["ls", "--pin", "rl=7"])).code, 2);
  }));

test("after an edit ls shows what is kept, new, and gone but kept until somebody insists", () =>
  inWorkspace(YAML, async ({ herd, ran, write }) => {
    await ran([{ index: 0 }, { index: 1, cause: "exit", exitCode: 3 }]);
    write("hyperherd.yaml", YAML.replace("[0.1, 0.2], default: 0.1", "[0.2, 0.3], default: 0.2"));
    const said = await herd(["ls", "--json"]);
    const { trials } = said.json() as { trials: { index: number; status: string }[] };
    assert.deepEqual(trials.map(({ index, status }) => [index, status]), [
      [0, "completed"],
      [2, "ready"],
      [3, "ready"],
      [4, "ready"],
    ]);
    assert.match(said.stderr, /refuses to let go of 1 live or completed trial \(0\)/);
    const { stdout } = await herd(["ls"]);
    assert.match(stdout, /0 {2}completed {2}lr-0\.1_bs-16 {2}no longer in the YAML/);
    assert.match(stdout, /3 {2}ready {6}\S+ {2}new/);
    write("hyperherd.yaml", YAML);
    assert.equal(
      ((await herd(["ls", "--json"])).json() as typeof said & { trials: unknown[] }).trials
        .length,
      3,
      "a look at an edit changed nothing",
    );
  }));

test("with a broken YAML ls shows the sweep as it last ran, and says so", () =>
  inWorkspace(YAML, async ({ herd, ran, write }) => {
    await ran([{ index: 0 }]);
    write("hyperherd.yaml", "name: [");
    const said = await herd(["ls", "--json"]);
    assert.equal(said.code, 0);
    const { trials } = said.json() as { trials: { overrides: string; resources: unknown }[] };
    assert.equal(trials.length, 3);
    assert.equal(trials[0]!.overrides, "experiment_name=lr-0.1_bs-16 lr=0.1 bs=16 epochs=3");
    assert.deepEqual(trials[1]!.resources, { mem: "32G" });
    assert.match(said.stderr, /as it last ran/);
  }));

test("hostile values are shown visibly and passed on whole", () =>
  inWorkspace(
    `
name: t
launcher: launch.sh
grid: all
parameters:
  a: {type: discrete, values: ["x\\ty\\n$(id) \\u202ez", "b"], labels: [evil, good]}
`,
    async ({ herd }) => {
      const { stdout, error } = await herd(["ls"]);
      assert.equal(error, undefined);
      assert.doesNotMatch(stdout, /[\t\u202e]/);
      assert.match(stdout, /a="x\\ty\\n\$\(id\) \\u202ez"/);
      const { trials } = (await herd(["ls", "--json"])).json() as {
        trials: { overrides: string }[];
      };
      assert.equal(trials[0]!.overrides, "experiment_name=a-evil a=x\ty\n$(id) \u202ez");
    },
  ));
