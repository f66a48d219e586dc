import assert from "node:assert/strict";
import { test } from "node:test";
import { createAgentLog } from "../../../lib/daemon/agent-log.ts";
import { createSteppedClock } from "../../support/stepped-clock.ts";

test("an agent that writes without end has so many lines a minute, and takes none of another's", () => {
  const clock = createSteppedClock();
  const kept: string[] = [];
  const log = createAgentLog(clock, (conversation, text) => kept.push(`${conversation} ${text}`));
  for (let i = 0; i < 10_000; i++) log("1", `noise ${i}\n`);
  assert.equal(kept.length, 60);
  assert.match(kept.at(-1)!, /more than is kept/);
  log("2", "  \n");
  log("2", `${"x".repeat(9_000)}end`);
  assert.equal(kept.length, 61);
  assert.match(kept.at(-1)!, /^2 x{497}end$/);
  clock.advance(60_000);
  log("1", "again");
  assert.equal(kept.at(-1), "1 again");
});
