import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  freshMirrorMemory,
  mirrorMemoryPath,
  readMirrorMemory,
  writeMirrorMemory,
} from "../../../lib/mirror/mirror-memory.ts";
import { inSweep, localYaml, runCommand } from "../../support/command.ts";

/** Nobody listens there. */
const NOWHERE = "nobody@127.0.0.1:1";
const YAML = localYaml(1).replace("scheduler: local\n", "");

test("a host that was not reached is not remembered: a name written wrong does not stick", () =>
  inSweep({ yaml: YAML }, async ({ path }) => {
    const said = await runCommand(["run", path, "--host", NOWHERE]);
    assert.equal(said.code, 4, said.stderr);
    assert.match(said.stderr, /Cannot connect to "127\.0\.0\.1"/);
    assert.equal(existsSync(mirrorMemoryPath(join(path, ".hyperherd"))), false);
  }));

test("where YAML and --host name two, it is said which one is meant, and how to change that", () =>
  inSweep(
    { yaml: YAML.replace("slurm: {", "slurm: {host: other, ") },
    async ({ path }) => {
      const state = join(path, ".hyperherd");
      mkdirSync(state);
      const memory = mirrorMemoryPath(state);
      writeMirrorMemory(memory, { ...freshMirrorMemory(NOWHERE), isWished: true });
      const said = await runCommand(["run", path]);
      assert.equal(said.code, 4, said.stderr);
      assert.match(
        said.stderr,
        /Jobs go to "nobody@127\.0\.0\.1:1", .* names "other", which --host ""/,
      );
      assert.equal(readMirrorMemory(memory)?.host, NOWHERE);
    },
  ));
