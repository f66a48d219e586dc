import { test } from "node:test";
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../lib/base/errors.ts";
import { readDotenv } from "../../../lib/store/dotenv.ts";
import { inFolder } from "../../support/store-folder.ts";

test("a .env is read without touching this process's environment", () =>
  inFolder((folder) => {
    const path = join(folder, ".env");
    const text = `# a comment\nexport HERD_T1=plain\nHERD_T2='two words'\nHERD_T3="#x"\nHERD_T4=\n`;
    writeFileSync(path, text, { mode: 0o600 });
    const { values, notices } = readDotenv(path);
    assert.deepEqual(values, {
      HERD_T1: "plain",
      HERD_T2: "two words",
      HERD_T3: "#x",
      HERD_T4: "",
    });
    assert.deepEqual(notices, []);
    assert.equal(process.env.HERD_T1, undefined);
  }));

test("no .env is no variables", () =>
  inFolder((folder) => {
    assert.deepEqual(readDotenv(join(folder, ".env")), { values: {}, notices: [] });
  }));

test("G.3.25: a .env that others can read is warned about, without its values", () =>
  inFolder((folder) => {
    const path = join(folder, ".env");
    writeFileSync(path, "TOKEN=s3cret\n");
    for (const [mode, warned] of [[0o600, 0], [0o640, 1], [0o604, 1], [0o400, 0]] as const) {
      chmodSync(path, mode);
      const { notices } = readDotenv(path);
      assert.equal(notices.length, warned, mode.toString(8));
      assert.doesNotMatch(JSON.stringify(notices), /s3cret/);
      if (warned) assert.match(notices[0]!.message, /chmod 600/);
    }
  }));

test("a value that HyperHerd took whole and that ends at # here is named, not shown", () =>
  inFolder((folder) => {
    const path = join(folder, ".env");
    writeFileSync(path, "TOKEN=abc#def\nOTHER=abc # comment\nQUOTED='abc#def'\n", { mode: 0o600 });
    const { values, notices } = readDotenv(path);
    assert.equal(values.QUOTED, "abc#def");
    assert.deepEqual(notices.map(({ line }) => line), [1]);
    assert.match(notices[0]!.message, /TOKEN/);
    assert.doesNotMatch(notices[0]!.message, /abc|def/);
  }));

test("a .env that is no readable file is the user's mistake", () =>
  inFolder((folder) => {
    mkdirSync(join(folder, ".env"));
    assert.throws(() => readDotenv(join(folder, ".env")), UserError);
  }));
