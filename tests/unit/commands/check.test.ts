import assert from "node:assert/strict";
import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { inWorkspace } from "../../support/query-workspace.ts";

const YAML = `
name: t
scheduler: local
launcher: launch.sh
grid: all
slurm: {mem: 1G, max_concurrent: 2}
parameters:
  lr: {type: discrete, values: [0.1, 0.2]}
  bs: {type: discrete, values: [16, 32]}
conditions:
  - {name: big, when: {bs: 32}, slurm: {mem: 2G}}
  - {name: never, when: {bs: 32}, exclude: {lr: 0.2}}
`;

interface Document {
  ok: boolean;
  problems: { message: string; hint: string | null }[];
  [key: string]: unknown;
}

test("check says what a run would submit, and writes nothing", () =>
  inWorkspace(YAML, async ({ herd, root }) => {
    const said = await herd(["check", "--json"]);
    assert.equal(said.code, 0, said.error?.stack);
    const { limits, notices: _, ...document } = said.json() as Document;
    assert.deepEqual(document, {
      ok: true,
      sweep: "t",
      workspace: root,
      config: join(root, "hyperherd.yaml"),
      scheduler: "local",
      host: null,
      trials: 3,
      combinations: 4,
      excluded: 1,
      duplicates: 0,
      submit_indices: [0, 1, 2],
      jobs: [
        {
          indices: [0, 2],
          max_concurrent: 1,
          resources: { cpus_per_task: 1, mem: "1G", time: "01:00:00" },
        },
        {
          indices: [1],
          max_concurrent: 1,
          resources: { cpus_per_task: 1, mem: "2G", time: "01:00:00" },
        },
      ],
      left_indices: [],
      changes: [],
      refusal: null,
      problems: [],
      warnings: [],
      cluster: null,
    });
    assert.ok(limits);
    assert.equal(existsSync(join(root, ".hyperherd")), false);
    assert.match(
      (await herd(["check"])).stdout,
      /would submit 3 trials to this machine in 2 arrays/,
    );
  }));

test("all mistakes of a YAML come at once, with their places", () =>
  inWorkspace(YAML.replace("grid: all", "gird: all").replace("mem: 1G", "mem: lots"), async (w) => {
    const said = await w.herd(["check", "--json"]);
    assert.equal(said.code, 2);
    assert.ok(said.error instanceof UserError);
    assert.ok(said.error.mistakes.length >= 2, `${said.error.mistakes.length}`);
    assert.ok(said.error.mistakes.every(({ line }) => line !== undefined));
  }));

test("a launcher that cannot be run is told with the command that mends it", () =>
  inWorkspace(YAML, async ({ herd, root }) => {
    chmodSync(join(root, "launch.sh"), 0o644);
    const said = await herd(["check", "--json"]);
    assert.equal(said.code, 2);
    const { ok, problems } = said.json() as Document;
    assert.equal(ok, false);
    assert.equal(problems.length, 1);
    assert.match(problems[0]!.message, /is not executable/);
    assert.match(problems[0]!.hint!, /^Run: chmod \+x /);
    const { stdout } = await herd(["check"]);
    assert.match(stdout, /✗ .*is not executable\n {2}Run: chmod \+x/);
  }));

test("without the cluster not even its programs are needed", () =>
  inWorkspace(YAML.replace("scheduler: local", "scheduler: slurm"), async ({ herd }) => {
    const said = await herd(["check", "--no-cluster", "--json"]);
    assert.equal(said.code, 0, said.error?.stack);
    const document = said.json() as Document;
    assert.equal(document["scheduler"], "slurm");
    assert.equal(document["limits"], null);
    assert.deepEqual(document["submit_indices"], [0, 1, 2]);
  }));

test("what a run would refuse is told before it is tried", () =>
  inWorkspace(YAML, async ({ herd, ran, write }) => {
    await ran([{ index: 0 }]);
    write("hyperherd.yaml", YAML.replace("[0.1, 0.2]", "[0.2, 0.3]"));
    const said = await herd(["check", "--json"]);
    assert.equal(said.code, 3);
    const { ok, refusal, submit_indices: submit } = said.json() as Document;
    assert.equal(ok, false);
    assert.equal((refusal as { refused: string }).refused, "drops");
    assert.deepEqual(submit, []);
    const shown = await herd(["check"]);
    assert.equal(shown.code, 3);
    assert.match(shown.stdout, /^! A run would be refused: Cannot let go of 1 trial/m);
    assert.doesNotMatch(shown.stdout, /Nothing stands in the way/);
  }));

test("conditions that exclude everything are named with their counts and their place", () =>
  inWorkspace(YAML, async ({ herd, write }) => {
    const none = "\n  - {name: none at all, when: {bs: {ge: 16}}, exclude: {lr: [0.1, 0.2]}}\n";
    write("hyperherd.yaml", YAML.replace("\n  - {name: big", `${none}  - {name: big`));
    const { error } = await herd(["check"]);
    assert.ok(error instanceof UserError);
    assert.match(error.message, /exclude every one of 4 combinations: "none at all" 4$/);
    assert.doesNotMatch(error.hint ?? "", /herd ls/);
    assert.deepEqual([error.mistakes[0]?.line, error.mistakes[0]?.path], [10, "conditions"]);
  }));

test("a sweep whose jobs run on another host is checked without one here, with what it sends there", () =>
  inWorkspace(YAML, async ({ herd, write, root }) => {
    const yaml = YAML.replace("scheduler: local\n", "") + "sync: [src, gone.py]\n";
    write("src/a.py", "a = 1\n");
    const words = ["check", "--no-cluster", "--host", "login.example.org"];
    write("hyperherd.yaml", yaml);
    const lacking = await herd([...words, "--json"]);
    const found = lacking.json() as { problems: { message: string }[]; scheduler: string };
    assert.equal(lacking.code, 2);
    assert.match(found.problems[0]!.message, /Cannot send "gone\.py": there is no such file/);
    write("gone.py", "");
    const said = await herd(words);
    assert.equal(said.code, 0, said.stdout);
    assert.match(said.stdout, /A run would submit 3 trials to SLURM on login\.example\.org/);
    assert.match(said.stdout, /Before that it sends 4 files to login\.example\.org/);
    assert.ok(!existsSync(join(root, ".hyperherd")), "and it is not remembered");
  }));
