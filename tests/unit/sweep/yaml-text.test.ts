import assert from "node:assert/strict";
import test from "node:test";
import { createReport } from "../../../lib/sweep/report.ts";
import { readYaml } from "../../../lib/sweep/yaml-document.ts";
import { yamlText } from "../../../lib/sweep/yaml-text.ts";

test("a mapping becomes lines that a person would have written", () => {
  const text = yamlText({
    pool: {
      defaults: { model: "primary", none: undefined },
      command: ["python3", "a b.py", "--x={1}"],
      price: { input: 0.45, output: 2.25 },
      id: "1234567890123456789",
      yes: "yes",
      network: true,
      empty: {},
    },
  }, { "pool.id": 'the server\n  "lab"' });
  assert.equal(
    text,
    `pool:
  defaults:
    model: primary
  command: [python3, "a b.py", "--x={1}"]
  price: {input: 0.45, output: 2.25}
  id: "1234567890123456789" # the server "lab"
  "yes": "yes"
  network: true
  empty: {}
`,
  );
});

test("whatever text is put in comes out again", () => {
  const words = [
    "a: b",
    "# c",
    "'",
    '"',
    "\\",
    "[",
    "{x}",
    "- a",
    " lead",
    "",
    "~",
    "0x1",
    "\u2028",
    "a\nb",
    "1e3",
    "*a",
    "&b",
    "!c",
    "%d",
    "@e",
    "`f`",
    "a, b",
    "é 世界",
    "\u0007",
  ];
  const tree = Object.fromEntries(words.map((word, i) => [`k${i}`, { [word]: [word, word] }]));
  const report = createReport("x");
  const root = readYaml(yamlText(tree), report)!;
  report.settle();
  root.entries.forEach(({ value }, i) => {
    assert.ok(value.kind === "mapping");
    const [entry] = value.entries;
    assert.equal(entry!.key, words[i]);
    assert.ok(entry!.value.kind === "list");
    assert.deepEqual(entry!.value.items.map((one) => one.kind === "scalar" && one.text), [
      words[i],
      words[i],
    ]);
  });
});
