import assert from "node:assert/strict";
import test from "node:test";
import { delimitedLine } from "../../../lib/base/delimited.ts";
import { shownText } from "../../../lib/base/shown.ts";
import { parseCells } from "../../../lib/sweep/csv-cells.ts";

test("cells are quoted exactly where a reader would misread them", () => {
  assert.equal(delimitedLine(["a", "", "b c", "x;y"], ","), "a,,b c,x;y");
  assert.equal(
    delimitedLine(['say "hi"', "a,b", "a\tb", "l\nm"], ","),
    '"say ""hi""","a,b",a\tb,"l\nm"',
  );
  assert.equal(delimitedLine(["a,b", "a\tb", " x"], "\t"), 'a,b\t"a\tb"\t" x"');
});

test("hostile cells come back whole from a CSV reader", () => {
  const cells = [
    'a"b',
    "a,b",
    "a\r\nb",
    " lead",
    "trail ",
    '"',
    '""',
    "$(id)",
    "ü—✓",
    "x".repeat(4096),
  ];
  const [row] = parseCells(delimitedLine(cells, ","), "test");
  assert.deepEqual(row!.map(({ text }) => text), cells);
});

test("a terminal is shown colours and returns, and is not driven", () => {
  assert.equal(
    shownText("\x1b[1;31mred\x1b[0m\x1b[K\r50%\t✓"),
    "\x1b[1;31mred\x1b[0m\x1b[K\r50%\t✓",
  );
  assert.equal(
    shownText("a\x1b[2Jb\x1b[10;10Hc\x1b[6nd\x1b]0;title\x07e\x1bPq\x1b\\f\x07\x9bg"),
    "abcdefg",
  );
});
