import assert from "node:assert/strict";
import test from "node:test";
import { parse } from "yaml";
import { renderSkill } from "../../../../commands/install-skill/skill.ts";
import { TABLE } from "../../../../commands/table.ts";
import { UserError } from "../../../../lib/base/errors.ts";
import { readConfig } from "../../../../lib/sweep/read-config.ts";
import { section } from "../../../support/documented-keys.ts";

const SKILL = renderSkill("a-skill");
const HEAD = "name: x\nlauncher: l\n";
const PARAMETERS = "parameters: {lr: {type: discrete, values: [1, 2], default: 1}}\n";

/** Each mapping of the file with a key that it does not have, and where the skill explains it. */
const MAPPINGS: readonly (readonly [string, string])[] = [
  ["### Top level", `zzz: 1\n${PARAMETERS}`],
  ["### Parameters", "parameters: {a: {type: discrete, values: [1], zzz: 1}}"],
  ["### Parameters", "parameters: {a: {type: continuous, low: 1, high: 2, zzz: 1}}"],
  ["### Which combinations", `repeats: {count: 1, zzz: 1}\n${PARAMETERS}`],
  ["### Which combinations", `grid: {sobol: {samples: 1, zzz: 1}}\n${PARAMETERS}`],
  ["### Conditions", `conditions: [{when: {lr: 1}, set: {a: 1}, zzz: 1}]\n${PARAMETERS}`],
  ["### `slurm`", `slurm: {zzz: 1}\n${PARAMETERS}`],
  ["### `slurm`", `slurm: {mail: {zzz: 1}}\n${PARAMETERS}`],
  ["### `local`", `local: {zzz: 1}\n${PARAMETERS}`],
  ["### `successive_halving`", `successive_halving: {zzz: 1}\n${PARAMETERS}`],
  ["### `monitor`", `monitor: {zzz: 1}\n${PARAMETERS}`],
  ["### `monitor`", `monitor: {cadence: {zzz: 1}}\n${PARAMETERS}`],
  ["### `monitor`", `monitor: {objective: {zzz: 1}}\n${PARAMETERS}`],
  ["### `remediation`", `remediation: {zzz: 1}\n${PARAMETERS}`],
  ["### `agent`", `agent: {zzz: 1}\n${PARAMETERS}`],
  ["### `agent`", `agent: {budget: {zzz: 1}}\n${PARAMETERS}`],
  ["### `agent`", `agent: {prices: {m: {zzz: 1}}}\n${PARAMETERS}`],
  ["### `mcp_servers`", `mcp_servers: [{name: a, command: b, zzz: 1}]\n${PARAMETERS}`],
  ["### `discord`", `discord: {zzz: 1}\n${PARAMETERS}`],
];

/** What the reader itself lists when it meets a key that it does not know. */
function allowedIn(yaml: string): string[] {
  try {
    readConfig(HEAD + yaml, { file: "x" });
  } catch (error) {
    assert.ok(error instanceof UserError);
    const messages = error.mistakes.map(({ message }) => message).join("\n");
    const [, list] = /Unknown key "zzz" .*allowed are (.*)$/m.exec(messages) ?? [];
    assert.ok(list, `${yaml}\n${messages}`);
    return list.split(", ");
  }
  throw new Error(`The key zzz was read without a word: ${yaml}`);
}

for (const [heading, yaml] of MAPPINGS) {
  test(`the skill explains each key that is read where ${yaml.split("\n")[0]} is not`, () => {
    const text = section(SKILL, heading);
    for (const key of allowedIn(yaml)) {
      assert.match(text, new RegExp(`(?<![\\w-])${key}(?![\\w-])`), `${key} in ${heading}`);
    }
  });
}

test("every section that the file may have is among those that are tested", () => {
  const plain = ["name", "grid", "samples", "seed", "zip", "trials", "scheduler", "launcher"];
  const others = [...plain, "static_overrides", "prune_grace_seconds", "sync"];
  const tested = MAPPINGS.map(([, yaml]) => /^(\w+):/.exec(yaml)![1]!);
  for (const key of allowedIn(MAPPINGS[0]![1])) {
    assert.ok(others.includes(key) || tested.includes(key), `${key} has no row above`);
  }
});

test("the skill begins with what Claude Code wants to know, within its limits", () => {
  const [, head] = /^---\n([^]*?)\n---\n/.exec(SKILL)!;
  const { name, description, ...rest } = parse(head!);
  assert.equal(name, "a-skill");
  assert.ok(description.length > 100 && description.length <= 1024, `${description.length}`);
  assert.doesNotMatch(description, /[<>]/);
  assert.deepEqual(rest, {});
  assert.doesNotMatch(SKILL, /\{\{\w+\}\}|\bundefined\b/);
});

test("every command and option that the skill names is there", async () => {
  const guide = SKILL.slice(0, SKILL.indexOf("## Reference"));
  const named = [...guide.matchAll(/`(?:"\$HERD_BIN"|herd) ([a-z][a-z-]*)([^`\n]*)`/g)];
  assert.ok(named.length > 10);
  for (const [line, name = "", rest = ""] of named) {
    // The daemon's own command is another part's.
    if (name === "monitor") continue;
    const entry = TABLE.find((one) => one.name === name);
    assert.ok(entry, line);
    const { options = [] } = (await entry.load()).command;
    for (const [, long, short] of rest.matchAll(/(?<=\s)(?:--([a-z-]+)|-([a-z]))(?=\s|$)/g)) {
      const known = options.some((one) => one.name === long || one.short === short);
      assert.ok(known || long === "json", `${line}: ${long ?? short}`);
    }
  }
});

test("the reference is whole: headings one level down, examples as they are, no dead links", () => {
  const reference = section(SKILL, "## Reference");
  assert.match(reference, /\n### Expressions\n/);
  assert.doesNotMatch(reference, /^# |^## /m);
  assert.doesNotMatch(reference, /\]\([^#)][^)]*\)/);
  const anchors = [...reference.matchAll(/\]\(#([\w-]+)\)/g)].map(([, anchor]) => anchor);
  const headings = [...reference.matchAll(/^### (.*)$/gm)].map(([, text]) => {
    return text!.toLowerCase().replace(/[^\w -]/g, "").replaceAll(" ", "-");
  });
  for (const anchor of anchors) assert.ok(headings.includes(anchor!), anchor);
  const [, smallest] = /```yaml\n([^]*?)```/.exec(section(SKILL, "### The smallest file"))!;
  assert.deepEqual(readConfig(smallest!, { file: "x" }).notices, []);
});
