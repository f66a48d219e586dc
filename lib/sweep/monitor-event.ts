import type { Status } from "./status-word.ts";

/** What `herd monitor` decides, hears and says: kept in the same journal as everything else. */
export type MonitorHappening =
  | {
    type: "monitor-started";
    boot: Boot;
    /** `rules`: without an agent. */
    mode: "agent" | "rules";
    version: string;
    host: string;
    pid: number;
  }
  | { type: "monitor-stopped"; why: string }
  /** `trials`: those that this stage submits, for `canary` and `stage`. */
  | {
    type: "phase-entered";
    phase: MonitorPhase;
    stage: number;
    trials: readonly number[];
    why: string;
  }
  | { type: "question-asked"; question: Question }
  | { type: "question-closed"; id: string; answer: string }
  /** Somebody said something: stored before it is acknowledged, once per id. */
  | { type: "message-received"; message: Message }
  /** Answered: the `said` of the same append is the answer, where there is one. */
  | { type: "messages-handled"; ids: readonly string[]; how: "rule" | "agent" | "command" }
  /** Something for people to read; each channel posts it once, by its key. */
  | { type: "said"; said: Said }
  | { type: "ticked"; tick: Tick }
  /** Written at the end of every call to a model, so that no crash forgets what was spent. */
  | { type: "model-used"; use: ModelUse }
  /** The model stopped answering, or answers again. */
  | { type: "model-health"; ok: boolean; detail: string }
  | {
    type: "budget-reached";
    scope: "tick" | "day" | "sweep";
    day: string;
    usd: number;
    limit: number;
  }
  /** A failed attempt was judged; it is never judged again. What is to be done follows in its own events. */
  | { type: "triaged"; verdicts: readonly Verdict[] }
  /** Written before the YAML is edited; `bump-applied` after. */
  | { type: "bumped"; bump: Bump }
  | { type: "bump-applied"; id: string }
  /** The one warning that a trial gets about one thing. */
  | { type: "warned"; trial: number; about: string; detail: string }
  | { type: "confirmation-asked"; confirmation: Confirmation }
  | { type: "confirmation-answered"; id: string; yes: boolean }
  /** What a person had said yes to was done, or could not be done. */
  | { type: "confirmation-settled"; id: string }
  /** PROMPT.md was read: its SHA-256 in hex. */
  | { type: "prompt-acknowledged"; sha256: string }
  /** Nothing is submitted or bumped by itself from now on. `unhalted` ends that. */
  | { type: "halted"; why: string }
  | { type: "unhalted" }
  /** Somebody chose when the next tick is due. */
  | { type: "cadence-chosen"; seconds: number }
  /** A channel or another part beside the loop stopped working, or works again; `detail` is a sentence. */
  | { type: "peripheral-health"; name: Peripheral; ok: boolean; detail: string };

/** `discord-rights`: it works, and something that it needs is missing. */
export type Peripheral = "discord" | "discord-rights";

/** What a daemon finds when it starts. */
export type Boot = "greenfield" | "hot-reload" | "post-mortem";

/**
 * - `interviewing`: the setup questions are open; nothing is submitted.
 * - `canary`: the first stage runs and must give evidence of training.
 * - `stage`: a further stage runs and must give it too.
 * - `live`: everything that should run was submitted.
 * - `post-mortem`: everything had ended when the daemon came; it waits for a word.
 * - `done`: every trial has come to its end.
 */
export type MonitorPhase = "interviewing" | "canary" | "stage" | "live" | "post-mortem" | "done";

export interface Question {
  /** `objective`, `remediation`, `source`, `rerun`, or a free one. */
  id: string;
  text: string;
  /** Offered answers in order; "2" picks the second. Empty: free text. */
  choices: readonly string[];
}

export interface Message {
  /** Unique: a channel that delivers twice is heard once. */
  id: string;
  /** Who, as `Event.by` names actors: `cli:alice`, `discord:123`. */
  from: string;
  /** How people call them. */
  name: string;
  text: string;
}

/** Who speaks in a post; a channel puts the prefix of the user page before it. */
export type SaidKind =
  /** 🐕 the agent, or the rules in its place. */
  | "agent"
  /** ▶️ */
  | "running"
  /** ✅ */
  | "completed"
  /** ⚠️ a failure or a warning. */
  | "warning"
  /** ✂️ halving decided. */
  | "halving"
  /** 🛑 the final message. */
  | "stopped"
  /** 🔎 what an agent of the pool found, and what became of it. Not the monitor's own words. */
  | "task";

export interface Said {
  /** Stable: the same post, whoever sends it again after a crash. */
  key: string;
  kind: SaidKind;
  /** Without prefix; light Markdown at the most. */
  text: string;
  /** Id of the message that this answers. */
  replyTo?: string;
  /** Statuses that this post tells of; what was told is not told again. */
  trials?: readonly (readonly [number, Status])[];
  /** The open confirmation that this post asks for. */
  confirmation?: string;
  /** Columns matter: a table, a log. */
  code?: boolean;
  /** Host behind ssh whose login wants a one-time code: operators may give it with this post. */
  login?: string;
  /** Of `task`: which task, and what is offered with it. Its place is the trial's thread. */
  task?: SaidTask;
}

export interface SaidTask {
  id: string;
  epoch: number;
  trial: number;
  /** `decide`: whether to apply the change; `run`: to run the trial again. */
  offers?: "decide" | "run";
  /** A text that has no room in the post, under the name of a file. */
  more?: { name: string; text: string };
}

export type Trigger = "boot" | "scheduled" | "failure" | "completion" | "message" | "manual";

export interface Tick {
  /** 1, 2, … over the whole life of the sweep. */
  number: number;
  triggers: readonly Trigger[];
  /** What was said at its end. */
  summary: string;
  /** When the next one is due, milliseconds since the epoch. */
  nextAt: number;
  startedAt: number;
  durationMs: number;
  /** Calls to the model and what they cost; null when a price is unknown. */
  modelCalls: number;
  tokens: Tokens;
  usd: number | null;
  /** What the model is still to be asked about, by why: a daemon that starts after a crash asks it. */
  owed?: Readonly<Partial<Record<Concern, string>>>;
}

export type Concern = "failure" | "plateau" | "report";

/** As the Messages API counts: `input` is what was neither read from nor written to the cache. */
export interface Tokens {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

export interface ModelUse {
  /** Unique per call. */
  id: string;
  model: string;
  tokens: Tokens;
  /** US dollars; null where the model's price is not known. */
  usd: number | null;
  purpose: string;
}

/** Why an attempt failed, as far as triage cares. */
export type FailureClass =
  | "out-of-memory"
  | "cuda-out-of-memory"
  | "timeout"
  /** Node failure, preemption, launch failure, lost. */
  | "infrastructure"
  /** A traceback or another error of the program's own. */
  | "exception"
  /** It failed and nothing says why. */
  | "unknown";

export interface Verdict {
  /** `attemptKey` of the attempt that failed. */
  attempt: string;
  trial: number;
  failure: FailureClass;
  /** Normalised traceback or last error line: equal for the same bug. Undefined when the log says nothing. */
  fingerprint: string | undefined;
  /** One line for people: the exception and its message, or the scheduler's cause. */
  headline: string;
  /**
   * - `retry`: submit again unchanged.
   * - `bump`: submit again when the bump that `bump` names was applied.
   * - `notify`: a person is told, nothing else.
   * - `halt`: a person is told and nothing more is submitted.
   */
  decision: "retry" | "bump" | "notify" | "halt";
  bump?: string;
  /** Why this decision, for the audit and the post. */
  why: string;
}

export interface Bump {
  id: string;
  what: "memory" | "time";
  failure: FailureClass | undefined;
  /** Mebibytes, or seconds. */
  from: number;
  to: number;
  /** `sweep`: `slurm.mem` or `slurm.time`; a list: only these trials. */
  trials: "sweep" | readonly number[];
}

export interface Confirmation {
  id: string;
  /** In words: "stop all 12 live trials". */
  what: string;
  why: string;
  /** The request as data (`Request` of lib/actions/desk.ts), carried out when a person says yes. */
  request: unknown;
  /** Who asked for it. */
  by: string;
  /** Milliseconds since the epoch; nobody's answer is a no. */
  expiresAt: number;
}
