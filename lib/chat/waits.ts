import { escapeMarkdown } from "../base/markdown.ts";
import { spanText } from "../words/duration-text.ts";
import type { Arrival } from "./arrival.ts";
import type { Wait, WaitSubject } from "./chat-event.ts";
import type { ChatState, Conversation, OpenWait } from "./chat-state.ts";

export const WAIT_LIMITS = {
  leastMs: 5_000,
  mostMs: 30 * 86_400_000,
  perConversation: 10,
  perBot: 200,
  /** Turns of one conversation that waits have begun, without a word of a person in between. */
  inRow: 50,
  /** UTF-16 units. */
  note: 500,
} as const;

/** Told so much later somebody was away: a look is seconds apart. */
const LATE_MS = 120_000;

export interface WaitWish {
  id: string;
  conversation: string;
  for: readonly string[];
  subject: WaitSubject;
  note: string;
  /** Milliseconds. */
  atMost: number;
}

/** A wait, or why there is none: a sentence without a period, for the agent. */
export function makeWait(
  { atMost, ...wish }: WaitWish,
  { waits, conversations }: Pick<ChatState, "waits" | "conversations">,
  now: number,
): { wait: Wait } | { refused: string } {
  const { leastMs, mostMs, perConversation, perBot, inRow, note } = WAIT_LIMITS;
  if (!(atMost >= leastMs && atMost <= mostMs)) {
    return { refused: `Cannot wait ${spanText(atMost)}: ${spanText(leastMs)} to 30 days can be` };
  }
  if (wish.note.length > note) {
    return { refused: `The note has ${wish.note.length} characters; ${note} have room` };
  }
  const own = waitsOf(waits, wish.conversation);
  if (own.length >= perConversation) {
    return { refused: `This conversation has ${own.length} waits already: cancel one first` };
  }
  if (Object.keys(waits).length >= perBot) {
    return { refused: `${perBot} waits are open already, in all conversations of this bot` };
  }
  if ((conversations.get(wish.conversation)?.woken ?? 0) >= inRow) {
    return { refused: `Nobody has written here for ${inRow} of your waits: end your turn and ask` };
  }
  return { wait: { ...wish, setAt: now, until: now + atMost } };
}

/** Of one conversation, the one that ends first before the others. */
export function waitsOf(waits: ChatState["waits"], conversation: string): OpenWait[] {
  return Object.values(waits).filter((one) => one.conversation === conversation)
    .sort((a, b) => a.until - b.until || a.setAt - b.setAt);
}

/** What is waited for, as a part of a sentence. */
export function subjectText(subject: WaitSubject): string {
  switch (subject.kind) {
    case "time":
      return "the time is over";
    case "trial":
      return `trial ${subject.trial} of "${subject.name}" ends`;
    case "stage":
      return `the stage ${subject.stage} of "${subject.name}" ends`;
    case "task":
      return `task ${subject.task} ends`;
  }
}

/** A line of a list, for people. */
export function waitLine({ subject, until, note }: Wait): string {
  const what = subject.kind === "time" ? "a time" : `the moment when ${subjectText(subject)}`;
  const shown = note === "" ? "" : `: ${escapeMarkdown(note.replace(/\s+/g, " ").slice(0, 80))}`;
  return `${what}, <t:${Math.floor(until / 1000)}:R> at the latest${shown}`;
}

/** What is told when its time is over before it happened; `isWatched`: herd would know. */
export function overText({ subject, setAt, until }: Wait, isWatched: boolean): string {
  const span = spanText(until - setAt);
  if (subject.kind === "time") return `${span} are over.`;
  const what = subjectText(subject);
  return isWatched
    ? `${span} are over, and it did not happen yet that ${what}.`
    : `${span} are over. Whether ${what} is not known here: nothing watches it now.`;
}

/** How the message begins that tells it: no other begins so, by which it is known again. */
export function wakeHead({ id }: Pick<Wait, "id">): string {
  return `🔔 \`${id}\` `;
}

/** What people and the agent read. */
export function wakeText(wait: OpenWait, now: number): string {
  const { note, due } = wait;
  const late = due === undefined ? 0 : now - due.at;
  return [
    `${wakeHead(wait)}${due?.text ?? ""}`,
    ...(note === "" ? [] : [`-# Note of the agent: ${note.replace(/\s+/g, " ")}`]),
    ...(late < LATE_MS ? [] : [`-# ${spanText(late)} late: herd was not there`]),
  ].join("\n");
}

/** herd's own message as one of its conversation, in the name of those for whom it was waited. */
export function wakeArrival(
  wait: OpenWait,
  { place, where }: Pick<Conversation, "place" | "where">,
  posted: { id: string; at: number; content: string },
  me: string,
): Arrival {
  const { id, at, content } = posted;
  const threadId = where === undefined || where.replies ? place.threadId : where.channelId;
  return {
    id,
    at,
    editedAt: undefined,
    place: place.isDirect ? place : { ...place, threadId },
    author: { id: me, name: "herd", displayName: "herd", isBot: false, roles: [] },
    content: `(herd itself tells what you waited for; no person wrote this.)\n${content}`,
    mentions: { users: [], roles: [], everyone: false },
    quoted: undefined,
    attachments: [],
    extras: [],
    kind: "spoken",
    for: wait.for,
  };
}
