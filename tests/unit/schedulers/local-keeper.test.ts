import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { createKeeper } from "../../../lib/schedulers/local/keeper.ts";
import { removeTree } from "../../support/remove-tree.ts";
import { untilFile } from "../../support/until-file.ts";

/** A supervisor that needs long to take the lock, as on a busy machine; it notes each start. */
const SLOW = ["/bin/sh", "-c", 'echo $$ >> "$0/starts"; exec sleep 60'];

test("while a supervisor is on its way no other command starts a second one", async () => {
  const spool = mkdtempSync(join(tmpdir(), "herd-keeper-"));
  const clock = createSystemClock();
  const starts = () => readFileSync(join(spool, "starts"), "utf8").trim().split("\n").map(Number);
  try {
    // Each command is a process of its own and remembers nothing.
    for (let n = 0; n < 5; n++) createKeeper({ spool, supervisor: SLOW, clock }).ensure();
    await untilFile(join(spool, "starts"));
    assert.equal(starts().length, 1);
    process.kill(starts()[0]!, "SIGKILL");
    const keeper = createKeeper({ spool, supervisor: SLOW, clock });
    for (const deadline = Date.now() + 10_000; starts().length < 2 && Date.now() < deadline;) {
      keeper.ensure();
      await clock.sleep(20);
    }
    assert.equal(starts().length, 2, "one that died on its way is followed by another");
    // Somebody had the lock meanwhile, and is gone: that one came, and this is another need.
    symlinkSync("free", join(spool, "supervisor.lock.1"));
    keeper.ensure();
    for (const deadline = Date.now() + 10_000; starts().length < 3 && Date.now() < deadline;) {
      await clock.sleep(20);
    }
    assert.equal(starts().length, 3);
  } finally {
    for (const pid of starts().slice(1)) process.kill(pid, "SIGKILL");
    removeTree(spool);
  }
});
