import assert from "node:assert/strict";
import test from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { hasSection, putSection } from "../../../lib/sweep/put-section.ts";

const NEW = { name: "pool", text: "pool:\n  a: 1\n  b: [x, y]\n" };
const put = (text: string) => putSection(text, "config.yaml", NEW);

test("a section comes below everything, and every byte above it stays", () => {
  const before = "# mine\nbroker:   {a: 'b'}  # why\n\n\nx-old: &a [1,  2]\nx-new: *a\n# the end";
  assert.equal(put(before), `${before}\n\n${NEW.text}`);
});

test("an empty file, one of comments and one with a mark at its beginning take a section", () => {
  assert.equal(put(""), NEW.text);
  assert.equal(put("# nothing yet\n"), `# nothing yet\n\n${NEW.text}`);
  assert.equal(put("---\n"), `---\n\n${NEW.text}`);
  assert.equal(put("\uFEFFbroker: 1\n"), `\uFEFFbroker: 1\n\n${NEW.text}`);
});

test("a section takes the place of the one that is there, comments around it stay", () => {
  const before = "a: 1\n# of the pool\npool:\n  old: |+\n    text\n\n  # inside\n\n# of b\nb: 2\n";
  assert.equal(put(before), `a: 1\n# of the pool\n${NEW.text}\n# of b\nb: 2\n`);
  assert.equal(put("pool: {a: {b: c}}\nz: 1\n"), `${NEW.text}z: 1\n`);
  assert.equal(put("z: 1\npool:"), `z: 1\n${NEW.text}`);
});

test("lines end as they did, and a document's end stays the end", () => {
  assert.equal(put("a: 1\r\n"), "a: 1\r\n\r\npool:\r\n  a: 1\r\n  b: [x, y]\r\n");
  assert.equal(put("a: 1\n...\n"), `a: 1\n\n${NEW.text}...\n`);
});

test("what cannot be edited without a change elsewhere is refused, and nothing of it is lost", () => {
  for (
    const text of [
      "{broker: 1}\n",
      "  broker: 1\n  pool: 2\n",
      "pool: &p {a: 1}\nother: *p\n",
      'pool: "a\nb"\nc: 1\n',
    ]
  ) {
    assert.throws(() => put(text), UserError, text);
  }
  assert.throws(() => put("a: [1\n"), /YAML/);
  assert.throws(() => put("- a\n"), UserError);
});

test("a section without anything in it is none", () => {
  const has = (text: string) => hasSection(text, "config.yaml", "pool");
  assert.equal(has("pool:\n"), false);
  assert.equal(has("pool: ~\nb: 1\n"), false);
  assert.equal(has("pool: {}\n"), true);
  assert.equal(has("pool:\n  a: 1\n"), true);
  assert.equal(has("# pool: 1\n"), false);
});
