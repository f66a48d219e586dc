import assert from "node:assert/strict";
import test from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { BOT_TURN_LIMITS } from "../../../lib/chat/broker-defaults.ts";
import { readHerdConfig } from "../../../lib/daemon/read-herd-config.ts";
import { doc, section, tables } from "../../support/documented-keys.ts";

const PAGE = doc("broker-config.md");
const HEAD = ["Key", "Default", "Meaning"];
const AGENT = "agent: {kind: acp, preset: kiro}";
const JOB = '{schedule: "@daily", channel: "1", message: x, ';
const PROJECT = '{"1": {folder: /x, ';
const ENV = { KIRO_TOKEN: "k".repeat(30), DEALER_TOKEN: "d".repeat(30) };

/** Each table of keys: its heading, which one below it, and where a key of it stands in a file. */
const TABLES: readonly (readonly [heading: string, nth: number, at: (entry: string) => string])[] =
  [
    [
      "The section `broker`",
      0,
      (entry) => `broker: {agents: {a: {kind: acp, preset: kiro}}, ${entry}}`,
    ],
    ["`discord`", 0, (entry) => `broker: {${AGENT}, discord: {${entry}}}`],
    ["`workspace`", 0, (entry) => `broker: {${AGENT}, workspace: {${entry}}}`],
    ["`projects`", 0, (entry) => `broker: {${AGENT}, projects: ${PROJECT}${entry}}}}`],
    ["`permissions`", 0, (entry) => `broker: {${AGENT}, permissions: {${entry}}}`],
    ["`limits`", 0, (entry) => `broker: {${AGENT}, limits: {${entry}}}`],
    ["`pool`", 0, (entry) => `broker: {${AGENT}, pool: {${entry}}}`],
    ["`budget`", 0, (entry) => `broker: {${AGENT}, budget: {${entry}}}`],
    ["`attachments`", 0, (entry) => `broker: {${AGENT}, attachments: {${entry}}}`],
    ["`reactions`", 0, (entry) => `broker: {${AGENT}, reactions: {${entry}}}`],
    ["`reactions`", 1, (entry) => `broker: {${AGENT}, reactions: {emojis: {${entry}}}}`],
    ["`reactions`", 2, (entry) => `broker: {${AGENT}, reactions: {timing: {${entry}}}}`],
    ["`answers`", 0, (entry) => `broker: {${AGENT}, answers: {${entry}}}`],
    ["`markdown`", 0, (entry) => `broker: {${AGENT}, markdown: {${entry}}}`],
    ["`stt`", 0, (entry) => `broker: {${AGENT}, stt: {${entry}}}`],
    ["`cron`", 0, (entry) => `broker: {${AGENT}, cron: {${entry}}}`],
    ["`cron`", 1, (entry) => `broker: {${AGENT}, cron: {jobs: [${JOB}${entry}}]}}`],
  ];

/** What the reader itself lists when it meets a key that it does not know. */
function allowedIn(yaml: string): string[] {
  try {
    readHerdConfig(yaml, "x");
  } catch (error) {
    assert.ok(error instanceof UserError);
    const messages = error.mistakes.map(({ message }) => message).join("\n");
    return /Unknown key "zzz" .*allowed are (.*)$/m.exec(messages)![1]!.split(", ").sort();
  }
  throw new Error("The key zzz was read without a word");
}

function rowsOf(heading: string, nth: number): string[][] {
  return tables(section(PAGE, `## ${heading}`), HEAD)[nth] ?? assert.fail(`no table ${nth}`);
}

for (const [heading, nth, at] of TABLES) {
  test(`B.14: docs/broker-config.md names every key of ${heading}, table ${nth + 1}, and no other`, () => {
    const keys = rowsOf(heading, nth).map(([key]) => key!.replaceAll("`", ""));
    assert.deepEqual(keys.sort(), allowedIn(at("zzz: 1")));
  });
  test(`B.14: each default of ${heading}, table ${nth + 1}, is what counts without it`, () => {
    const without = readHerdConfig(at(""), "x").broker;
    for (const [key, value] of rowsOf(heading, nth)) {
      const [, told] = /^`([^`]+)`$/.exec(value!) ?? [];
      if (told === undefined) continue;
      const yaml = at(`${key!.replaceAll("`", "")}: ${told}`);
      assert.deepEqual(readHerdConfig(yaml, "x").broker, without, yaml);
    }
  });
}

test("every example of docs/broker-config.md is taken without a word", () => {
  const examples = [...PAGE.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, yaml]) => yaml!);
  assert.ok(examples.length >= 5);
  for (const yaml of examples) {
    const { broker, notices } = readHerdConfig(yaml, "docs", ENV);
    assert.ok(broker !== undefined && broker.bots.length > 0, yaml);
    const others = notices.filter(({ message }) => !/have no connections/.test(message));
    assert.deepEqual(others, [], yaml);
  }
});

test("the numbers that docs/broker-config.md has in its sentences are the program's", () => {
  const text = section(PAGE, "## `discord`");
  assert.ok(text.includes(`at ${BOT_TURN_LIMITS.hard} messages of bots`));
  assert.ok(text.includes(`1 to ${BOT_TURN_LIMITS.hard - 1}`));
});
