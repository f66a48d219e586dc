import assert from "node:assert/strict";
import { test } from "node:test";
import { variablesRead } from "../../../lib/sweep/launcher-variables.ts";

test("variables that a launcher takes from its environment are found in all writings", () => {
  const script = `#!/bin/bash
cd $DATA_DIR || exit
echo "\${MODEL}" \${CACHE:-/tmp} "\${#LENGTH}" \${LIST[0]} 'a'$B/c
A=\${A:-default}
export TOKEN="\${TOKEN:?missing}"
: "\${GIVEN:=x}"
python train.py $1 "$@" "\${@:2}" $$ $? $!`;
  assert.deepEqual(variablesRead(script), [
    "DATA_DIR",
    "MODEL",
    "CACHE",
    "LENGTH",
    "LIST",
    "B",
    "A",
    "TOKEN",
    "GIVEN",
  ]);
});

test("what a launcher sets itself, bash or the job gives, or a comment says, is not taken", () => {
  const script = `# needs $COMMENTED
X=1; echo $X
export OVERRIDES="$1"
for f in *; do echo "$f"; done
read -r line rest <file && echo $line $rest
local here; echo $here
echo \\$ESCAPED $PWD $HOSTNAME \${BASH_SOURCE[0]} $HYPERHERD_TRIAL_ID $SLURM_JOB_ID $HERD_BIN
python train.py $OVERRIDES   # and $THIS`;
  assert.deepEqual(variablesRead(script), []);
});

test("a long launcher of hostile text takes no time", () => {
  const started = performance.now();
  variablesRead("read a ".repeat(30_000) + 'X="'.repeat(10_000) + "${".repeat(10_000));
  assert.ok(performance.now() - started < 2000);
});
