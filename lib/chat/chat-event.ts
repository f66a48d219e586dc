import type { Arrival } from "./arrival.ts";
import type { Grant } from "./grants.ts";
import type { TurnFailure, TurnUse } from "./turn.ts";

/** One line of a bot's journal, in the envelope of every journal. */
export type ChatHappening =
  /** Stored: only now anything is acknowledged. */
  | { type: "message-heard"; arrival: Arrival; conversation: string }
  /** Only while no turn has it. */
  | { type: "message-revised"; message: string; conversation: string; content: string }
  | { type: "message-withdrawn"; message: string; conversation: string }
  /** Where its answers go, once that is known: its thread, or replies in the channel. */
  | { type: "conversation-placed"; conversation: string; where: Where }
  | { type: "turn-begun"; turn: string; conversation: string; messages: readonly string[] }
  /** Somebody said it into the turn that runs, and the agent has it. */
  | { type: "turn-steered"; turn: string; conversation: string; text: string }
  | ({ type: "turn-ended"; turn: string; conversation: string } & TurnEnding)
  /** Its last form is seen by people. */
  | { type: "turn-told"; turn: string; conversation: string }
  | { type: "session-known"; conversation: string; sessionId: string | undefined }
  | { type: "conversation-closed"; conversation: string; why: "reset" | "idle" }
  | { type: "option-chosen"; conversation: string; option: string; value: string }
  /** From now on it goes on with what was said in another, up to this moment. */
  | { type: "conversation-attached"; conversation: string; from: string }
  /** Allowed for always, until a reset or until it is taken back. */
  | { type: "permission-granted"; conversation: string; grant: Grant }
  | { type: "permission-revoked"; conversation: string; grant: string }
  /** A single word, such as "stop", that was an order and no message for the agent. */
  | { type: "word-heeded"; conversation: string; message: string }
  | { type: "reminder-set"; reminder: Reminder }
  | { type: "reminder-over"; id: string; how: "told" | "dropped" | "failed" }
  /** An agent waits for something: its conversation is woken when that happens. */
  | { type: "wait-set"; wait: Wait }
  /** It happened, or its time is over: `text` is about to be posted, and may have been. */
  | { type: "wait-due"; id: string; text: string }
  | { type: "wait-over"; id: string; how: "told" | "dropped" | "failed" }
  /** A job of the configuration was seen for the first time: what was due before is not made up. */
  | { type: "job-seen"; job: string }
  /** It is about to be posted; without an event about its end it may have been. */
  | { type: "job-due"; job: string; due: number }
  /** `prompt`: what was asked; undefined: it was left out. */
  | { type: "job-over"; job: string; due: number; prompt?: JobPrompt | undefined };

/** A message that herd posted by the clock, and the conversation that it began or went on with. */
export interface JobPrompt {
  conversation: string;
  message: string;
}

/** What somebody wants to be reminded of. */
export interface Reminder {
  id: string;
  /** Who asked. */
  by: string;
  /** Whom it is told to. */
  targets: readonly string[];
  /** The channel or thread where it was asked for, and is told. */
  channelId: string;
  text: string;
  /** Milliseconds since the epoch. */
  setAt: number;
  dueAt: number;
}

/** What an agent wants to be woken for; the daemon watches it, so that no agent sleeps in a loop. */
export interface Wait {
  id: string;
  conversation: string;
  /** Users who wrote what the agent was at when it set it: the turn that it wakes has their rights. */
  for: readonly string[];
  subject: WaitSubject;
  /** The agent's own words, for later; may be empty. */
  note: string;
  /** Milliseconds since the epoch. */
  setAt: number;
  /** It is woken by then, whatever happens. */
  until: number;
}

/** `sweep` is its folder, by which it is found again after a restart; `name` is for people. */
export type WaitSubject =
  | { kind: "time" }
  /** This attempt of it, or a later one, ends. */
  | { kind: "trial"; sweep: string; name: string; trial: number; attempt: number }
  /** `phase` and `stage` are what runs while it is waited for. */
  | { kind: "stage"; sweep: string; name: string; phase: string; stage: number }
  | { kind: "task"; task: string };

export interface Where {
  /** Channel or thread into which it is written. */
  channelId: string;
  /** Each answer is a reply to its message, as there is no thread. */
  replies: boolean;
}

export interface TurnEnding {
  end: "done" | "failed" | "cancelled" | "interrupted";
  /** The agent's words; what is longer is cut here, and whole in the transcript. */
  text: string;
  failure?: TurnFailure | undefined;
  use?: TurnUse | undefined;
  tools?: { completed: number; failed: number } | undefined;
  /** Milliseconds from its begin to its end. */
  tookMs: number;
  /** Interrupted by an end of this program that somebody wanted: no fault of the turn. */
  orderly?: boolean | undefined;
}

const KNOWN: Readonly<Record<ChatHappening["type"], true>> = {
  "message-heard": true,
  "message-revised": true,
  "message-withdrawn": true,
  "conversation-placed": true,
  "turn-begun": true,
  "turn-steered": true,
  "turn-ended": true,
  "turn-told": true,
  "session-known": true,
  "conversation-closed": true,
  "option-chosen": true,
  "conversation-attached": true,
  "permission-granted": true,
  "permission-revoked": true,
  "word-heeded": true,
  "reminder-set": true,
  "reminder-over": true,
  "wait-set": true,
  "wait-due": true,
  "wait-over": true,
  "job-seen": true,
  "job-due": true,
  "job-over": true,
};

export function isChatHappening(type: string): boolean {
  return Object.hasOwn(KNOWN, type);
}
