import assert from "node:assert/strict";
import test from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { jobEnvironment } from "../../../lib/sweep/job-environment.ts";
import { readConfig } from "../../../lib/sweep/read-config.ts";
import { doc, section, tables } from "../../support/documented-keys.ts";

const PAGE = doc("sweep-file.md");
const HEAD = "name: x\nlauncher: l\n";
const PARAMETERS = "parameters: {lr: {type: discrete, values: [1, 2], default: 1}}\n";

/** What the reader itself lists when it meets a key that it does not know. */
function allowedIn(yaml: string): string[] {
  try {
    readConfig(yaml, { file: "x" });
  } catch (error) {
    assert.ok(error instanceof UserError);
    const messages = error.mistakes.map(({ message }) => message);
    const [, list] = /Unknown key "zzz" .*allowed are (.*)$/.exec(messages.join("\n"))!;
    return list!.split(", ").sort();
  }
  throw new Error("The key zzz was read without a word");
}

/** The first column of a section's tables, one key each. */
function keysOf(text: string): string[] {
  const rows = text.split("\n").filter((line) => line.startsWith("| `"));
  return rows.flatMap((line) => [...line.split(" | ")[0]!.matchAll(/`([a-z_]+)`/g)])
    .map(([, key]) => key!).sort();
}

const discrete = section(PAGE, "## Parameters").split("**`type: continuous`**")[0]!;
const continuous = section(PAGE, "## Parameters").split("**`type: continuous`**")[1]!;

const SECTIONS: readonly (readonly [string, string, string, readonly string[]])[] = [
  ["the top level", section(PAGE, "## Top level"), `zzz: 1\n${HEAD}${PARAMETERS}`, []],
  ["slurm", section(PAGE, "## `slurm`"), `${HEAD}${PARAMETERS}slurm: {zzz: 1}`, []],
  ["local", section(PAGE, "## `local`"), `${HEAD}${PARAMETERS}local: {zzz: 1}`, []],
  [
    "successive_halving",
    section(PAGE, "## `successive_halving`"),
    `${HEAD}${PARAMETERS}successive_halving: {zzz: 1}`,
    [],
  ],
  ["monitor", section(PAGE, "## `monitor`"), `${HEAD}${PARAMETERS}monitor: {zzz: 1}`, []],
  [
    "remediation",
    section(PAGE, "## `remediation`"),
    `${HEAD}${PARAMETERS}remediation: {zzz: 1}`,
    [],
  ],
  ["agent", section(PAGE, "## `agent`"), `${HEAD}${PARAMETERS}agent: {zzz: 1}`, []],
  [
    "mcp_servers",
    section(PAGE, "## `mcp_servers`"),
    `${HEAD}${PARAMETERS}mcp_servers: [{name: a, command: b, zzz: 1}]`,
    [],
  ],
  ["discord", section(PAGE, "## `discord`"), `${HEAD}${PARAMETERS}discord: {zzz: 1}`, []],
  [
    "discrete parameters",
    discrete,
    `${HEAD}parameters: {a: {type: discrete, values: [1], zzz: 1}}`,
    ["type"],
  ],
  [
    "continuous parameters",
    continuous,
    `${HEAD}parameters: {a: {type: continuous, low: 1, high: 2, zzz: 1}}`,
    ["type"],
  ],
];

for (const [name, text, yaml, unlisted] of SECTIONS) {
  test(`docs/sweep-file.md lists each key of ${name}, and none that is not read`, () => {
    const allowed = allowedIn(yaml).filter((key) => !unlisted.includes(key));
    assert.deepEqual([...new Set(keysOf(text))], allowed);
  });
}

test("docs/sweep-file.md names each key of mappings within sections", () => {
  const named = (heading: string, keys: readonly string[]) => {
    const text = section(PAGE, heading);
    for (const key of keys) assert.ok(text.includes(key), `${key} in ${heading}`);
  };
  const conditions = `${HEAD}${PARAMETERS}conditions: [{when: {lr: 1}, set: {a: 1}, zzz: 1}]`;
  named("## Conditions", allowedIn(conditions));
  named("## Which combinations", allowedIn(`${HEAD}${PARAMETERS}repeats: {count: 1, zzz: 1}`));
  const monitor = (text: string) => allowedIn(`${HEAD}${PARAMETERS}monitor: {${text}}`);
  named("## `monitor`", monitor("cadence: {zzz: 1}"));
  named("## `monitor`", monitor("objective: {metric: a, direction: min, zzz: 1}"));
  const agent = (text: string) => allowedIn(`${HEAD}${PARAMETERS}agent: {${text}}`);
  named("## `agent`", agent("budget: {zzz: 1}"));
  named("## `agent`", agent("prices: {m: {input: 1, output: 1, zzz: 1}}"));
});

test("the defaults that docs/sweep-file.md gives change nothing when they are written down", () => {
  const bare = readConfig(HEAD + PARAMETERS, { file: "x" }).config;
  const given = ["slurm", "monitor", "remediation", "agent", "discord"].map((name) => {
    const rows = tables(section(PAGE, `## \`${name}\``), ["Key", "Default", "Meaning"]).flat();
    const lines = rows.flatMap(([key = "", value = ""]) =>
      /^(`[^`]+`|\d+|\S+G)$/.test(value) ? [`  ${key}: ${value}\n`.replaceAll("`", "")] : []
    );
    assert.ok(lines.length >= (name === "discord" ? 1 : 4), `${name}: ${lines}`);
    return `${name}:\n${lines.join("")}`;
  });
  const written = `${HEAD}${PARAMETERS}prune_grace_seconds: 600\n${given.join("")}`;
  assert.deepEqual(readConfig(written, { file: "x" }).config, bare);
});

test("the examples of the monitor's sections in docs/sweep-file.md are right, and say something", () => {
  const bare = readConfig(HEAD + PARAMETERS, { file: "x" });
  for (const heading of ["## `monitor`", "## `agent`", "## `mcp_servers`"]) {
    const [, yaml] = /```yaml\n([^]*?)```/.exec(section(PAGE, heading))!;
    const { config, notices } = readConfig(HEAD + PARAMETERS + yaml, { file: "x" });
    assert.notDeepEqual(config, bare.config, heading);
    assert.deepEqual(notices, [], heading);
  }
});

test("what docs/sweep-file.md says that jobs see and do not see is so", () => {
  const names = ["PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "R_LIBS", "JULIA_PROJECT"];
  const more = ["LOADEDMODULES", "CONDA_PREFIX", "CUDA_HOME", "OMPI_MCA_btl", "http_proxy"];
  const secrets = ["MY_TOKEN", "CONDA_TOKEN", "DB_PASSWORD", "OPENAI_API_KEY", "WANDB_MODE"];
  const all = Object.fromEntries([...names, ...more, ...secrets].map((name) => [name, "x"]));
  assert.deepEqual(Object.keys(jobEnvironment(all, [])).sort(), [...names, ...more].sort());
  assert.ok("WANDB_MODE" in jobEnvironment(all, ["WANDB_MODE"]));
});
