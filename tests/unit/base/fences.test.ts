import assert from "node:assert/strict";
import { test } from "node:test";
import {
  closingOf,
  fenceAfter,
  fenceAround,
  fenceAtEnd,
  plainFences,
} from "../../../lib/base/fences.ts";

test("a fence is three backticks or tildes and more, with at most three spaces in front", () => {
  const opens: [string, string][] = [
    ["```", ""],
    ["   ```py", "py"],
    ["~~~~ c++ {.line}", "c++"],
    ["````md", "md"],
    ["```{r}", ""],
    ["~~~ ```", ""],
  ];
  for (const [line, language] of opens) {
    assert.equal(fenceAfter(line, undefined)?.language, language, line);
  }
  for (const line of ["``", "    ```", "```a`b", "text ```", "`".repeat(33), "~".repeat(99), ""]) {
    assert.equal(fenceAfter(line, undefined), undefined, line);
  }
});

test("a fence is closed by one of its kind that is at least as long", () => {
  const open = fenceAfter("````md", undefined)!;
  assert.equal(closingOf(open), "````");
  for (const line of ["```", "~~~~", "````text and more", "  x"]) {
    assert.equal(fenceAfter(line, open), open, line);
  }
  for (const line of ["````", "``````", "  ````  "]) {
    assert.equal(fenceAfter(line, open), undefined);
  }
});

test("a fence around a text is longer than any in it", () => {
  for (const [text, fence] of [["a", "```"], ["a ``` b", "````"], ["`````", "``````"]] as const) {
    assert.equal(fenceAround(text), fence);
    assert.equal(fenceAtEnd(`${fence}\n${text}\n${fence}`), undefined);
  }
});

test("plain fences say the same with three backticks, and are always closed", () => {
  assert.equal(plainFences("~~~js\na\n~~~"), "```js\na\n```");
  assert.equal(plainFences("````\n```\n````"), "```\n`\u200b``\n```");
  assert.equal(plainFences("```py\nx\n"), "```py\nx\n```");
  assert.equal(plainFences("no fence ``` here"), "no fence ``` here");
});
