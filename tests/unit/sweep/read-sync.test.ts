import assert from "node:assert/strict";
import { test } from "node:test";
import { read, refuses, REST } from "../../support/reading.ts";

test("what goes to the host is a list of paths and patterns, as they are written", () => {
  const { sync, scheduler } = read(
    `slurm: {host: login}\nsync: [src/, "*.py", "!src/data/"]${REST}`,
  );
  assert.deepEqual(sync, ["src", "*.py", "!src/data"]);
  // Who names a host has said where SLURM is.
  assert.equal(scheduler, "slurm");
});

test("what lies elsewhere, or stays on this machine, is refused with what may be named", () => {
  refuses([
    ["sync: [/etc/passwd]", '1:8 Cannot send "/etc/passwd": it is not relative to the folder'],
    ["sync: [~/x]", '1:8 Cannot send "~/x": it is not relative'],
    ["sync: [a, b/../../c]", '1:11 Cannot send "b/../../c": it leads out of the folder'],
    ["sync: [.env]", '1:8 Cannot send ".env": ".env" stays on this machine'],
    ["sync: [.hyperherd/results]", '1:8 Cannot send ".hyperherd/results": ".hyperherd" stays'],
    ['sync: ["!"]', '1:8 Cannot send "!": found nothing, expected a path'],
    ["sync: {a: 1}", "1:7 Cannot read sync: found a mapping"],
  ]);
});
