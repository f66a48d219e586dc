import type { ResumeResult } from "../lib/actions/resume.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { compactRanges, count } from "../lib/base/text.ts";
import { latestAttempt } from "../lib/sweep/state.ts";
import { statusOf } from "../lib/sweep/status.ts";
import {
  INDICES_OPTION,
  refuseUnstarted,
  requireTrials,
  TRIAL_ARGUMENTS,
} from "./chosen-trials.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./command.ts";
import { openWorkspace, say } from "./open.ts";
import { refusalOf } from "./refusal.ts";
import { SCHEDULER_OPTIONS, schedulerForAgain } from "./scheduler-option.ts";
import { tellDocument } from "./tell-document.ts";

const OPTIONS = [
  INDICES_OPTION,
  {
    name: "max-concurrent",
    short: "j",
    value: "N",
    number: "whole",
    least: 1,
    description: "Trials at once, instead of slurm.max_concurrent",
  },
  ...SCHEDULER_OPTIONS,
] as const;

export const command = defineCommand({
  name: "resume",
  summary: "Submit paused or pruned trials again",
  details: "Waits until their old jobs have ended, so that no two processes ever share one\n" +
    "checkpoint, then submits them; a trainer that saved its state goes on from there.",
  arguments: TRIAL_ARGUMENTS,
  options: OPTIONS,
  examples: [
    { line: "herd resume 3", meaning: "let trial 3 go on" },
    { line: "herd resume sweep -i 0-4 -j 2", meaning: "let these go on, two at a time" },
  ],
  run: resumeCommand,
});

async function resumeCommand(context: Context<typeof OPTIONS>): Promise<number> {
  const { values, positionals, cwd, out, json } = context;
  const { workspace, indices } = requireTrials("resume", positionals, values.indices, cwd);
  const outside = await openWorkspace(context, workspace);
  refuseUnstarted(outside);
  const scheduler = await schedulerForAgain(context, outside, indices);
  const { preflight } = await import("../lib/daemon/preflight.ts");
  for (const warning of preflight(outside, scheduler)) say(out, warning);
  const { config } = outside.sweep();
  const { result, before } = await outside.change("resume", async (perform, parts) => {
    const before = new Map(indices.map((index) => [index, statusOf(parts.state(), index)]));
    const maxConcurrent = values["max-concurrent"];
    return {
      before,
      result: await perform({ verb: "resume", indices, config, scheduler, maxConcurrent }),
    };
  });
  if (!result.done) throw refusalOf(result);
  if (json) {
    const document = {
      resumed: result.submitted.flatMap((job) => job.indices).sort((a, b) => a - b)
        .map((index) => ({
          index,
          slurm_job_id: latestAttempt(outside.state(), index)?.jobId ?? null,
          previous_status: before.get(index) ?? null,
          now: statusOf(outside.state(), index),
        })),
      left_indices: result.left,
      scheduler,
    };
    return tellDocument(context, document, result.trouble?.error);
  }
  tell(context, result);
  if (result.trouble !== undefined) throw result.trouble.error;
  return EXIT.done;
}

function tell({ out }: Pick<Context, "out">, result: ResumeResult): void {
  for (const { indices, jobId } of result.submitted) {
    out.print(
      `Resumed ${count(indices.length, "trial")} (${compactRanges(indices)}) as job ${jobId}`,
    );
  }
  if (result.left.length === 0) return;
  say(
    out,
    `${count(result.left.length, "trial")} (${compactRanges(result.left)}) did not fit under ` +
      "the site's submit limit and stay paused; resume them when others have ended",
  );
}
