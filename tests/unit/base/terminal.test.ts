import assert from "node:assert/strict";
import test from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { createCapturedTerminal } from "../../support/captured-terminal.ts";

const SIZE = { columns: 20, rows: 5 };

test("lines go to standard output, notices to standard error", () => {
  const { out, stdout, stderr } = createCapturedTerminal();
  out.print("a");
  out.print();
  out.printError("b");
  assert.equal(stdout(), "a\n\n");
  assert.equal(stderr(), "b\n");
});

test("colours only for a terminal, unless the environment says otherwise", () => {
  const red = (env: Record<string, string>, size?: typeof SIZE) =>
    createCapturedTerminal({ env, ...(size ? { size } : {}) }).out.paint.red("x") !== "x";
  assert.equal(red({}), false);
  assert.equal(red({}, SIZE), true);
  assert.equal(red({ NO_COLOR: "1" }, SIZE), false);
  assert.equal(red({ NO_COLOR: "" }, SIZE), true);
  assert.equal(red({ TERM: "dumb" }, SIZE), false);
  assert.equal(red({ FORCE_COLOR: "1" }), true);
  assert.equal(red({ FORCE_COLOR: "1", NO_COLOR: "1" }), true);
  assert.equal(red({ FORCE_COLOR: "0" }, SIZE), false);
});

test("the width is the terminal's, else COLUMNS, else without bound", () => {
  assert.equal(createCapturedTerminal({ size: SIZE }).out.columns, 20);
  assert.equal(createCapturedTerminal({ env: { COLUMNS: "77" } }).out.columns, 77);
  assert.equal(createCapturedTerminal({ env: { COLUMNS: "x" } }).out.columns, Infinity);
});

test("json prints exactly what JSON.stringify with 2 would, and a newline", () => {
  const values: unknown[] = [
    null,
    1,
    "text\nline",
    [],
    {},
    [1, [2, { a: 3 }], "x\ny"],
    {
      trials: [{ index: 0, params: { lr: 0.1, list: [1] } }, undefined, NaN],
      empty: [],
      o: {},
      u: undefined,
      n: null,
    },
    { when: new Date(0), nested: { deep: [1, 2] } },
    [undefined],
  ];
  for (const value of values) {
    const { out, stdout } = createCapturedTerminal();
    out.json(value);
    assert.equal(stdout(), `${JSON.stringify(value, null, 2)}\n`);
  }
});

test("json takes generators as arrays, and large ones in pieces", () => {
  function* trials() {
    for (let index = 0; index < 50_000; index++) yield { index, name: `trial-${index}` };
  }
  const { out, stdout } = createCapturedTerminal();
  out.json({ trials: trials() });
  assert.equal(stdout(), `${JSON.stringify({ trials: [...trials()] }, null, 2)}\n`);
});

test("a live region is redrawn in place, and printing goes above it", () => {
  const { out, stdout } = createCapturedTerminal({ size: SIZE });
  const live = out.live();
  live.draw(["one", "two"]);
  live.draw(["three"]);
  out.print("above");
  live.end();
  const hide = "\x1b[?25l";
  assert.equal(
    stdout(),
    `${hide}\r\x1b[Jone\ntwo\n` + `${hide}\r\x1b[2A\x1b[Jthree\n` +
      "\r\x1b[1A\x1b[J" + "above\n" + "three\n" + "\x1b[?25h",
  );
});

test("a live region never outgrows the screen", () => {
  const { out, stdout } = createCapturedTerminal({ size: SIZE });
  out.live().draw([...Array(50).keys()].map((i) => `line ${i} ${"x".repeat(50)}`));
  // deno-lint-ignore no-control-regex -- that is what is looked for
  const lines = stdout().replace(/\x1b\[[?0-9;]*[a-zA-Z]|\r/g, "").trimEnd().split("\n");
  assert.equal(lines.length, 4);
  for (const line of lines) assert.ok(line.length < 20, line);
});

test("where nothing can be redrawn a live region prints plain lines, each once", () => {
  for (const env of [{}, { TERM: "dumb" }]) {
    const { out, stdout } = createCapturedTerminal({
      env,
      ...("TERM" in env ? { size: SIZE } : {}),
    });
    const live = out.live();
    live.draw(["bar 1"], "1 of 2 done");
    live.draw(["bar 1 again"], "1 of 2 done");
    live.draw(["no plain line"]);
    live.draw(["bar 2"], "2 of 2 done");
    live.end();
    assert.equal(stdout(), "1 of 2 done\n2 of 2 done\n");
  }
});

test("closing the terminal gives the cursor back, once", () => {
  const { out, stdout } = createCapturedTerminal({ size: SIZE });
  const live = out.live();
  live.draw(["x"]);
  out.close();
  out.close();
  live.draw(["late"]);
  assert.equal(stdout().split("\x1b[?25h").length, 2);
  assert.doesNotMatch(stdout(), /late/);
});

test("only y and yes are yes", async () => {
  const answers = ["y", "Yes", " YES ", "n", "", "yep", "no"];
  const { out, stderr } = createCapturedTerminal({ answers: [...answers] });
  const given = [];
  for (const _ of answers) given.push(await out.confirm("Delete?", { flag: "--yes" }));
  assert.deepEqual(given, [true, true, true, false, false, false, false]);
  assert.match(stderr(), /^Delete\? \[y\/N\] /);
});

test("asking without a terminal names the option that answers", async () => {
  const { out } = createCapturedTerminal();
  await assert.rejects(out.confirm("Delete?", { flag: "--yes" }), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /standard input is no terminal/);
    assert.match(error.hint ?? "", /--yes/);
    return true;
  });
});

test("a passing line is erased by its end, or before anything else is shown; a file never sees it", () => {
  const terminal = createCapturedTerminal({ errorSize: SIZE });
  assert.equal(terminal.out.errorInteractive, true);
  const first = terminal.out.passing("wait");
  assert.equal(terminal.stderr(), "wait");
  first();
  first();
  assert.equal(terminal.stderr(), "wait\r\x1b[K");
  const second = terminal.out.passing("again");
  terminal.out.print("news");
  assert.equal(terminal.stderr(), "wait\r\x1b[Kagain\r\x1b[K");
  second();
  terminal.out.passing("last");
  terminal.out.close();
  assert.equal(terminal.stderr(), "wait\r\x1b[Kagain\r\x1b[Klast\r\x1b[K");
  for (const options of [{}, { errorSize: SIZE, env: { TERM: "dumb" } }]) {
    const { out, stderr } = createCapturedTerminal(options);
    out.passing("wait")();
    assert.equal(stderr(), "");
  }
});
