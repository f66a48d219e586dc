import assert from "node:assert/strict";
import test from "node:test";
import { createPaint } from "../../../lib/base/colors.ts";
import { type Column, renderTable } from "../../../lib/base/table.ts";
import { displayWidth, fit, visible } from "../../../lib/base/width.ts";

const COLUMNS: Column[] = [
  { title: "Trial", align: "right" },
  { title: "Name", shrinkTo: 6 },
  { title: "Status" },
];

test("columns are as wide as their widest cell, numbers to the right, no blanks at line ends", () => {
  const rows = [["0", "lr-0.1", "running"], ["10", "lr-0.001", "ok"]];
  assert.deepEqual(renderTable(COLUMNS, rows, { width: Infinity }), [
    "Trial  Name      Status",
    "    0  lr-0.1    running",
    "   10  lr-0.001  ok",
  ]);
});

test("too wide a table cuts only what may be cut, with an ellipsis", () => {
  const rows = [["0", "a-very-long-experiment-name", "running"]];
  const lines = renderTable(COLUMNS, rows, { width: 30 });
  assert.deepEqual(
    lines,
    ["Trial  Name            Status", "    0  a-very-long-e…  running"],
  );
  for (const line of lines) assert.ok(displayWidth(line) <= 30, line);
});

test("a column is never cut below its least width", () => {
  const lines = renderTable(COLUMNS, [["0", "abcdefghij", "running"]], { width: 5 });
  assert.equal(lines[1], "    0  abcde…  running");
});

test("wide characters take two cells and stay whole when cut", () => {
  const lines = renderTable([{ title: "N", shrinkTo: 1 }, { title: "S" }], [["日本語学習", "x"], [
    "e\u0301a",
    "y",
  ]], {
    width: 9,
  });
  assert.deepEqual(lines, ["N       S", "日本…   x", "e\u0301a      y"]);
});

test("colours cost no width and are not cut apart", () => {
  const { red, bold } = createPaint(true);
  const lines = renderTable(
    [{ title: "Status", atMost: 6 }, { title: "X" }],
    [[{ text: "failed-badly", paint: red }, "1"]],
    { width: 80, paintTitle: bold },
  );
  assert.deepEqual(lines, ["\x1b[1mStatus\x1b[22m  \x1b[1mX\x1b[22m", "\x1b[31mfaile…\x1b[39m  1"]);
});

test("a hostile name breaks no line and drives no terminal", () => {
  const [, line] = renderTable([{ title: "N" }], [["a\nb\x1b[2Jc\t\u202ed\x9b31m"]], { width: 80 });
  assert.equal(line, "a\\nb\\x1b[2Jc\\t\\u202ed\\x9b31m");
});

test("missing cells are blank", () => {
  assert.deepEqual(renderTable(COLUMNS, [["1"]], { width: 80 })[1], "    1");
});

test("widths of emoji, combined and invisible characters", () => {
  assert.equal(displayWidth("abc"), 3);
  assert.equal(displayWidth("é"), 1);
  assert.equal(displayWidth("👩‍🔬"), 2);
  assert.equal(displayWidth("✔"), 1);
  assert.equal(displayWidth("한국"), 4);
  assert.equal(displayWidth("\u200b"), 0);
  assert.equal(displayWidth("\x1b[31mred\x1b[39m"), 3);
});

test("fit keeps what fits and marks what it cut", () => {
  assert.equal(fit("abcdef", 6), "abcdef");
  assert.equal(fit("abcdef", 5), "abcd…");
  assert.equal(fit("日本語", 4), "日…");
  assert.equal(fit("abc", 1), "…");
  assert.equal(fit("abc", 0), "");
});

test("visible leaves printable text as it is", () => {
  assert.equal(visible("ünïcødé 日本 👩‍🔬"), "ünïcødé 日本 👩‍🔬");
  assert.equal(visible("a\r\0"), "a\\r\\x00");
});

test("10,000 rows are laid out while one waits", () => {
  const rows = Array.from({ length: 10_000 }, (_, i) => [`${i}`, `lr-${i}-é`, "running"]);
  const started = performance.now();
  assert.equal(renderTable(COLUMNS, rows, { width: 100 }).length, 10_001);
  assert.ok(performance.now() - started < 2000);
});
