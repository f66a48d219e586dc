import assert from "node:assert/strict";
import test from "node:test";
import { NOTHING, readFailures, readTally, sum } from "../../../scripts/suites.ts";

test("Deno's result line is read, steps and colours left out", () => {
  const line = "FAILED | 12 passed (30 steps) | 1 failed (2 steps) | 3 ignored (1 step) (1m2s)";
  assert.deepEqual(readTally(`a\n${line}\n\nb`), { passed: 12, failed: 1, skipped: 3 });
  assert.deepEqual(
    readTally("\x1b[0m\x1b[32mok\x1b[0m | 5 passed | 0 failed \x1b[38;5;245m(9ms)\x1b[0m"),
    {
      passed: 5,
      failed: 0,
      skipped: 0,
    },
  );
});

test("the last result line counts, as tests may print one of their own", () => {
  assert.deepEqual(readTally("ok | 99 passed | 0 failed (1s)\nok | 2 passed | 0 failed (1s)"), {
    passed: 2,
    failed: 0,
    skipped: 0,
  });
});

test("no result line, no tally", () => {
  assert.equal(readTally("error: Type checking failed."), undefined);
});

test("failed tests are read from the last list, with their files", () => {
  const output = `a => ./tests/x.test.ts:1:1
\x1b[1m FAILURES \x1b[0m

it => has, arrows => \x1b[38;5;245m=> ./tests/slurm/a.test.ts:12:1\x1b[0m
another \x1b[38;5;245m=> ./tests/slurm/b.test.ts:3:14\x1b[0m

FAILED | 1 passed | 2 failed (1s)`;
  assert.deepEqual(readFailures(output), [
    { name: "it => has, arrows =>", file: "tests/slurm/a.test.ts" },
    { name: "another", file: "tests/slurm/b.test.ts" },
  ]);
  assert.deepEqual(readFailures("ok | 5 passed | 0 failed (9ms)\na => ./tests/x.test.ts:1:1"), []);
});

test("what passed at the second try only is kept in the sum", () => {
  const late = { passed: 2, failed: 0, skipped: 0, late: ["a"] };
  assert.deepEqual(sum([late, NOTHING]), late);
});

test("tallies are added up", () => {
  const one = { passed: 1, failed: 2, skipped: 3 };
  assert.deepEqual(sum([one, one, { passed: 0, failed: 0, skipped: 1 }]), {
    passed: 2,
    failed: 4,
    skipped: 7,
  });
  assert.deepEqual(sum([]), { passed: 0, failed: 0, skipped: 0 });
});
