import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { inSweep, localYaml, runCommand } from "../../support/command.ts";

test("of two options that contradict each other none is passed over, and nothing is done", () =>
  inSweep({ yaml: localYaml(1) }, async ({ path }) => {
    const cases: [string[], RegExp][] = [
      [["run", path, "--local", "--slurm"], /--local and --slurm are given/],
      [["run", path, "-n", "--local", "--slurm"], /--local and --slurm are given/],
      [["check", path, "--local", "--slurm"], /--local and --slurm are given/],
      [["run", path, "-i", "0", "-f", "--skip"], /--force and --skip are given/],
      [["run", path, "-f", "--skip"], /--force and --skip are given/],
      [["status", path, "--watch", "--json"], /Leave out --json or --watch/],
    ];
    for (const [argv, says] of cases) {
      const said = await runCommand(argv);
      assert.equal(said.code, 2, argv.join(" "));
      assert.match(said.stderr, says);
    }
    assert.equal(existsSync(join(path, ".hyperherd")), false);
  }));

test("a run of one trial is waited for and told in the singular", () =>
  inSweep({ yaml: localYaml(1) }, async ({ path }) => {
    const said = await runCommand(["run", path, "--wait"]);
    assert.equal(said.code, 0, said.stderr);
    assert.match(said.stdout, /^The trial has ended well$/m);
  }));

test("status --watch on a terminal shows when it looked last", () =>
  inSweep({ yaml: localYaml(1) }, async ({ path }) => {
    await runCommand(["run", path, "--wait"]);
    const size = { columns: 100, rows: 30 };
    const said = await runCommand(["status", path, "--watch"], { size });
    assert.match(said.stdout, /1 trial.*: 1 completed.*; looked at \d\d:\d\d:\d\d/);
    const piped = await runCommand(["status", path, "--watch"]);
    assert.doesNotMatch(piped.stdout, /looked at/, "on a pipe only changes are lines");
  }));

test("a notice of the YAML has line, column and what it is about", () =>
  inSweep({ yaml: localYaml(1) + "  twin: {type: discrete, values: [5, 5], default: 5}\n" }, async (
    { path },
  ) => {
    const said = await runCommand(["ls", path]);
    assert.equal(said.code, 0, said.stderr);
    assert.match(said.stderr, /Found 5 twice in parameters\.twin\.values \(line \d+, column \d+\)/);
    assert.equal(said.stderr.match(/twice in/g)?.length, 1);
  }));
