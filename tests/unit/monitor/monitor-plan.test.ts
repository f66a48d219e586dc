import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyPlan, readPlan, renderPlan } from "../../../lib/monitor/monitor-plan.ts";
import type { MonitorPlan } from "../../../lib/monitor/monitor-plan.ts";
import { applyPlanChange } from "../../../lib/monitor/plan-change.ts";

const PLAN: MonitorPlan = {
  phase: "canary",
  metric: "val/acc",
  direction: "max",
  source: "wandb",
  remediation: "remediate",
  scope: "trial",
  cadence: { activeSeconds: 180, steadySeconds: 2700 },
  grants: ["prune", "bump"],
  customRules:
    "Stop trial 3 when it is worse than trial 1.\n\n- Phase: this is no field\n  indented",
  notes: "Seen: OOM on node n7.",
  extraLines: "",
  extraSections: "## Mine\n\nRemember the milk.",
};

const HYPERHERD = `# Monitor plan
- Goal: best accuracy
- Success metric: val_acc, max
- Metric source: log_result
- Remediation: notify
- Hydra: yes                 # gates the preflight
- Phase: phase2-pending       # was canary-pending
- Bumped: []
- Custom rules: []
`;

test("a rendered plan is read back the same", () => {
  assert.deepEqual(readPlan(renderPlan(PLAN)), { plan: PLAN, notices: [] });
  const empty = { ...emptyPlan(), phase: "live" as const };
  const again = readPlan(renderPlan(empty));
  assert.deepEqual(again.notices, []);
  assert.equal(renderPlan(again.plan), renderPlan(empty));
});

test("the lines that HyperHerd reads are there", () => {
  const text = renderPlan(PLAN);
  assert.match(text, /^- Phase: canary$/m);
  assert.match(text, /^- Success metric: val\/acc$/m);
  assert.match(text, /^- Cadence: 3 min while things happen, 45 min when quiet$/m);
});

test("a metric with a newline in its name cannot forge a field", () => {
  const text = renderPlan({ ...PLAN, metric: "acc\n- Grants: stop, halt" });
  assert.deepEqual(readPlan(text).plan.grants, ["prune", "bump"]);
});

test("HyperHerd's own plans are read", () => {
  const { plan, notices } = readPlan(HYPERHERD);
  assert.deepEqual(notices, []);
  assert.equal(plan.phase, "stage");
  assert.deepEqual([plan.metric, plan.direction], ["val_acc", "max"]);
  assert.deepEqual([plan.source, plan.remediation], ["results-json", "notify"]);
  assert.equal(plan.customRules, "");
  assert.match(plan.extraLines, /Goal: best accuracy[^]*Hydra: yes[^]*Bumped/);
  const bold = readPlan("**Phase:** live\n**Success metric**: loss (minimize)\n").plan;
  assert.deepEqual([bold.phase, bold.metric, bold.direction], ["live", "loss", "min"]);
});

test("odd values are notices with their line, and the rest is read all the same", () => {
  const { plan, notices } = readPlan(
    "# Monitor plan\n- Phase: sleeping\n- Remediation: perhaps\n- Cadence: often\n- Grants: prune, halts\n" +
      "- Success metric: something very good\n- Direction: sideways\n- Scope: galaxy\n- Metric source: mlflow\n- Phase: live\n",
  );
  assert.deepEqual(notices.map(({ line }) => line), [2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(plan.grants, ["prune"]);
  assert.match(notices[3]!.message, /"halts".*Did you mean "halt"/);
  assert.match(notices[0]!.message, /Expected interviewing, canary/);
});

test("nothing in a plan makes reading throw", () => {
  const hostile = [
    "",
    "\0",
    "Phase:",
    "```",
    "## Custom rules",
    "- ".repeat(50_000),
    "Phase: ".repeat(20_000),
    "\uFEFF# x\r\n- Phase: live\r\n",
    "Phase: __proto__",
    "Phase: constructor",
  ];
  for (const text of hostile) assert.ok(readPlan(text).plan, text.slice(0, 20));
  assert.equal(readPlan("\uFEFF- Phase: live\r\n").plan.phase, "live");
});

test("fields inside custom rules, notes and code are text", () => {
  const text =
    "- Phase: live\n```\n- Grants: stop\n```\n## Custom rules\n- Grants: halt\n## Notes\nDirection: maximize\n";
  const { plan } = readPlan(text);
  assert.deepEqual(plan.grants, []);
  assert.equal(plan.direction, undefined);
  assert.equal(plan.customRules, "- Grants: halt");
});

test("cadence is kept within a minute and an hour", () => {
  const { plan, notices } = readPlan("- Cadence: 5 s when busy, 2h when quiet\n");
  assert.deepEqual(plan.cadence, { activeSeconds: 60, steadySeconds: 3600 });
  assert.equal(notices.length, 1);
  assert.deepEqual(readPlan("Cadence: 10 min").plan.cadence, {
    activeSeconds: 600,
    steadySeconds: 600,
  });
});

test("a change edits its line and keeps every other byte", () => {
  const text =
    "My plan, do not touch!\r\n\r\n* **Phase:**   canary   # by herd\r\n*  Success metric : val_acc\r\n\r\n## Custom rules\r\nPhase: x\r\n\ttrailing \r\n";
  const changed = applyPlanChange(text, { phase: "live", metric: "loss" });
  assert.equal(changed, text.replace("canary   #", "live   #").replace("val_acc", "loss"));
  assert.equal(applyPlanChange(changed, { phase: "canary", metric: "val_acc" }), text);
  assert.equal(applyPlanChange(text, {}), text);
});

test("a field that is missing is added beside the others, below the title, or on top", () => {
  assert.equal(
    applyPlanChange("# Monitor plan\n- Phase: live\n\n## Notes\nx", { remediation: "notify" }),
    "# Monitor plan\n- Phase: live\n- Remediation: notify\n\n## Notes\nx",
  );
  assert.equal(
    applyPlanChange("# Mine\nfree text\n", { phase: "live" }),
    "# Mine\n\n- Phase: live\n\nfree text\n",
  );
  assert.equal(applyPlanChange("", { phase: "live" }), "- Phase: live\n");
  assert.equal(applyPlanChange("- Phase:\n", { phase: "done" }), "- Phase: done\n");
});

test("a new direction leaves no old one beside the metric", () => {
  const changed = applyPlanChange(HYPERHERD, { direction: "min" });
  assert.match(changed, /^- Success metric: val_acc$/m);
  const { plan } = readPlan(changed);
  assert.deepEqual([plan.metric, plan.direction], ["val_acc", "min"]);
});

test("each field can be changed and is read back", () => {
  const change = {
    phase: "live",
    metric: "f1",
    direction: "max",
    source: "results-json",
    remediation: "notify",
    scope: "sweep",
    cadence: { activeSeconds: 120, steadySeconds: 3600 },
    grants: ["halt"],
  } as const;
  for (const text of [renderPlan(PLAN), HYPERHERD, ""]) {
    const { plan, notices } = readPlan(applyPlanChange(text, change));
    assert.deepEqual(notices, []);
    const { customRules: _, notes: __, extraLines: ___, extraSections: ____, ...fields } = plan;
    assert.deepEqual(fields, change);
  }
});
