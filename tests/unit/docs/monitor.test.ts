import assert from "node:assert/strict";
import test from "node:test";
import { SLASH, usageOf } from "../../../lib/slash/table.ts";
import { readPlan } from "../../../lib/monitor/monitor-plan.ts";
import { plainWords } from "../../../lib/monitor/plain-words.ts";
import { prefixOf } from "../../../lib/words/prefix.ts";
import { doc, section, tables } from "../../support/documented-keys.ts";

const PAGE = doc("monitor.md");

test("docs/monitor.md lists every slash command with its arguments, and no other", () => {
  const rows = tables(section(PAGE, "## Slash commands"), ["Command", "What it does"]).flat();
  const documented = rows.map(([usage = "", says = ""]) => ({
    usage: usage.replaceAll("`", ""),
    says,
  }));
  assert.deepEqual(documented.map(({ usage }) => usage), SLASH.map(usageOf));
  for (const [i, { summary, aliases = [] }] of SLASH.entries()) {
    const { says } = documented[i]!;
    assert.ok(says.startsWith(summary), says);
    for (const alias of aliases) assert.ok(says.includes(`\`/${alias}\``), alias);
  }
});

test("docs/monitor.md explains every prefix", () => {
  const rows = tables(section(PAGE, "## Ticks and posts"), ["Prefix", "Who speaks", "Costs"])
    .flat();
  const shown = rows.map(([prefix]) => prefix).join(" ").split(" ");
  const kinds = [
    "agent",
    "running",
    "completed",
    "warning",
    "halving",
    "heartbeat",
    "stopped",
  ] as const;
  assert.deepEqual(shown, kinds.map(prefixOf));
});

test("the phrases of docs/monitor.md are understood by rules", () => {
  const rows = tables(section(PAGE, "## Talking to it"), ["You say", "It does"]).flat();
  const phrases = rows.flatMap(([said = ""]) =>
    [...said.matchAll(/`([^`]+)`/g)].map(([, one]) => one!)
  );
  assert.ok(phrases.length > 12);
  for (const phrase of phrases) assert.ok(plainWords(phrase) !== undefined, phrase);
});

test("the plan of docs/monitor.md is read without a notice, and says something in each line", () => {
  const [, text = ""] = /```\n(- Success metric[^]*?)```/.exec(PAGE)!;
  const { plan, notices } = readPlan(text);
  assert.deepEqual(notices, []);
  assert.equal(plan.metric, "val_accuracy");
  assert.equal(plan.direction, "max");
  assert.equal(plan.source, "results-json");
  assert.equal(plan.remediation, "remediate");
  assert.deepEqual(plan.cadence, { activeSeconds: 180, steadySeconds: 2700 });
  assert.deepEqual(plan.grants, ["prune"]);
  assert.match(plan.customRules, /not improved for 20 trials/);
  assert.equal(plan.extraLines, "");
});
