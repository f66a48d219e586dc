import assert from "node:assert/strict";
import test from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { readHerdConfig } from "../../../lib/daemon/read-herd-config.ts";
import { PRIORITIES, WISH_WORDS } from "../../../lib/tasks/wish-words.ts";
import { doc, section } from "../../support/documented-keys.ts";

const PAGE = doc("pool-config.md");

/** What the reader itself lists when it meets a key that it does not know. */
function allowedIn(yaml: string): string[] {
  try {
    readHerdConfig(yaml, "x");
  } catch (error) {
    assert.ok(error instanceof UserError);
    const messages = error.mistakes.map(({ message }) => message);
    return /Unknown key "zzz" .*allowed are (.*)$/m.exec(messages.join("\n"))![1]!.split(", ")
      .sort();
  }
  throw new Error("The key zzz was read without a word");
}

/** The first column of a section's tables, one key each. */
function keysOf(text: string): string[] {
  const rows = text.split("\n").filter((line) => line.startsWith("| `"));
  return rows.flatMap((line) => [...line.split(" | ")[0]!.matchAll(/`([a-z_]+)`/g)])
    .map(([, key]) => key!).sort();
}

const SECTIONS: readonly (readonly [string, string])[] = [
  ["The section `pool`", "pool: {zzz: 1}"],
  ["`models`", "pool: {backends: {b: {kind: openai}}, models: {m: {backend: b, zzz: 1}}}"],
  ["`defaults`", "pool: {defaults: {zzz: 1}}"],
  ["`budget`", "pool: {budget: {zzz: 1}}"],
  ["`limits`", "pool: {limits: {zzz: 1}}"],
  ["`retention`", "pool: {retention: {zzz: 1}}"],
  ["`schedules`", 'pool: {schedules: {s: {cron: "@daily", task: x, zzz: 1}}}'],
  ["`slurm`", "pool: {slurm: {zzz: 1}}"],
  ["`discord`", 'pool: {discord: {guild_id: "1", zzz: 1}}'],
];

for (const [title, yaml] of SECTIONS) {
  test(`docs/pool-config.md names every key of ${title}, and no other`, () => {
    assert.deepEqual(keysOf(section(PAGE, `## ${title}`)), allowedIn(yaml));
  });
}

test("every example of docs/pool-config.md is taken without a word", () => {
  const examples = [...PAGE.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, yaml]) => yaml!);
  assert.ok(examples.length >= 4);
  for (const yaml of examples) {
    const { pool, notices } = readHerdConfig(yaml, "docs");
    assert.ok(pool !== undefined, yaml);
    // The example of programs leaves the network to its default, which is pointed out.
    const others = notices.filter(({ message }) => !/have no connections/.test(message));
    assert.deepEqual(others, [], yaml);
  }
});

test("the aliases that docs/pool-config.md shows commented out are taken when they are not", () => {
  const text = section(PAGE, "## `models`");
  const yaml = /^```yaml\n([^]*?)^```$/m.exec(text)![1]!.replace(/^( *)# /gm, "$1");
  const { pool, notices } = readHerdConfig(yaml, "docs");
  assert.deepEqual(notices, []);
  assert.deepEqual(Object.keys(pool!.models), ["cheap", "primary", "coder", "research"]);
  assert.ok(Object.values(pool!.models).every(({ price }) => price !== undefined));
});

test("docs/pool-config.md lists every tag and every word for a priority", () => {
  const text = section(PAGE, "## What a task may say");
  const tags = [...text.matchAll(/^\| `\[([a-z]+):…\]`/gm)].map(([, kind]) => kind!);
  assert.deepEqual(tags.sort(), Object.keys(WISH_WORDS).sort());
  for (const [word, n] of Object.entries(PRIORITIES)) {
    assert.ok(text.includes(`\`${word}\` (${n})`));
  }
});
