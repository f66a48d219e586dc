import assert from "node:assert/strict";
import { test } from "node:test";
import { displayWidth } from "../../../lib/base/width.ts";
import { convertTables } from "../../../lib/chat/tables.ts";

const TABLE = "before\n| name | score |\n|:--|--:|\n| a | 1 |\n| **long name** | 22 |\nafter";

test("B.95: a table becomes aligned text of fixed width", () => {
  assert.equal(
    convertTables(TABLE, "code"),
    "before\n```\nname       score\n─────────  ─────\na              1\nlong name     22\n```\nafter",
  );
});

test("B.95: a table becomes a list, and an empty cell is no value", () => {
  assert.equal(
    convertTables(
      "| trial | loss | note |\n|-|-|-|\n| 7 | 0.1 | |\n| 8 | 0.2 | *odd* |",
      "bullets",
    ),
    "- **7**: loss: 0.1\n- **8**: loss: 0.2, note: *odd*",
  );
});

test("B.95: off leaves every table as it is", () => {
  assert.equal(convertTables(TABLE, "off"), TABLE);
});

test("a table within a code block stays, whatever the fence", () => {
  for (const fence of ["```", "````md", "~~~"]) {
    const text = `${fence}\n| a | b |\n|---|---|\n| 1 | 2 |\n${fence.replace("md", "")}`;
    assert.equal(convertTables(text, "code"), text);
  }
});

test("wide characters take two cells, and columns still stand below each other", () => {
  const lines = convertTables("| 名前 | nn |\n|---|--:|\n| 漢字かな | 1 |\n| 🏳️‍🌈 | 20 |", "code")
    .split("\n").slice(1, -1);
  assert.equal(lines.length, 4);
  assert.deepEqual(new Set(lines.map(displayWidth)), new Set([12]));
});

test("an escaped pipe is text, not a border, within a code span too", () => {
  assert.match(
    convertTables("| a | b |\n|--|--|\n| x \\| y | `p\\|q` |", "code"),
    /^x \| y {2}p\|q$/m,
  );
});

test("cells beyond the head are kept, missing ones are empty", () => {
  const shown = convertTables("| a | b |\n|--|--|\n| 1 | 2 | 3 |\n| only |", "code");
  assert.match(shown, /2 \| 3/);
  assert.match(shown, /^only$/m);
});

test("what only looks like a table is left alone", () => {
  for (
    const text of [
      "a | b\nno rule",
      "| a | b |\n|---|",
      "x\n---\ny",
      "cat a | grep b\n|| true",
      "|".repeat(5_000),
      `| ${"-|".repeat(5_000)}`,
    ]
  ) assert.equal(convertTables(text, "code"), text);
});

test("no cell can end the code that it is shown in", () => {
  const shown = convertTables("| a |x|\n|--|--|\n| ``` | ````` |\n| ```` | @everyone |", "code");
  assert.equal(shown.match(/```/g)!.length, 2, shown);
});

test("a table too wide for a window is shown as a list", () => {
  const shown = convertTables(`| a | b |\n|--|--|\n| 1 | ${"word ".repeat(40)} |`, "code");
  assert.match(shown, /^- \*\*1\*\*: b: word word/);
});
