import assert from "node:assert/strict";
import { test } from "node:test";
import { cutResult, defineTool } from "../../../lib/agent/define-tool.ts";
import { createQuote } from "../../../lib/agent/quote-data.ts";
import { RESULT_LIMIT } from "../../../lib/agent/tool.ts";
import { z } from "../../../lib/base/schema.ts";

const { signal } = new AbortController();

test("a result that is too long is cut, says how to get the rest, and keeps its quotation closed", () => {
  const mark = "0123456789ab";
  const quoted = createQuote(mark)("x".repeat(20_000), { source: "log", limit: 20_000 });
  const text = cutResult(`Before\n${quoted}`);
  assert.ok(text.length <= RESULT_LIMIT);
  assert.match(text, new RegExp(`\\n</data mark="${mark}">\\n\\(Cut here: .*offset`));
  const closed = cutResult(createQuote(mark)("y", { source: "s" }) + "z".repeat(20_000));
  assert.equal(closed.split("</data").length, 2);
});

test("optional arguments and defaults are not required", () => {
  const tool = defineTool({
    name: "t",
    description: "",
    input: z.strictObject({ a: z.string(), b: z.int().optional(), c: z.int().default(3) }),
    acts: false,
    run: ({ a, b, c }) => JSON.stringify([a, b ?? null, c]),
  });
  assert.deepEqual(tool.schema["required"], ["a"]);
  assert.equal("$schema" in tool.schema, false);
});

test("whatever is thrown becomes a result", async () => {
  for (const thrown of [new Error("x"), "text", undefined, null, { a: 1 }]) {
    const tool = defineTool({
      name: "t",
      description: "",
      input: z.strictObject({}),
      acts: false,
      run: () => {
        throw thrown;
      },
    });
    const { text, isError } = await tool.run({}, signal);
    assert.equal(isError, true);
    assert.match(text, /fault of herd/);
  }
});

test("a system's failure is told in words", async () => {
  const tool = defineTool({
    name: "t",
    description: "",
    input: z.strictObject({}),
    acts: false,
    run: () => {
      throw Object.assign(new Error("x"), { code: "ENOSPC", syscall: "write", path: "/a" });
    },
  });
  assert.match((await tool.run({}, signal)).text, /no space left on the disk/);
});

test("an act that was begun is waited for when the turn ends meanwhile", async () => {
  const turn = new AbortController();
  let finish = (_: string) => {};
  const tool = defineTool({
    name: "t",
    description: "",
    input: z.strictObject({}),
    acts: true,
    run: () => new Promise<string>((resolve) => finish = resolve),
  });
  const result = tool.run({}, turn.signal);
  await Promise.resolve();
  turn.abort();
  finish("Done: submitted");
  assert.deepEqual(await result, { text: "Done: submitted", isError: false });
});
