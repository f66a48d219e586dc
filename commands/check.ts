import { EXIT } from "../lib/base/exit-codes.ts";
import { compactRanges, count } from "../lib/base/text.ts";
import type { Check } from "../lib/daemon/check.ts";
import type { Outside } from "../lib/daemon/outside.ts";
import type { SweepFile } from "../lib/daemon/sweep-file.ts";
import type { RunPlan } from "../lib/sweep/run-plan.ts";
import { resourceFields } from "../lib/sweep/resource-text.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./command.ts";
import { openWorkspace, say, sayNotice } from "./open.ts";
import { schedulerFlag } from "./scheduler-option.ts";

const OPTIONS = [
  { name: "no-cluster", description: "Ask no scheduler: only the YAML and the files" },
  { name: "local", description: "As for `herd run --local`" },
  { name: "slurm", description: "As for `herd run --slurm`" },
  { name: "host", value: "NAME", description: "As for `herd run --host`; not remembered" },
] as const;

type CheckContext = Context<typeof OPTIONS>;

export const command = defineCommand({
  name: "check",
  summary: "Find every mistake in the YAML and what would keep a run from working",
  details:
    "Reads the YAML, expands the sweep, looks at the launcher, asks the cluster whether the\n" +
    "partition is there and the trials fit, and says what a run would submit. Where jobs run on\n" +
    "another host that one is asked, and what would be sent there is looked at. Changes nothing.\n" +
    "Exit code 0 when a run would work, 2 when something must be mended, 3 when a run would be\n" +
    "refused, 4 when only the cluster did not answer.",
  arguments: [{ name: "WORKSPACE", optional: true, description: "Folder or YAML file; default ." }],
  options: OPTIONS,
  examples: [
    { line: "herd check", meaning: "before the first run, and after each edit" },
    { line: "herd check --no-cluster", meaning: "away from the cluster" },
  ],
  async run(context) {
    const { positionals, values, env, out, json } = context;
    const flag = schedulerFlag(values);
    const outside = await openWorkspace(context, positionals[0] ?? ".", {
      host: values.host,
      keep: "never",
    });
    const sweep = outside.sweep();
    const { checkSweep } = await import("../lib/daemon/check.ts");
    const { chooseScheduler } = await import("../lib/daemon/choose.ts");
    const scheduler = chooseScheduler({ flag, config: sweep.config.scheduler }, env);
    const check = await checkSweep(outside, { scheduler, cluster: !values["no-cluster"] });
    if (json) out.json(documentOf(outside, { sweep, scheduler, check }));
    else print(context, outside, { sweep, scheduler, check });
    if (check.problems.length > 0) return EXIT.mistake;
    if ("refused" in check.plan) return EXIT.refused;
    return check.silence === undefined ? EXIT.done : EXIT.unreachable;
  },
});

interface Checked {
  sweep: SweepFile;
  scheduler: "slurm" | "local";
  check: Check;
}

function print(
  { out, values }: CheckContext,
  outside: Outside,
  { sweep, scheduler, check }: Checked,
): void {
  const { green, red, yellow, bold, dim } = out.paint;
  const { config, expansion, notices } = sweep;
  for (const notice of notices) sayNotice(out, notice);
  for (const warning of check.warnings) say(out, warning);
  out.print(`${bold(config.name)}: ${count(expansion.trials.length, "trial")}`);
  const { plan } = check;
  const place = check.elsewhere && outside.host();
  if (!("refused" in plan)) {
    const where = scheduler === "local" ? "this machine" : "SLURM";
    printPlan({ out }, { ...check, plan }, place === undefined ? where : `${where} on ${place}`);
  }
  const { sends, path } = check.elsewhere ?? {};
  if (sends !== undefined) {
    const to = path === undefined ? place : `${place}:${path}`;
    out.print(`Before that it sends ${count(sends.files, "file")} to ${to}`);
  }
  if (values["no-cluster"]) out.print(dim("The cluster was not asked"));
  for (const { message, hint } of check.problems) {
    out.print(`${red("✗")} ${message}${hint === undefined ? "" : `\n  ${hint}`}`);
  }
  if ("refused" in plan) {
    out.print(`${yellow("!")} A run would be refused: ${plan.reason}\n  ${plan.hint}`);
  }
  if (check.silence !== undefined) out.print(`${red("?")} ${check.silence.message}`);
  if (check.problems.length === 0 && check.silence === undefined && !("refused" in plan)) {
    out.print(`${green("✓")} Nothing stands in the way of a run`);
  }
}

function printPlan(
  { out }: Pick<CheckContext, "out">,
  { plan, jobs, left }: Check & { plan: RunPlan },
  where: string,
): void {
  for (const change of plan.changes) say(out, change);
  out.print(
    `A run would submit ${count(plan.submit.length, "trial")} to ${where} in ${
      count(jobs.length, "array")
    }`,
  );
  for (const { batch } of jobs) {
    const limit = batch.throttle === undefined ? "" : `, at most ${batch.throttle} at once`;
    const asks = Object.entries(resourceFields(batch.resources))
      .map(([name, value]) =>
        `${name}=${typeof value === "object" ? JSON.stringify(value) : value}`
      )
      .join(" ");
    out.print(
      `  ${count(batch.indices.length, "trial")} (${compactRanges(batch.indices)})${limit}`,
    );
    out.print(out.paint.dim(`    ${asks}`));
  }
  if (left.length > 0) {
    out.print(`  ${count(left.length, "trial")} have no room under the site's submit limit now`);
  }
}

function documentOf(outside: Outside, { sweep, scheduler, check }: Checked): unknown {
  const { plan, jobs, left, problems, warnings, silence, limits } = check;
  const refused = "refused" in plan;
  const { refused: kind, reason, hint } = refused ? plan : {};
  return {
    ok: problems.length === 0 && silence === undefined && !refused,
    sweep: sweep.config.name,
    workspace: outside.paths.root,
    config: outside.paths.config,
    scheduler,
    host: check.elsewhere === undefined ? null : {
      name: outside.host(),
      path: check.elsewhere.path ?? null,
      files: check.elsewhere.sends?.files ?? null,
      bytes: check.elsewhere.sends?.bytes ?? null,
    },
    trials: sweep.expansion.trials.length,
    ...sweep.expansion.counts,
    submit_indices: refused ? [] : plan.submit,
    jobs: jobs.map(({ batch }) => ({
      indices: batch.indices,
      max_concurrent: batch.throttle ?? null,
      resources: resourceFields(batch.resources),
    })),
    left_indices: left,
    changes: refused ? [] : plan.changes,
    refusal: refused ? { refused: kind, reason, hint } : null,
    problems: problems.map(({ message, hint: how }) => ({ message, hint: how ?? null })),
    warnings,
    notices: sweep.notices,
    cluster: silence === undefined ? null : { kind: silence.kind, message: silence.message },
    limits: limits === undefined ? null : {
      max_array_size: limits.maxArraySize,
      max_submit: limits.maxSubmit ?? null,
      submitted_now: limits.submittedNow ?? null,
      max_time_seconds: limits.maxTimeSeconds ?? null,
      max_memory_mib: limits.maxMemoryMiB ?? null,
      max_cpus_per_node: limits.maxCpusPerNode ?? null,
      accounting: limits.accounting,
    },
  };
}
