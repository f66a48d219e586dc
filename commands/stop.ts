import { UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { compactRanges, count } from "../lib/base/text.ts";
import type { StopResult } from "../lib/actions/stop.ts";
import { LIVE } from "../lib/sweep/status.ts";
import {
  chosenTrials,
  INDICES_OPTION,
  REASON_OPTION,
  refuseUnstarted,
  TRIAL_ARGUMENTS,
} from "./chosen-trials.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./command.ts";
import { openWorkspace, say } from "./open.ts";
import { refusalOf } from "./refusal.ts";

const OPTIONS = [
  INDICES_OPTION,
  { name: "all", short: "a", description: "Every trial that is live" },
  REASON_OPTION,
] as const;

type StopContext = Context<typeof OPTIONS>;

export const command = defineCommand({
  name: "stop",
  summary: "Cancel trials that wait or run",
  details:
    "Stopped trials are cancelled, not failed or pruned: the next `herd run` submits them again.\n" +
    "The wish is kept: if the scheduler does not hear it now, it is sent again.",
  arguments: TRIAL_ARGUMENTS,
  options: OPTIONS,
  examples: [
    { line: "herd stop 3 5", meaning: "cancel trials 3 and 5" },
    { line: "herd stop -i 0,4-7", meaning: "cancel these" },
    { line: "herd stop sweep --all", meaning: "cancel everything that is live" },
  ],
  run: stopCommand,
});

async function stopCommand(context: StopContext): Promise<number> {
  const { values, positionals, cwd, out, json } = context;
  const { workspace, indices } = chosenTrials(positionals, values.indices, cwd);
  if (values.all === (indices !== undefined)) {
    const found = values.all
      ? `--all and trial ${compactRanges(indices!)} are given`
      : "no trial is named";
    throw new UserError(`Cannot stop: ${found}`, {
      hint: "Give one of INDEX, --indices SPEC and --all",
    });
  }
  const outside = await openWorkspace(context, workspace);
  refuseUnstarted(outside);
  const outcome = await outside.change("stop", (perform) =>
    perform({
      verb: "stop",
      indices: indices ?? "all",
      ...(values.reason === undefined ? {} : { reason: values.reason }),
      graceSeconds: outside.graceSeconds(),
    }), { unwritten: true });
  if (!outcome.done) throw refusalOf(outcome);
  for (const warning of outcome.warnings) say(out, warning);
  const ending = outcome.cancelled.filter(({ now }) => LIVE.has(now)).map(({ index }) => index);
  if (json) out.json(documentOf(outcome));
  else tell(context, outcome, ending);
  // Nothing is lost, since the wish is kept; but a script should know that it was not heard.
  return ending.length > 0 && outcome.warnings.length > 0 ? EXIT.unreachable : EXIT.done;
}

function documentOf({ cancelled, warnings }: StopResult): unknown {
  return {
    cancelled: cancelled.map(({ index, jobId, previous, now }) => ({
      index,
      slurm_job_id: jobId ?? null,
      previous_status: previous,
      now,
    })),
    warnings,
  };
}

/** `%` stands for the trials. */
function stopped(previous: string): string {
  return previous === "unknown"
    ? "Stopped %, of which nothing was known"
    : `Stopped %, ${previous} until then`;
}

function tell({ out }: StopContext, { cancelled }: StopResult, ending: readonly number[]): void {
  if (cancelled.length === 0) return out.print("Nothing to stop: no trial is live");
  const groups = new Map<string, number[]>();
  for (const { index, previous, now } of cancelled) {
    if (LIVE.has(now)) continue;
    // A trial may have ended by itself before the cancel arrived.
    const how = now === "cancelled" ? stopped(previous) : `% had ended: ${now}`;
    groups.set(how, [...groups.get(how) ?? [], index]);
  }
  for (const [how, indices] of groups) {
    out.print(how.replace("%", `${count(indices.length, "trial")} (${compactRanges(indices)})`));
  }
  if (ending.length > 0) {
    out.print(
      `Told ${count(ending.length, "trial")} (${compactRanges(ending)}) to stop; ` +
        "not seen to have ended yet, `herd status` shows when",
    );
  }
}
