import { EXIT } from "../lib/base/exit-codes.ts";
import { compactRanges, count } from "../lib/base/text.ts";
import type { Outside } from "../lib/daemon/outside.ts";
import type { RunRequest } from "../lib/sweep/run-plan.ts";
import { trialViews } from "../lib/sweep/view.ts";
import { say } from "./open.ts";
import { refusalOf } from "./refusal.ts";
import type { RunContext } from "./run-options.ts";
import { runDocument } from "./run-report.ts";

/** `run --dry-run`: shows exactly what a run would do now, and writes nothing at all. */
export async function previewRun(
  { out, json, values }: RunContext,
  outside: Outside,
  { request, scheduler }: { request: RunRequest; scheduler: "slurm" | "local" },
): Promise<number> {
  const { preview } = await import("../lib/daemon/preview.ts");
  const seen = await preview(outside, {
    request,
    scheduler,
    maxConcurrent: values["max-concurrent"],
  });
  if ("refused" in seen) throw refusalOf(seen);
  const { plan, jobs, left, state, warnings } = seen;
  const outcome = { submitted: [], left, undecided: [], warnings, plan };
  const script = jobs[0]?.script;
  if (json) {
    out.json(runDocument(outside, { outcome, dryRun: true, script, state }));
    return EXIT.done;
  }
  for (const warning of warnings) say(out, warning);
  for (const change of plan.changes) say(out, change);
  if (script !== undefined) {
    const first = jobs.length === 1
      ? "The batch script"
      : `The first of ${jobs.length} batch scripts`;
    out.print(out.paint.dim(`# ${first}; values per trial stand in a table beside it`));
    out.print(script.slice(0, script.indexOf("\n\n")));
    out.print(out.paint.dim("# … the part that is the same for every sweep; whole with --json"));
    out.print();
  }
  const total = trialViews(state).length;
  out.print(out.paint.bold(`Would submit ${plan.submit.length} of ${count(total, "trial")}`));
  for (const { batch } of jobs) {
    const limit = batch.throttle === undefined ? "" : `, at most ${batch.throttle} at once`;
    out.print(
      `  array of ${count(batch.indices.length, "trial")}: ${compactRanges(batch.indices)}${limit}`,
    );
  }
  if (left.length > 0) out.print(`  no room under the submit limit for ${compactRanges(left)}`);
  if (plan.stopFirst.length > 0) out.print(`  stops first: ${compactRanges(plan.stopFirst)}`);
  out.print("Nothing was changed. `herd ls` lists each trial with its values");
  return EXIT.done;
}
