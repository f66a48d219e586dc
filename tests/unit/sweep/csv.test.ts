import { strict as assert } from "node:assert";
import { test } from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { parseCsv } from "../../../lib/sweep/csv.ts";
import type { Value } from "../../../lib/sweep/value.ts";

function rows(text: string): Record<string, Value>[] {
  return parseCsv(text, "trials.csv").map(({ cells }) => Object.fromEntries(cells));
}

test("cells are typed like unquoted YAML scalars, quoted ones are text", () => {
  assert.deepEqual(rows('a,b,c,d,e,f\n1,1e-3,true,null,,"1"\n-2.5,x y,False,~," ",""\n'), [
    { a: 1, b: 0.001, c: true, d: null, e: null, f: "1" },
    { a: -2.5, b: "x y", c: false, d: null, e: " ", f: "" },
  ]);
});

test("quotes keep commas, line ends and quotes; the line number counts all lines", () => {
  const text = 'a,b\r\n"x, ""y""","1\r\n2"\r\nlast,3\r\n';
  assert.deepEqual(rows(text), [{ a: 'x, "y"', b: "1\r\n2" }, { a: "last", b: 3 }]);
  assert.deepEqual(parseCsv(text, "t").map(({ line }) => line), [2, 4]);
});

test("a byte order mark, blank lines, lone CRs and a missing last line end make no difference", () => {
  const wanted = [{ a: 1, b: 2 }, { a: 3, b: 4 }];
  for (const text of ["\uFEFFa,b\n1,2\n3,4", "a,b\r1,2\r3,4\r", "\n\na, b\n1 ,2\n\n3,4\n\n\n"]) {
    assert.deepEqual(rows(text), wanted, JSON.stringify(text));
  }
});

test("a trailing comma is a last cell that is null", () => {
  assert.deepEqual(rows("a,b\n1,\n"), [{ a: 1, b: null }]);
  assert.deepEqual(rows("a,b\n1,"), [{ a: 1, b: null }]);
});

test("a whole number that a double cannot hold stays as it was written", () => {
  assert.deepEqual(rows("id\n12345678901234567890\n"), [{ id: "12345678901234567890" }]);
});

test("mistakes are all listed with file, line and column", () => {
  const mistakes = mistakesOf("a,b\n1\n1,2\n1,2,3\n");
  assert.deepEqual(mistakes.map(({ file, line }) => [file, line]), [
    ["trials.csv", 2],
    ["trials.csv", 4],
  ]);
  assert.equal(mistakes[0]!.message, "Line 2: found 1 cell, the header has 2");
});

test("headers that cannot name parameters are refused", () => {
  const cases: [string, RegExp][] = [
    ["", /it is empty/],
    ["a,,b\n", /a column has no name/],
    ["a,b,a\n", /columns "a" and "a" are one parameter/],
    ["lr,+lr\n", /columns "lr" and "\+lr" are one parameter/],
    ["a=b\n", /cannot name a parameter/],
    ["a;b\n1;2\n", /cannot name a parameter/],
    ['"a\nb"\n', /cannot name a parameter/],
    ["++\n", /cannot name a parameter/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => parseCsv(text, "t.csv"), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, message);
      return true;
    });
  }
});

test("broken quotes are refused with the line where they stand", () => {
  const cases: [string, RegExp, number][] = [
    ['a\n"x\ny\n', /a quote is not closed in line 2/, 2],
    ['a,b\n1,2\n3,x"y\n', /a quote stands inside an unquoted cell in line 3/, 3],
    ['a\n"x"y\n', /more text after a closing quote in line 2/, 2],
  ];
  for (const [text, message, line] of cases) {
    const [mistake] = mistakesOf(text);
    assert.match(mistake!.message, message);
    assert.equal(mistake!.line, line);
  }
});

test("a word that PyYAML reads otherwise is said with its place", () => {
  const [row] = parseCsv("a,b\nx,yes\n", "t.csv");
  assert.equal(row!.cells.get("b"), true);
  assert.deepEqual(row!.notices.map(({ line, column }) => [line, column]), [[2, 3]]);
});

test("text that is cut anywhere is read or refused, never hangs or crashes", () => {
  const text = '\uFEFFa,"b ""c"""\r\n"1,\n2",3\r\n,\n"x" ,y\n';
  for (let end = 0; end <= text.length; end++) {
    try {
      for (const row of parseCsv(text.slice(0, end), "t")) assert.equal(row.cells.size, 2);
    } catch (error) {
      assert.ok(error instanceof UserError, String(error));
    }
  }
});

function mistakesOf(text: string): UserError["mistakes"] {
  try {
    parseCsv(text, "trials.csv");
  } catch (error) {
    if (error instanceof UserError) return error.mistakes;
    throw error;
  }
  throw new Error("It was not refused");
}
