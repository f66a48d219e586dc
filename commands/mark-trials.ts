import type { MarkResult } from "../lib/actions/mark.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { compactRanges, count } from "../lib/base/text.ts";
import type { Outside } from "../lib/daemon/outside.ts";
import { latestAttempt } from "../lib/sweep/state.ts";
import { INDICES_OPTION, REASON_OPTION, refuseUnstarted, requireTrials } from "./chosen-trials.ts";
import type { Context } from "./command.ts";
import { openWorkspace, say } from "./open.ts";
import { refusalOf } from "./refusal.ts";

export const MARK_OPTIONS = [INDICES_OPTION, REASON_OPTION] as const;

const WORDS = {
  pause: { done: "paused", doing: "pause" },
  prune: { done: "pruned", doing: "end" },
} as const;

/** What `pause` and `prune` have in common: they set trials aside, running ones by way of their trainer. */
export async function markTrials(
  context: Context<typeof MARK_OPTIONS>,
  intent: "pause" | "prune",
): Promise<number> {
  const { values, positionals, cwd, out, json } = context;
  const { workspace, indices } = requireTrials(intent, positionals, values.indices, cwd);
  const outside = await openWorkspace(context, workspace);
  refuseUnstarted(outside);
  const outcome = await outside.change(intent, (perform) =>
    perform({
      verb: intent,
      indices,
      ...(values.reason === undefined ? {} : { reason: values.reason }),
      graceSeconds: outside.graceSeconds(),
    }));
  if (!outcome.done) throw refusalOf(outcome);
  for (const warning of outcome.warnings) say(out, warning);
  if (json) out.json(documentOf(outside, outcome, WORDS[intent].done));
  else tell(context, outside, outcome, intent);
  return EXIT.done;
}

function documentOf(outside: Outside, { marked, warnings }: MarkResult, key: string): unknown {
  return {
    [key]: marked.map(({ index, previous, now, live }) => ({
      index,
      slurm_job_id: latestAttempt(outside.state(), index)?.jobId ?? null,
      previous_status: previous,
      now,
      live,
    })),
    warnings,
  };
}

function tell(
  { out }: Pick<Context, "out">,
  outside: Outside,
  { marked }: MarkResult,
  intent: "pause" | "prune",
): void {
  const { done, doing } = WORDS[intent];
  const shown = (indices: readonly number[]) =>
    `${count(indices.length, "trial")} (${compactRanges(indices)})`;
  const aside = marked.filter(({ live }) => !live).map(({ index }) => index);
  if (aside.length > 0) out.print(`${shown(aside)} ${aside.length === 1 ? "is" : "are"} ${done}`);
  const running = marked.filter(({ now }) => now === "running").map(({ index }) => index);
  if (running.length > 0) {
    const grace = outside.graceSeconds();
    const after = grace === 0
      ? "the grace is 0, so nothing else ends it"
      : `after ${graceText(grace)} the next herd command that looks cancels it`;
    out.print(`Asked ${shown(running)} to ${doing} at its next logged step; ${after}`);
  }
  const rest = marked.filter(({ now, live }) => live && now !== "running")
    .map(({ index }) => index);
  if (rest.length > 0) {
    out.print(
      `Told ${shown(rest)} to ${doing}; not seen to have ended yet, \`herd status\` shows when`,
    );
  }
}

function graceText(seconds: number): string {
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
