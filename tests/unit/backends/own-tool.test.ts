import assert from "node:assert/strict";
import { test } from "node:test";
import { isOwnTool } from "../../../lib/backends/own-tool.ts";

const NAMES = ["read_state", "wait"];

test("herd's own tools are known in each form in which programs name them", () => {
  const forms = [
    "mcp__herd__wait",
    "herd.wait",
    "herd/read_state",
    "Tool: herd/wait",
    "wait (herd MCP Server)",
  ];
  for (const title of forms) assert.ok(isOwnTool({ title, kind: "other" }, NAMES), title);
});

test("nothing else passes for one of herd's tools", () => {
  const others = [
    "mcp__herd__rm",
    "mcp__other__wait",
    "mcp__herd__wait; rm -rf /",
    "run mcp__herd__wait",
    "mcp__herd__wait\nrm",
    "wait",
    "",
    undefined,
  ];
  for (const title of others) assert.ok(!isOwnTool({ title, kind: "other" }, NAMES), title);
  for (const kind of ["execute", "edit", "delete", "move", "fetch"] as const) {
    assert.ok(!isOwnTool({ title: "mcp__herd__wait", kind }, NAMES), kind);
  }
  assert.ok(!isOwnTool({ title: "mcp__herd__wait", kind: "other" }, []));
});
