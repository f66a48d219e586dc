import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { expand } from "../../../lib/sweep/expand.ts";
import { overrideTokens } from "../../../lib/sweep/overrides.ts";
import { readConfig } from "../../../lib/sweep/read-config.ts";
import { EXAMPLE, makeTrial, pythonOptions } from "./trial.ts";

const python = await pythonOptions();
const { config, notices } = readConfig(readFileSync(join(EXAMPLE, "hyperherd.yaml"), "utf8"), {
  file: "hyperherd.yaml",
});

test("the example's sweep is read without a word and runs locally by default", () => {
  assert.deepEqual(notices, []);
  assert.equal(config.scheduler, "local");
  assert.ok(statSync(join(EXAMPLE, config.launcher)).mode & 0o100, "the launcher is executable");
});

test("the example's sweep has the 14 trials that its comments promise", () => {
  const { trials, counts } = expand(config);
  assert.deepEqual(counts, { combinations: 16, excluded: 2, duplicates: 0 });
  assert.equal(trials.length, 14);
  const rates = new Set(trials.map(({ params }) => params["learning_rate"]));
  assert.deepEqual([...rates], [0.0001, 0.001, 0.01, 0.1]);
  const warm = trials.filter(({ extras }) => extras["warmup"] !== undefined);
  assert.deepEqual(
    new Set(warm.map(({ params, extras }) => `${params["learning_rate"]} ${extras["warmup"]}`)),
    new Set(["0.01 2", "0.1 4"]),
  );
  const text = readFileSync(join(EXAMPLE, "hyperherd.yaml"), "utf8");
  const name = /such as (\S+)/.exec(text)![1]!;
  assert.ok(trials.some((trial) => trial.name === name), `${name} in ${trials.map((t) => t.name)}`);
});

test("every trial of the example is understood by its trainer", python, async () => {
  for (const planned of expand(config).trials) {
    using trial = makeTrial();
    const ended = await trial.train(...overrideTokens(planned, config.staticOverrides), "epochs=0");
    assert.equal(ended.exitCode, 0, `${planned.name}: ${ended.stderr}`);
  }
});

test("the example's metric for halving is one that its trainer logs", python, async () => {
  using trial = makeTrial();
  await trial.train("hidden=0", "epochs=1");
  assert.equal(trial.stream(config.halving!.metric).length, 1);
  assert.ok(config.staticOverrides.includes(`epochs=${config.halving!.budget}`));
});
