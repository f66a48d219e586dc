import type { Attempt, Cause } from "../../lib/sweep/attempt.ts";
import type { Status } from "../../lib/sweep/status.ts";
import type { TrialView } from "../../lib/sweep/view.ts";

/** A trial as it stands, with an attempt that began at 0 and took ten minutes per index and two more. */
export function viewAs(
  index: number,
  status: Status,
  more: {
    cause?: Cause;
    exitCode?: number;
    attempt?: Partial<Attempt>;
    name?: string;
    note?: string;
  } = {},
): TrialView {
  const ended = status === "completed" || status === "failed" || status === "cancelled";
  const cause = more.cause ?? (status === "completed" ? "completed" : "exit");
  const attempt: Attempt = {
    trial: index,
    number: 1,
    submission: "s1",
    task: index,
    jobId: "7",
    intendedAt: 0,
    phase: ended ? "ended" : status === "running" ? "running" : "queued",
    schedulerState: undefined,
    reason: undefined,
    startedAt: 0,
    endedAt: ended ? (index * 10 + 2) * 60_000 : undefined,
    node: undefined,
    restarts: 0,
    ending: ended
      ? {
        cause,
        exitCode: more.exitCode ?? (cause === "exit" ? 1 : undefined),
        signal: undefined,
        source: "both",
      }
      : undefined,
    usage: undefined,
    usageDue: false,
    unknownSince: undefined,
    ...more.attempt,
  };
  return {
    trial: {
      index,
      key: `${index}`.padStart(12, "0"),
      params: { lr: index },
      extras: {},
      resources: {},
      name: more.name ?? `lr-${index}`,
      conditions: [],
    },
    status,
    attempt: status === "ready" ? undefined : attempt,
    attempts: status === "ready" ? 0 : 1,
    cameToNothing: false,
    wish: undefined,
    silentMs: undefined,
    note: more.note,
  };
}

/** Trials of one status, by index. */
export function viewsAs(
  indices: Iterable<number>,
  status: Status,
  more: Parameters<typeof viewAs>[2] = {},
): TrialView[] {
  return [...indices].map((index) => viewAs(index, status, more));
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
