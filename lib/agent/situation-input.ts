import type {
  Boot,
  Confirmation,
  FailureClass,
  Message,
  MonitorPhase,
  Question,
  Trigger,
} from "../sweep/monitor-event.ts";

/** What the model is called for. */
export type Purpose = "message" | "failure" | "plateau" | "report" | "tick" | "interview";

/** All that the prompt of a turn is made of; nothing is read elsewhere. */
export interface SituationInput {
  purpose: Purpose;
  triggers: readonly Trigger[];
  /** Milliseconds since the epoch. */
  now: number;
  /** The turn's mark of quotations, as its tools use it. */
  mark: string;
  sweep: string;
  totals: Readonly<Record<string, number>>;
  boot: Boot | undefined;
  phase: MonitorPhase | undefined;
  stage: number;
  halted: string | undefined;
  /** MONITOR_PLAN.md with its custom rules. */
  plan: string | undefined;
  /** Failures that nobody was told of yet, the most important first. */
  failed: readonly FailedTrial[];
  /** Completed since the last tick. */
  completed: readonly number[];
  /** What rules, commands and people did since the last turn, one sentence each, newest last. */
  done: readonly string[];
  /** US dollars that are left, undefined where there is no limit. */
  budgetLeft: { tick: number | undefined; day: number | undefined; sweep: number | undefined };
  /** As `messagesThatFit` chose them; those beyond it are not shown. */
  pending: readonly (Message & { at: number })[];
  /** Oldest first. */
  talk: readonly { at: number; who: string; text: string }[];
  /** PROMPT.md, when there is one. */
  prompt: { text: string; sha256: string; state: "new" | "changed" | "unchanged" } | undefined;
  confirmations: readonly Confirmation[];
  /** The open question of the interview. */
  question: Question | undefined;
  /** A turn for this was begun and never finished: what it did until then, one line each. */
  interrupted: { at: number; actions: readonly string[] } | undefined;
  /** Facts on what the turn is about: the plateau, the final results. From outside. */
  detail?: string;
}

export interface FailedTrial {
  trial: number;
  name: string;
  failure: FailureClass;
  headline: string;
  /** What the rules decided, and why. */
  decision: string;
  /** Last lines of its standard error. */
  lines: readonly string[];
}
