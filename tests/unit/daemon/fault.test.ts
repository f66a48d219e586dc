import assert from "node:assert/strict";
import { test } from "node:test";
import { createFault } from "../../../lib/daemon/fault.ts";

/** How often a fault of this environment would have killed this process at `point`. */
function kills(env: Record<string, string | undefined>, point: string): number {
  const { kill } = process;
  let times = 0;
  process.kill = () => {
    times++;
    return true;
  };
  try {
    const fault = createFault(env);
    for (let i = 0; i < 3; i++) fault(point);
  } finally {
    process.kill = kill;
  }
  return times;
}

test("HERD_FAULT kills at its point, and only together with HERD_TEST_HOOKS=1", () => {
  const HERD_FAULT = "after-intent:2";
  assert.equal(kills({ HERD_FAULT, HERD_TEST_HOOKS: "1" }, "after-intent"), 1);
  assert.equal(kills({ HERD_FAULT, HERD_TEST_HOOKS: "1" }, "elsewhere"), 0);
  assert.equal(kills({ HERD_TEST_HOOKS: "1" }, "after-intent"), 0);
  for (const HERD_TEST_HOOKS of [undefined, "", "0", "true"]) {
    assert.equal(kills({ HERD_FAULT, HERD_TEST_HOOKS }, "after-intent"), 0, HERD_TEST_HOOKS);
  }
});
