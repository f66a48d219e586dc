import type { Sandbox } from "./sandbox.ts";

/** How hard a model thinks before it answers. */
export const THINKING = ["off", "low", "medium", "high"] as const;
export type Thinking = (typeof THINKING)[number];

/** What works on a task: an API with tools of ours, a program that speaks ACP, or any program. */
export interface Backend {
  /** What it is, for people; no secret in it. */
  readonly description: string;
  /** One attempt, to its end. Never throws; when the signal aborts, everything that it started ends. */
  run(work: Work): Promise<WorkEnd>;
}

export interface Work {
  /** `TASK:EPOCH`: session ids, branches, job names and whatever else leaves the folder carry it. */
  name: string;
  /** Absolute path of the attempt's own folder; `TASK.txt` and `AGENTS.md` are in it. */
  folder: string;
  /** The task, as it was written, tags taken out. */
  prompt: string;
  /** What the worker is, how it answers, what the sandbox allows: the text of `AGENTS.md`. */
  instructions: string;
  /** As the backend's provider names it; undefined for the backend's own default. */
  model: string | undefined;
  thinking: Thinking;
  sandbox: Sandbox;
  /** The whole environment of what is started; nothing else is handed down. */
  env: Readonly<Record<string, string>>;
  /** US dollars that the attempt may cost; undefined for no limit. */
  budgetUsd: number | undefined;
  signal: AbortSignal;
  /** After each call to a model: what that call used, not the sum. Awaited before the next call. */
  onUse(use: WorkUse): void | Promise<void>;
  /** What it is at: `thinking`, `tool bash`, … A sign of life; at most some per second. */
  onProgress(phase: string): void;
  /** Goes to `agent-output.log`, as it is. */
  log(text: string): void;
}

/** Tokens of one call, or of the whole attempt; the parts do not overlap. */
export interface WorkUse {
  /** As the provider names it. */
  model: string;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  /** US dollars, where the provider itself says so; undefined leaves it to the price table. */
  usd: number | undefined;
}

export type WorkEnd =
  | { kind: "done"; result: string }
  | {
    kind: "failed";
    /** `model`: its API failed; `agent`: the program failed; `refused`: not with this sandbox, model or setting. */
    cause: "model" | "agent" | "refused" | "no-result" | "budget";
    /** One sentence for people, no period. No secret in it. */
    message: string;
    /** Whether another attempt may go better. */
    passing: boolean;
    /** What was said until then. */
    partial: string;
  }
  | { kind: "aborted"; partial: string };
