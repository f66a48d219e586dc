import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { test } from "node:test";
import type { UserError } from "../../../lib/base/errors.ts";
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

test("a launcher that bash cannot run is refused with the mend, by check as by run", () =>
  inWorkspace(YAML, async ({ herd, write }) => {
    const refused: [string, RegExp, RegExp][] = [
      [
        "#!/usr/bin/env python3\nimport sys\n",
        /asks for "python3"/,
        /make launch\.sh a bash script/,
      ],
      ["#!/usr/bin/perl -w\n", /asks for "perl"/, /starts it/],
      ["#! /usr/bin/env -S A=1 python3 -u\n", /asks for "python3"/, /starts it/],
      ["#!/usr/bin/python3\r\n", /asks for "python3"/, /starts it/],
      ["#!/bin/tcsh\n", /asks for "tcsh"/, /starts it/],
      ["\x7fELF\x01\x02", /compiled program/, /starts it/],
      ["#!/bin/bash\r\necho\r\n", /DOS line breaks/, /sed -i 's\/\\r\$\/\/' /],
      ["echo\r\n", /DOS line breaks/, /sed -i/],
    ];
    for (const [text, message, hint] of refused) {
      write("launch.sh", text, 0o755);
      const said = await herd(["run", "-n"]);
      assert.equal(said.code, 2, text);
      assert.match(said.error!.message, message);
      assert.match(String((said.error as UserError).hint), hint);
      const check = (await herd(["check", "--json"])).json() as { problems: { message: string }[] };
      assert.match(check.problems[0]!.message, message);
    }
    write("train.py", "#!/usr/bin/env python3\n", 0o755);
    write("hyperherd.yaml", YAML.replace("launch.sh", "train.py"));
    const { hint } = (await herd(["run", "-n"])).error as UserError;
    assert.match(
      hint!,
      /^Make launch\.sh a bash script that starts it: exec \.\/train\.py "\$\{@:2\}"/,
    );
  }));

test("launchers for a shell, or without a first line for anybody, pass; an absent shell is a note", () =>
  inWorkspace(YAML, async ({ herd, write }) => {
    const fine = [
      "#!/bin/bash\n",
      "#!/bin/sh -e\n",
      "#! /usr/bin/env bash\n",
      "echo\n",
      "#!\n",
      "",
    ];
    fine.push("#!/usr/bin/env -S bash -e\n", "#!/usr/bin/env -S -u X A=b bash\n", "# python\n");
    for (const text of fine) {
      write("launch.sh", text, 0o755);
      const said = await herd(["run", "-n"]);
      assert.equal(said.code, 0, `${text}: ${said.error?.message}`);
      assert.doesNotMatch(said.stderr, /asks for/, text);
    }
    for (const line of ["#!/opt/none/bin/bash", "#!/usr/bin/env ksh93.99"]) {
      write("launch.sh", `${line}\necho\n`, 0o755);
      const said = await herd(["run", "-n"]);
      assert.equal(said.code, 0, said.error?.message);
      assert.match(
        said.stderr,
        /Note: The first line of .*launch\.sh asks for ".*", which is not here/,
      );
    }
  }));

test("a read-only folder can be checked and previewed, and is refused when something would run", () =>
  inWorkspace(YAML, async ({ herd, root }) => {
    chmodSync(root, 0o555);
    try {
      for (const argv of [["check"], ["run", "-n"]]) {
        const said = await herd(argv);
        assert.equal(said.code, 0, said.error?.message);
        assert.match(said.stderr, /Note: .* is not writable: it can be looked at, not run/);
      }
      const run = await herd(["run"]);
      assert.equal(run.code, 2);
      assert.match(run.error!.message, /is not writable/);
    } finally {
      chmodSync(root, 0o755);
    }
  }));
