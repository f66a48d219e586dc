import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { parseCsv } from "../../../lib/sweep/csv.ts";
import { expand } from "../../../lib/sweep/expand.ts";
import { readConfig } from "../../../lib/sweep/read-config.ts";
import { HELPER, makeTrial, pythonOptions } from "./trial.ts";

const python = await pythonOptions();

function doc(name: string): string {
  return readFileSync(new URL(`../../../docs/${name}`, import.meta.url), "utf8");
}

function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm"))].map((m) =>
    m[1]!
  );
}

const BASE: Readonly<Record<string, string>> = {
  name: "name: x\n",
  launcher: "launcher: launch.sh\n",
  parameters: "parameters: {lr: {type: discrete, values: [1, 2], default: 1}}\n",
};

test("every example in docs/sweep-file.md is read without a word and makes trials", () => {
  const examples = blocks(doc("sweep-file.md"), "yaml");
  assert.ok(examples.length >= 9);
  for (const example of examples) {
    const keys = Object.keys(parse(example));
    const rest = Object.keys(BASE).filter((key) => !keys.includes(key)).map((key) => BASE[key]!);
    const { config, notices } = readConfig(rest.join("") + example, { file: "example" });
    assert.deepEqual(notices, [], example);
    const rows = config.trialsFile === undefined
      ? undefined
      : parseCsv("layers,lr\n2,0.1\ndeep,0.2\n", "trials.csv");
    assert.ok(expand(config, rows).trials.length > 0, example);
  }
});

test("the counts that docs/sweep-file.md promises are right", () => {
  const [first = ""] = blocks(doc("sweep-file.md"), "yaml");
  assert.equal(expand(readConfig(first, { file: "x" }).config).trials.length, 8);
  const zip = blocks(doc("sweep-file.md"), "yaml").find((text) => text.includes("zip:"))!;
  const text = `name: x\nlauncher: l\n${zip}`;
  assert.equal(expand(readConfig(text, { file: "x" }).config).trials.length, 6);
});

test("more samples add trials without changing the first ones, as the docs say", () => {
  for (const kind of ["random", "sobol"]) {
    const read = (samples: number) =>
      expand(
        readConfig(
          `name: x\ngrid: ${kind}\nsamples: ${samples}\nseed: 7\n` +
            "parameters: {a: {type: continuous, low: 0, high: 1}, b: {type: discrete, values: [1, 2]}}",
          { file: "x" },
        ).config,
      ).trials.map(({ params }) => params);
    assert.deepEqual(read(20).slice(0, 5), read(5));
  }
});

test("every Python example in docs/trainers.md compiles", python, async () => {
  const examples = blocks(doc("trainers.md"), "python");
  assert.ok(examples.length >= 3);
  using trial = makeTrial();
  for (const example of examples) {
    const ended = await trial.python("import sys; compile(sys.argv[1], 'example', 'exec')", [
      example,
    ]);
    assert.equal(ended.exitCode, 0, `${example}\n${ended.stderr}`);
  }
});

test(
  "the helper's functions that docs/trainers.md lists are those that it exports",
  python,
  async () => {
    using trial = makeTrial();
    const ended = await trial.python("import herd_results; print(' '.join(herd_results.__all__))");
    for (const name of ended.stdout.trim().split(" ")) {
      assert.ok(doc("trainers.md").includes(`\`${name}`), `${name} of ${HELPER}`);
    }
  },
);
