import assert from "node:assert/strict";
import { test } from "node:test";
import { inWorkspace } from "../../support/query-workspace.ts";

const YAML = `
name: t
scheduler: local
launcher: launch.sh
grid: all
slurm: {export: [LISTED]}
parameters:
  lr: {type: discrete, values: [0.1]}
`;

const LAUNCHER = "#!/bin/bash\ncd $DATA_DIR\necho $LISTED $PATH $ABSENT $FROM_FILE\nX=1\necho $X\n";
const SHELL = { DATA_DIR: "/data", LISTED: "1", X: "mine", UNUSED: "1" };

test("variables that the launcher uses and jobs do not get are named before anything is submitted", () =>
  inWorkspace(YAML, async ({ herd, write }) => {
    write("launch.sh", LAUNCHER, 0o755);
    const one = await herd(["run", "-n"], { env: SHELL });
    assert.equal(one.code, 0, one.error?.stack);
    assert.match(
      one.stderr,
      /Note: DATA_DIR is used by launch\.sh and does not reach jobs; list it under slurm\.export\n/,
    );
    write(".env", "FROM_FILE=1\nUNUSED_TOO=1\n", 0o600);
    const two = await herd(["run", "-n"], { env: SHELL });
    assert.match(
      two.stderr,
      /Note: DATA_DIR, FROM_FILE are used by launch\.sh and do not reach jobs; list them under/,
    );
    assert.doesNotMatch((await herd(["run", "-n"])).stderr, /DATA_DIR/);
    const listed = YAML.replace("[LISTED]", "[LISTED, DATA_DIR, FROM_FILE]");
    write("hyperherd.yaml", listed);
    assert.doesNotMatch((await herd(["run", "-n"], { env: SHELL })).stderr, /reach jobs/);
  }));

test("values with spaces are warned of only where the launcher may split them", () =>
  inWorkspace(YAML.replace("[0.1]", '["a b"]'), async ({ herd, write }) => {
    write("launch.sh", "#!/bin/bash\npython train.py $1\n", 0o755);
    assert.match((await herd(["run", "-n"])).stderr, /fall apart/);
    write("launch.sh", '#!/bin/bash\npython train.py "${@:2}"\n', 0o755);
    assert.doesNotMatch((await herd(["run", "-n"])).stderr, /fall apart/);
  }));
