import { compactRanges, count } from "../base/text.ts";
import type { Objective } from "../sweep/config.ts";
import { attemptKey } from "../sweep/event.ts";
import type { MonitorState } from "../sweep/monitor-state.ts";
import { rank } from "../sweep/ranking.ts";
import { describeEnding } from "../sweep/status.ts";
import { elapsedSeconds, showValue, totalsOf } from "../sweep/view.ts";
import type { TrialView } from "../sweep/view.ts";
import { usdText } from "../words/amount-text.ts";
import { formatIn } from "./cadence.ts";

export interface ReportInput {
  views: readonly TrialView[];
  objective: Objective;
  /** Trial to its value of the objective; null for NaN. Absent: it logged none. */
  values: ReadonlyMap<number, number | null>;
  monitor: Pick<MonitorState, "verdicts" | "bumps" | "spent" | "ticks">;
  /** Milliseconds since the epoch. */
  now: number;
}

/** What the last post of a sweep tells, as data. */
export interface FinalReport {
  totals: Readonly<Record<string, number>>;
  /** Best first, at most three; empty without an objective or values. */
  best: readonly { trial: number; value: number; params: Readonly<Record<string, unknown>> }[];
  /** Failed trials by what people were told of the cause, most frequent first. */
  failures: readonly { cause: string; trials: readonly number[] }[];
  /** What was changed on the way, as sentences. */
  bumps: readonly string[];
  /** Sum over the latest attempts of all trials. */
  computeSeconds: number;
  cost: MonitorState["spent"];
  ticks: number;
}

const MOST_BEST = 3;
const MOST_CAUSES = 5;

export function finalReport(input: ReportInput): FinalReport {
  const { views, monitor, now } = input;
  return {
    totals: totalsOf(views),
    best: bestOf(input),
    failures: failuresOf(views, monitor),
    bumps: monitor.bumps.filter(({ applied }) => applied).map(bumpText),
    computeSeconds: views.reduce(
      (sum, { attempt }) => sum + (elapsedSeconds(attempt, now) ?? 0),
      0,
    ),
    cost: monitor.spent,
    ticks: monitor.ticks,
  };
}

function bestOf({ views, objective, values }: ReportInput): FinalReport["best"] {
  if (objective === "none") return [];
  const contenders = views.flatMap(({ trial, status }) => {
    const value = values.get(trial.index);
    // A trial that was cut short may show a value that it would not have kept.
    return status !== "completed" || typeof value !== "number" || !Number.isFinite(value)
      ? []
      : [{ index: trial.index, params: trial.params, value }];
  });
  return rank(contenders, objective.direction).slice(0, MOST_BEST)
    .map(({ index, value, params }) => ({ trial: index, value, params }));
}

function failuresOf(
  views: readonly TrialView[],
  { verdicts }: ReportInput["monitor"],
): FinalReport["failures"] {
  const byCause = new Map<string, number[]>();
  for (const { trial, status, attempt } of views) {
    if (status !== "failed") continue;
    const verdict = attempt === undefined
      ? undefined
      : verdicts[attemptKey(attempt.submission, attempt.task)];
    const told = verdict?.headline === "" ? undefined : verdict?.headline;
    const cause = told ?? (attempt === undefined ? undefined : describeEnding(attempt)) ??
      "unknown";
    const trials = byCause.get(cause);
    if (trials === undefined) byCause.set(cause, [trial.index]);
    else trials.push(trial.index);
  }
  return [...byCause].map(([cause, trials]) => ({ cause, trials }))
    .sort((a, b) => b.trials.length - a.trials.length || a.trials[0]! - b.trials[0]!);
}

function bumpText({ what, from, to, trials }: MonitorState["bumps"][number]): string {
  const whose = trials === "sweep"
    ? ""
    : ` for trial${trials.length === 1 ? "" : "s"} ${compactRanges(trials)}`;
  return what === "memory"
    ? `Memory${whose} went from ${gib(from)} to ${gib(to)}`
    : `The time limit${whose} went from ${formatIn(from * 1000)} to ${formatIn(to * 1000)}`;
}

function gib(mib: number): string {
  return mib >= 1024 ? `${Math.round(mib / 102.4) / 10} GiB` : `${mib} MiB`;
}

/** The report in plain sentences, for the last post. */
export function finalReportText(report: FinalReport, objective: Objective): string {
  const { best, bumps } = report;
  const lines = [totalsText(report)];
  if (best.length > 0 && objective !== "none") {
    lines.push(`Best ${objective.metric}:`);
    lines.push(
      ...best.map(({ trial, value, params }, i) =>
        `${i + 1}. trial ${trial}: ${short(value)}${paramsText(params)}`
      ),
    );
  } else if (objective !== "none" && (report.totals["completed"] ?? 0) > 0) {
    lines.push(`No completed trial logged ${objective.metric}.`);
  }
  const shown = report.failures.slice(0, MOST_CAUSES);
  lines.push(...shown.map(failureText));
  const more = report.failures.length - shown.length;
  if (more > 0) lines.push(`There were ${count(more, "other cause")} of failure.`);
  lines.push(...bumps.map((bump) => `${bump}.`), costText(report));
  return lines.join("\n");
}

function totalsText({ totals }: FinalReport): string {
  const { total = 0, ...statuses } = totals;
  const parts = Object.entries(statuses).map(([status, n]) => `${n} ${status}`);
  return `The sweep is over: ${count(total, "trial")}${
    parts.length === 0 ? "" : `, ${parts.join(", ")}`
  }.`;
}

function failureText({ cause, trials }: FinalReport["failures"][number]): string {
  const names = `${trials.length === 1 ? "Trial" : "Trials"} ${compactRanges(trials)}`;
  return `${names} failed: ${cutText(cause, 160)}.`;
}

function paramsText(params: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(params).map(([name, value]) =>
    `${name}=${showValue(value as never)}`
  );
  return pairs.length === 0 ? "" : ` (${cutText(pairs.join(", "), 200)})`;
}

function costText({ cost, ticks, computeSeconds }: FinalReport): string {
  const compute = `The trials ran for ${formatIn(computeSeconds * 1000)} in all`;
  if (cost.calls === 0) {
    return `${compute}. The monitor took ${count(ticks, "tick")} and no call to a model.`;
  }
  const unpriced = cost.unpriced === 0
    ? ""
    : ` (without ${count(cost.unpriced, "call")} of unknown price)`;
  return `${compute}. The monitor took ${count(ticks, "tick")} and ${
    count(cost.calls, "call")
  } to a model for ${usdText(cost.usd)}${unpriced}.`;
}

function short(value: number): string {
  return `${Number(value.toPrecision(5))}`;
}

function cutText(text: string, most: number): string {
  const line = text.replace(/\s+/g, " ").trim().replace(/\.$/, "");
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}
