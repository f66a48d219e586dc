import assert from "node:assert/strict";
import { test } from "node:test";
import { tellDocument } from "../../../commands/tell-document.ts";
import { SchedulerError } from "../../../lib/base/errors.ts";
import { createCapturedTerminal } from "../../support/captured-terminal.ts";

const log = { path: undefined, write: () => {} };

test("what went wrong after a part was done stands in the same document, its stack only when asked for", () => {
  for (const name of ["HERD_DEBUG", "HYPERHERD_DEBUG", "OTHER"]) {
    const { out, stdout, stderr } = createCapturedTerminal({});
    const trouble = new SchedulerError("unreachable", "No answer");
    assert.equal(tellDocument({ out, log, env: { [name]: "1" } }, { done: [1] }, trouble), 4);
    const { done, error } = JSON.parse(stdout());
    assert.deepEqual([done, error.kind], [[1], "unreachable"]);
    assert.match(stderr(), /^Error: No answer/);
    assert.equal(/SchedulerError: No answer\n\s+at /.test(stderr()), name !== "OTHER");
  }
});
