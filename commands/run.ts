import { NothingError, UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { compactRanges, count } from "../lib/base/text.ts";
import type { Outside } from "../lib/daemon/outside.ts";
import { parseIndexSpec } from "../lib/sweep/index-spec.ts";
import { parsePins } from "../lib/sweep/pin.ts";
import type { RunRequest } from "../lib/sweep/run-plan.ts";
import { defineCommand } from "./command.ts";
import { openWorkspace, say, sayNotice } from "./open.ts";
import { refusalOf } from "./refusal.ts";
import { RUN_OPTIONS } from "./run-options.ts";
import type { RunContext } from "./run-options.ts";
import { previewRun } from "./run-preview.ts";
import { printRun, runDocument } from "./run-report.ts";
import { waitForTrials } from "./run-wait.ts";
import { schedulerFlag } from "./scheduler-option.ts";
import { tellDocument } from "./tell-document.ts";

export const command = defineCommand({
  name: "run",
  summary: "Submit every trial that is ready, failed or cancelled",
  details:
    "Expands hyperherd.yaml, compares it with the trials that are there, and submits what\n" +
    "should run. Trials that are live, completed, paused or pruned are left alone unless\n" +
    "they are named with --indices. Nothing is ever submitted twice.",
  arguments: [{ name: "WORKSPACE", optional: true, description: "Folder or YAML file; default ." }],
  options: RUN_OPTIONS,
  examples: [
    { line: "herd run", meaning: "submit everything that should run" },
    { line: "herd run -n", meaning: "show the script and the plan, submit nothing" },
    { line: "herd run sweep -i 0 --wait", meaning: "try the first trial and watch it" },
    { line: "herd run --pin lr=0.01 bs=32", meaning: "only trials with these values" },
  ],
  run: runCommand,
});

async function runCommand(context: RunContext): Promise<number> {
  const { values, out, json } = context;
  refuseBoth(values);
  const outside = await openWorkspace(context, context.positionals[0] ?? ".", {
    host: values.host,
    keep: values["dry-run"] ? "never" : "reached",
  });
  const { preflight } = await import("../lib/daemon/preflight.ts");
  const sweep = outside.sweep();
  for (const notice of sweep.notices) sayNotice(out, notice);
  const scheduler = await chosenScheduler(context, outside);
  const preview = values["dry-run"] === true;
  for (const warning of preflight(outside, scheduler, { preview })) say(out, warning);
  const request = requestOf(context, outside);
  if (values["dry-run"]) return await previewRun(context, outside, { request, scheduler });
  sayKeptBack(context, outside);
  const outcome = await outside.change("run", (perform) =>
    perform({
      verb: "run",
      request,
      ...sweep,
      scheduler,
      maxConcurrent: values["max-concurrent"],
    }));
  if (!outcome.done) {
    const choice = await askAboutDrift(context, outcome.facts);
    if (choice === undefined) throw refusalOf(outcome);
    return await runCommand({ ...context, values: { ...values, changed: choice } });
  }
  if (outcome.plan.submit.length === 0 && values.indices.length + values.pin.length > 0 && !json) {
    throw new NothingError(
      "No trial to submit: every one that matches is live, done or set aside",
      {
        hint: "`herd status` shows them; -i with --force submits them again",
      },
    );
  }
  if (json && (!values.wait || outcome.trouble !== undefined)) {
    const document = runDocument(outside, { outcome, dryRun: false, script: undefined });
    return tellDocument(context, document, outcome.trouble);
  }
  printRun(context, outside, outcome);
  if (outcome.trouble !== undefined) throw outcome.trouble;
  if (!values.wait) return EXIT.done;
  const again = (indices: readonly number[], maxConcurrent: number | undefined) => ({
    request: { ...request, indices, pins: [], force: false, skip: true },
    scheduler,
    maxConcurrent,
  });
  const maxConcurrent = values["max-concurrent"] ?? sweep.config.slurm.maxConcurrent;
  return await waitForTrials(context, outside, { outcome, maxConcurrent, again });
}

/** Of two options that contradict each other none is silently passed over. */
function refuseBoth(values: RunContext["values"]): void {
  schedulerFlag(values);
  if (!values.force || !values.skip) return;
  throw new UserError("Cannot choose what becomes of live trials: --force and --skip are given", {
    hint: "--force stops them and runs them again, --skip passes over them",
  });
}

/** A preview or a run, as the options ask for it. */
function requestOf({ values }: RunContext, outside: Outside): RunRequest {
  const { config } = outside.sweep();
  const names = config.parameters.map(({ name }) => name);
  if (config.repeats !== undefined) names.push(config.repeats.parameter);
  const fixed = config.staticOverrides.map((token) => token.split("=")[0]!);
  const columns = outside.sweep().rows?.[0]?.cells.keys() ?? [];
  return {
    indices: values.indices.length === 0
      ? undefined
      : [...new Set(values.indices.flatMap(parseIndexSpec))].sort((a, b) => a - b),
    pins: parsePins(values.pin, [...new Set([...names, ...columns])], fixed),
    force: values.force,
    skip: values.skip,
    changed: values.changed,
  };
}

async function chosenScheduler(
  { values, env }: RunContext,
  outside: Outside,
): Promise<"slurm" | "local"> {
  const { chooseScheduler } = await import("../lib/daemon/choose.ts");
  return chooseScheduler(
    { flag: schedulerFlag(values), config: outside.sweep().config.scheduler },
    env,
  );
}

/** `.env` is for herd; what trials need of it is listed, so that no token travels by accident. */
function sayKeptBack({ out, json }: RunContext, outside: Outside): void {
  const { values, notices } = outside.dotenv();
  for (const { message } of notices) say(out, message);
  const listed = new Set(outside.sweep().config.slurm.export);
  const kept = Object.keys(values).filter((name) => !listed.has(name));
  if (kept.length === 0 || json) return;
  const shown = kept.slice(0, 5).join(", ") + (kept.length > 5 ? ", …" : "");
  say(
    out,
    `${count(kept.length, "variable")} of .env (${shown}) ${
      kept.length === 1 ? "stays" : "stay"
    } here; list what trials need under slurm.export`,
  );
}

async function askAboutDrift(
  { out, json, values, signal }: RunContext,
  facts: Readonly<Record<string, unknown>>,
): Promise<"keep" | "rerun" | undefined> {
  if (facts["refused"] !== "drift" || json || !out.interactive || values.changed !== undefined) {
    return undefined;
  }
  const drift = facts["drift"] as readonly { index: number; what: readonly string[] }[];
  const what = [...new Set(drift.flatMap((one) => one.what))].slice(0, 4).join("; ");
  out.print(
    `A run today would differ for trials ${
      compactRanges(drift.map(({ index }) => index))
    }: ${what}`,
  );
  const answer = await out.ask("Keep their results, run them again, or stop here? [keep/rerun/N]", {
    flag: "--changed",
    signal,
  });
  const word = answer.trim().toLowerCase();
  return word === "keep" || word === "rerun" ? word : undefined;
}
