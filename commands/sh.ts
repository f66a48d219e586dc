import { EXIT } from "../lib/base/exit-codes.ts";
import type { Outside } from "../lib/daemon/outside.ts";
import type { HalvingSettings } from "../lib/sweep/config.ts";
import { refuseUnstarted } from "./chosen-trials.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./command.ts";
import { HALVING_OPTIONS, halvingSettings } from "./halving-options.ts";
import { openWorkspace, say } from "./open.ts";
import { refusalOf } from "./refusal.ts";
import { SCHEDULER_OPTIONS, schedulerForAgain } from "./scheduler-option.ts";
import { halvingDocument, printHalving } from "./sh-report.ts";
import type { Pass } from "./sh-report.ts";
import { tellDocument } from "./tell-document.ts";

const OPTIONS = [
  { name: "dry-run", short: "n", description: "Show what would be decided; change nothing" },
  { name: "reason", short: "r", description: "Say of every trial where it stands and why" },
  ...HALVING_OPTIONS,
  {
    name: "max-concurrent",
    short: "j",
    value: "N",
    number: "whole",
    least: 1,
    description: "Resumed trials at once, instead of slurm.max_concurrent",
  },
  ...SCHEDULER_OPTIONS,
] as const;

type HalveContext = Context<typeof OPTIONS>;

export const command = defineCommand({
  name: "sh",
  summary: "Make one pass of successive halving: prune, pause and resume trials",
  details:
    "Compares trials at the steps min_steps, min_steps·eta, … up to the budget, by the metric\n" +
    "that they log. Each trial is decided once per rung and the decision is kept, so another\n" +
    "pass over the same data changes nothing. Settings come from successive_halving in the\n" +
    "YAML; options stand in for them.",
  arguments: [{ name: "WORKSPACE", optional: true, description: "Folder or YAML file; default ." }],
  options: OPTIONS,
  examples: [
    { line: "herd sh -n -r", meaning: "what would happen, and why; nothing is changed" },
    { line: "herd sh", meaning: "one pass" },
    {
      line: "herd sh --metric val_loss --direction min --min-steps 10 --budget 100",
      meaning: "without a block in the YAML",
    },
  ],
  run: halveCommand,
});

async function halveCommand(context: HalveContext): Promise<number> {
  const { values, out, json } = context;
  const outside = await openWorkspace(context, context.positionals[0] ?? ".");
  const settings = halvingSettings(values, outside.sweep().config.halving);
  refuseUnstarted(outside);
  await outside.fetch();
  const { pass, trouble } = values["dry-run"]
    ? { pass: await preview(outside, settings), trouble: undefined }
    : await halve(context, outside, settings);
  for (const warning of pass.warnings) say(out, warning);
  await sayUnlogged(context, outside, settings);
  if (json) return tellDocument(context, halvingDocument(pass), trouble);
  printHalving(out, pass, { explain: values.reason });
  if (trouble !== undefined) throw trouble;
  return EXIT.done;
}

/** A metric that nobody logs is most often a misspelt one, and halving would wait for it for ever. */
async function sayUnlogged(
  { out }: HalveContext,
  outside: Outside,
  { metric }: HalvingSettings,
): Promise<void> {
  const { createResults } = await import("../lib/daemon/results.ts");
  const results = createResults({ dir: outside.paths.results });
  const others = new Set<string>();
  let final = false;
  for (const trial of results.listTrials()) {
    const streams = results.listStreams(trial);
    if (streams.includes(metric)) return;
    for (const name of streams) others.add(name);
    final ||= Object.hasOwn(results.readFinal(trial).values, metric);
  }
  const found = others.size > 0
    ? `logged by step are ${[...others].sort().map((name) => `"${name}"`).join(", ")}`
    : "nothing was logged by step at all";
  const how = final ? "by step, only as a final result" : "by step yet";
  say(out, `No trial has logged "${metric}" ${how}; ${found}`);
}

async function preview(outside: Outside, settings: HalvingSettings): Promise<Pass> {
  const { previewHalving } = await import("../lib/daemon/halving-preview.ts");
  const { plan, state, warnings } = await previewHalving(outside, settings);
  return { dryRun: true, settings, plan, submitted: [], state, warnings };
}

async function halve(
  context: HalveContext,
  outside: Outside,
  settings: HalvingSettings,
): Promise<{ pass: Pass; trouble: Error | undefined }> {
  const { config } = outside.sweep();
  const scheduler = await schedulerForAgain(context, outside, outside.state().trials.keys());
  const outcome = await outside.change("sh", (perform) =>
    perform({
      verb: "halve",
      settings,
      config,
      scheduler,
      maxConcurrent: context.values["max-concurrent"],
    }));
  if (!outcome.done) throw refusalOf(outcome);
  const { plan, submitted, warnings, trouble } = outcome;
  const pass = { dryRun: false, settings, plan, submitted, state: outside.state(), warnings };
  return { pass, trouble: trouble?.error };
}
