import { createHash } from "node:crypto";
import type { Said } from "../sweep/monitor-event.ts";
import type { Status } from "../sweep/status.ts";
import { elapsedSeconds } from "../sweep/view.ts";
import type { TrialView } from "../sweep/view.ts";
import { indicesText, valueText } from "./amount-text.ts";
import { spanText } from "./duration-text.ts";
import { failureText } from "./failure-text.ts";
import type { FailureFacts } from "./failure-text.ts";
import { keepBeginning, quoted } from "./post-text.ts";

/** What a post tells beside the statuses, where it is known. */
export interface TransitionFacts extends FailureFacts {
  /** What is being optimised. `valueOf` gives null for NaN, undefined for nothing logged. */
  metric?: {
    name: string;
    direction: "min" | "max";
    valueOf(trial: number): number | null | undefined;
  };
}

/** Failures of one kind are one line; so many lines at most. */
const DETAILED = 5;

/** Characters for a list of trials: of some thousand trials each one's fate is told. */
const EACH_TOLD = 1_500;

/** What is said of a status; others are passing, or told where they are caused. */
const SPOKEN: Partial<Record<Status, Said["kind"]>> = {
  running: "running",
  completed: "completed",
  failed: "warning",
  cancelled: "warning",
  pruned: "halving",
  paused: "halving",
};

/**
 * The posts of one look: at most one per status, however many trials changed.
 * `told` is what people were told before, by trial. Keys are stable: the same
 * changes make the same posts.
 */
export function transitionPosts(
  told: Readonly<Record<string, Status>>,
  views: readonly TrialView[],
  facts: TransitionFacts = {},
): Said[] {
  const changed = views.filter(({ trial, status }) =>
    SPOKEN[status] !== undefined && told[trial.index] !== status
  );
  const groups = Map.groupBy(changed, ({ status }) => status);
  const order: readonly Status[] = [
    "running",
    "completed",
    "failed",
    "cancelled",
    "pruned",
    "paused",
  ];
  return order.flatMap((status): Said[] => {
    const group = groups.get(status);
    if (group === undefined) return [];
    return [{
      key: keyOf(status, group),
      kind: SPOKEN[status]!,
      text: keepBeginning(textOf(status, group, facts)),
      trials: group.map(({ trial }) => [trial.index, status] as const),
    }];
  });
}

/** By trial and attempt: the same trial that runs a second time is another post. */
function keyOf(status: Status, views: readonly TrialView[]): string {
  const changes = views.map(({ trial, attempt }) =>
    `${trial.index}.${attempt?.number ?? 0}.${attempt?.restarts ?? 0}`
  );
  if (changes.length === 1) return `${status}/${changes[0]}`;
  const digest = createHash("sha256").update(changes.sort().join(" ")).digest("hex");
  return `${status}/${changes.length}/${digest.slice(0, 16)}`;
}

function textOf(status: Status, views: readonly TrialView[], facts: TransitionFacts): string {
  if (status === "completed") return completedText(views, facts);
  if (status === "failed") return failedText(views, facts);
  const [only] = views;
  if (views.length > 1 || only === undefined) return sentence(views, status);
  const attempt = only.attempt?.number ?? 1;
  const again = status === "running" && attempt > 1 ? ` again (attempt ${attempt})` : "";
  const why = status !== "running" && only.note !== undefined ? whyText(status, only.note) : "";
  return `trial ${only.trial.index} ${status}${again}${why}`;
}

/** ": a reason"; halving's own begins with the status: "trial 2 pruned at step 5: value 0.48, …". */
function whyText(status: Status, note: string): string {
  const decided = /^halving at rung \d+: (\w+) (at step .*)$/s.exec(note);
  return decided?.[1]?.toLowerCase() === status ? ` ${quoted(decided[2]!)}` : `: ${quoted(note)}`;
}

/** "trial 3 running", "12 trials running (3-14)". */
function sentence(views: readonly TrialView[], status: Status): string {
  const indices = views.map(({ trial }) => trial.index);
  return indices.length === 1
    ? `trial ${indices[0]} ${status}`
    : `${indices.length} trials ${status} (${indicesText(indices, EACH_TOLD)})`;
}

function completedText(views: readonly TrialView[], { metric }: TransitionFacts): string {
  const times = views.flatMap(({ attempt }) => elapsedSeconds(attempt, 0) ?? []);
  const values = views.map(({ trial }) => ({
    index: trial.index,
    value: metric?.valueOf(trial.index),
  }));
  const name = quoted(metric?.name ?? "", 60);
  if (views.length === 1) {
    const time = times.length === 0 ? "" : ` in ${spanText(times[0]! * 1000)}`;
    const value = values[0]!.value;
    return `trial ${views[0]!.trial.index} completed${time}${
      value === undefined ? "" : ` (${name} ${valueText(value)})`
    }`;
  }
  const best = bestOf(values, metric?.direction ?? "max");
  return `${sentence(views, "completed")}${spread(times)}${
    best === undefined ? "" : `; best ${name} ${valueText(best.value)} (trial ${best.index})`
  }`;
}

function spread(times: readonly number[]): string {
  if (times.length === 0) return "";
  const least = times.reduce((a, b) => Math.min(a, b));
  const most = times.reduce((a, b) => Math.max(a, b));
  const [short, long] = [spanText(least * 1000), spanText(most * 1000)];
  return short === long ? ` in ${short}` : ` in ${short} to ${long}`;
}

function bestOf(
  values: readonly { index: number; value: number | null | undefined }[],
  direction: "min" | "max",
): { index: number; value: number } | undefined {
  let best: { index: number; value: number } | undefined;
  for (const { index, value } of values) {
    if (value === null || value === undefined) continue;
    const better = best === undefined ||
      (direction === "max" ? value > best.value : value < best.value);
    if (better) best = { index, value };
  }
  return best;
}

function failedText(views: readonly TrialView[], facts: FailureFacts): string {
  const [only] = views;
  if (views.length === 1 && only !== undefined) {
    return `trial ${only.trial.index} failed: ${failureText(only, facts)}`;
  }
  const groups = [...Map.groupBy(views, (view) => failureText(view, facts))]
    .sort(([, a], [, b]) => b.length - a.length);
  const lines = groups.slice(0, DETAILED).map(([why, group]) => {
    const indices = group.map(({ trial }) => trial.index);
    return `- ${indices.length === 1 ? "trial" : "trials"} ${
      indicesText(indices, EACH_TOLD / 2)
    }: ${why}`;
  });
  const rest = groups.slice(DETAILED).reduce((sum, [, group]) => sum + group.length, 0);
  return [
    `${views.length} trials failed`,
    ...lines,
    ...(rest > 0 ? [`- and ${rest} more`] : []),
  ].join("\n");
}
