import assert from "node:assert/strict";
import { test } from "node:test";
import { closedTools, withTool } from "../../../lib/chat/tool-uses.ts";
import type { Turn } from "../../../lib/chat/turn.ts";

type Tools = Pick<Turn, "tools" | "earlierTools">;

test("a tool keeps what was told of it before", () => {
  let tools: Tools = withTool({ tools: [] }, { id: "a", title: "make", kind: "execute" });
  tools = withTool(tools, { id: "a", status: "completed" });
  assert.deepEqual(tools.tools, [{ id: "a", title: "make", kind: "execute", status: "completed" }]);
});

test("of thousands of tools the newest and those that run are kept, of the others their number", () => {
  let tools: Tools = withTool({ tools: [] }, { id: "long", title: "the tests" });
  for (let i = 0; i < 5_000; i++) {
    tools = withTool(tools, { id: `t${i}`, status: i % 5 === 0 ? "failed" : "completed" });
  }
  assert.ok(tools.tools.length <= 100);
  assert.equal(tools.tools[0]!.title, "the tests");
  assert.equal(tools.tools.at(-1)!.id, "t4999");
  assert.deepEqual(closedTools(tools, true).counts, { completed: 4_001, failed: 1_000 });
});

test("when its turn is over no tool runs: it is done, or failed as the turn did", () => {
  const tools = withTool({ tools: [] }, { id: "a" });
  assert.equal(closedTools(tools, true).tools[0]!.status, "completed");
  assert.equal(closedTools(tools, false).tools[0]!.status, "failed");
  assert.deepEqual(closedTools(tools, false).counts, { completed: 0, failed: 1 });
});
