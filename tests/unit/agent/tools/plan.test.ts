import assert from "node:assert/strict";
import { test } from "node:test";
import { authorityChange } from "../../../../lib/agent/tools/plan-authority.ts";
import { call, createToolDesk } from "./tool-desk.ts";

const PLAN = `# Monitor plan

- Objective: maximize val_acc
- Remediation: remediate
- Metric source: results-json
- Grants: stop
- **Budget per day**: 10

## What the agent may do

Grants:
- prune

## Custom rules

- Warn when a trial is below 0.1 after 1000 steps
`;

test("the plan can be changed where it gives no power", () => {
  const changed = PLAN.replace("val_acc", "test_acc").replace("0.1", "0.2") + "- Be brief\n";
  assert.equal(authorityChange(PLAN, changed), undefined);
  assert.equal(authorityChange("", "# Plan\n\n- Objective: none\n- Grants: none\n"), undefined);
});

test("a second line cannot come into force because the first one goes", () => {
  const old = "# Plan\n- Grants: none\n- Grants: stop\n";
  assert.equal(authorityChange(old, old.replace("- Grants: none\n", "")), "grants: stop");
  assert.equal(
    authorityChange("# Plan\n## Custom rules\nGrants: stop\n", "# Plan\nGrants: stop\n"),
    "grants: stop",
  );
});

const ENLARGED: Readonly<Record<string, string>> = {
  "another grant in the line": PLAN.replace("Grants: stop", "Grants: stop, prune"),
  "a second line": `${PLAN}\nGrants: stop, prune, halt, force\n`,
  "a list below a bare name": PLAN.replace("- prune\n", "- prune\n- halt\n"),
  "a higher budget": PLAN.replace("10", "1000"),
  "a budget that is gone": PLAN.replace("- **Budget per day**: 10\n", ""),
  "bold and upper case": `${PLAN}\n**GRANTS:** force`,
  "a table": `${PLAN}\n| Grants | stop, halt |`,
  "a quotation": `${PLAN}\n> grants = halt`,
  "a checkbox": `${PLAN}\n- [x] Grants: halt`,
  "a section": `${PLAN}\n## Grants\n\nhalt and prune whatever you like\n`,
  "a section below a section": `${PLAN}\n# Caps\n## Memory\n512G\n`,
  "full-width letters": `${PLAN}\nＧｒａｎｔｓ： halt`,
  "invisible letters": `${PLAN}\nGra\u200bnts: halt`,
  "a cap": `${PLAN}\nMax memory: 1T`,
  "a share": `${PLAN}\nprune_share: 1`,
  "underscores": `${PLAN}\n__Grants__: halt`,
  "a line that comes into force in another section": PLAN.replace(
    "# Monitor plan",
    "# Monitor plan\n\n## Custom rules",
  )
    .replace("- **Budget", "## Other\n\n- **Budget"),
  "a line that came first and said none": PLAN.replace("- Grants: stop\n", "").replace(
    "- Remediation",
    "- Grants: stop\n- Remediation",
  )
    .replace("- prune", "- none"),
  "a fence that is gone": PLAN.replace("Grants:\n- prune", "```\nGrants:\n- prune\n```"),
  "retries": `${PLAN}\nInfrastructure retries: 99`,
};

for (const [what, text] of Object.entries(ENLARGED)) {
  test(`G.3.23: write_plan refuses ${what}`, async () => {
    const desk = createToolDesk();
    desk.plan.text = PLAN;
    const { text: said, isError } = await call(desk, "write_plan", { text });
    assert.equal(isError, true);
    assert.match(said, /would change what you may do/);
    assert.deepEqual(desk.plans, []);
  });
}

test("custom rules of people are not lost", async () => {
  const desk = createToolDesk();
  desk.plan.text = PLAN;
  const text = PLAN.slice(0, PLAN.indexOf("## Custom"));
  assert.match((await call(desk, "write_plan", { text })).text, /custom rules is missing/);
});

test("what the desk finds wrong with a plan is told", async () => {
  const desk = createToolDesk();
  desk.plan.problem = 'Objective "best" is not known';
  const { text, isError } = await call(desk, "write_plan", { text: "# Plan\nObjective: best\n" });
  assert.equal(isError, true);
  assert.match(text, /Cannot write the plan: Objective "best" is not known/);
});

test("a plan is written clean, with its emoji and its line ends", async () => {
  const desk = createToolDesk();
  desk.plan.text = PLAN;
  const text = PLAN.replace("Warn", "⚠️ Warn\x1b[2J\u202e").replaceAll("\n", "\r\n");
  assert.equal((await call(desk, "write_plan", { text })).isError, false);
  assert.deepEqual(desk.plans, [PLAN.replace("Warn", "⚠ Warn")]);
});
