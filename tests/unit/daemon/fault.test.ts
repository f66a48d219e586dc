import assert from "node:assert/strict";
import { test } from "node:test";
import { createFault } from "../../../lib/daemon/fault.ts";

test("HERD_FAULT alone kills nothing", () => {
  // Each of these would end this very process.
  for (const hooks of [undefined, "", "0", "true"]) {
    createFault({ HERD_FAULT: "after-intent", HERD_TEST_HOOKS: hooks })("after-intent");
  }
  createFault({ HERD_TEST_HOOKS: "1" })("after-intent");
  createFault({ HERD_TEST_HOOKS: "1", HERD_FAULT: "elsewhere" })("after-intent");
});
