import type { Arrival, Place } from "./arrival.ts";
import type { ChatHappening, TurnEnding, Where } from "./chat-event.ts";
import type { Event } from "../sweep/event.ts";

/** What a bot's journal folds into. */
export interface ChatState {
  conversations: Map<string, Conversation>;
  /** Messages that were heard, the newest last: a second event of one is no second message. */
  heard: Set<string>;
  /** Of the newest day (UTC) on which something had a price; US dollars. */
  spent: { day: string; usd: number };
}

export interface Conversation {
  id: string;
  place: Place;
  where: Where | undefined;
  /** The message with which it began. */
  first: Arrival;
  /** In the order in which they were heard. */
  waiting: Waiting[];
  turn: TurnRecord | undefined;
  /** Turns that are over, and not seen by people yet. */
  untold: TurnRecord[];
  turns: number;
  /** The agent's own id of it. */
  sessionId: string | undefined;
  options: Record<string, string>;
  /** Milliseconds since the epoch. */
  lastAt: number;
  /** Closed and not spoken in since: what was said is kept, the agent begins anew. */
  closed: "reset" | "idle" | undefined;
  /** US dollars; what has no price is not in it. */
  usd: number;
  /** Turns up to this one are forgotten: the agent is not told of them again. */
  forgot: number;
}

export interface Waiting {
  arrival: Arrival;
  /** Turns that had it and were interrupted by an end of this program. */
  tries: number;
}

export interface TurnRecord {
  id: string;
  begunAt: number;
  messages: Waiting[];
  ending: TurnEnding | undefined;
}

const MOST_HEARD = 5_000;

/** Another number makes snapshots void; see lib/store/journal-reading.ts. */
export const CHAT_STATE_VERSION = 1;

export function emptyChat(): ChatState {
  return { conversations: new Map(), heard: new Set(), spent: { day: "", usd: 0 } };
}

export function applyToChat(state: ChatState, { what, at }: Event<ChatHappening>): void {
  if (what.type === "message-heard") return hear(state, what.arrival, what.conversation);
  const one = state.conversations.get(what.conversation);
  if (one === undefined) return;
  one.lastAt = at;
  switch (what.type) {
    case "message-revised":
      for (const waiting of one.waiting) {
        if (waiting.arrival.id !== what.message) continue;
        waiting.arrival = { ...waiting.arrival, content: what.content, editedAt: at };
      }
      return;
    case "message-withdrawn":
      one.waiting = one.waiting.filter(({ arrival }) => arrival.id !== what.message);
      return;
    case "conversation-placed":
      one.where = what.where;
      return;
    case "turn-begun":
      return begin(one, what.turn, what.messages, at);
    case "turn-ended":
      spend(state, what.use?.usd ?? 0, at);
      return end(one, what);
    case "turn-told":
      one.untold = one.untold.filter(({ id }) => id !== what.turn);
      return;
    case "session-known":
      one.sessionId = what.sessionId;
      return;
    case "conversation-closed":
      one.closed = what.why;
      if (what.why === "reset") {
        one.sessionId = undefined;
        one.forgot = one.turns;
      }
      return;
    case "option-chosen":
      one.options = { ...one.options, [what.option]: what.value };
  }
}

function hear(state: ChatState, arrival: Arrival, id: string): void {
  if (state.heard.has(arrival.id)) return;
  state.heard.add(arrival.id);
  if (state.heard.size > MOST_HEARD) state.heard.delete(state.heard.values().next().value!);
  const known = state.conversations.get(id);
  if (known !== undefined) {
    known.waiting.push({ arrival, tries: 0 });
    known.lastAt = arrival.at;
    known.closed = undefined;
    return;
  }
  state.conversations.set(id, {
    id,
    place: arrival.place,
    where: undefined,
    first: arrival,
    waiting: [{ arrival, tries: 0 }],
    turn: undefined,
    untold: [],
    turns: 0,
    sessionId: undefined,
    options: {},
    lastAt: arrival.at,
    closed: undefined,
    usd: 0,
    forgot: 0,
  });
}

/** US dollars of the day of `at`. */
export function spentOn({ spent }: Pick<ChatState, "spent">, at: number): number {
  return spent.day === dayOf(at) ? spent.usd : 0;
}

function spend(state: ChatState, usd: number, at: number): void {
  if (usd > 0) state.spent = { day: dayOf(at), usd: spentOn(state, at) + usd };
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function begin(one: Conversation, id: string, messages: readonly string[], at: number): void {
  const isIts = ({ arrival }: Waiting) => messages.includes(arrival.id);
  one.turn = { id, begunAt: at, messages: one.waiting.filter(isIts), ending: undefined };
  one.waiting = one.waiting.filter((waiting) => !isIts(waiting));
  one.turns++;
}

function end(one: Conversation, what: { turn: string } & TurnEnding): void {
  const { turn } = one;
  if (turn === undefined || turn.id !== what.turn) return;
  one.turn = undefined;
  one.usd += what.use?.usd ?? 0;
  if (what.end === "interrupted") {
    one.waiting.unshift(
      ...turn.messages.map(({ arrival, tries }) => ({ arrival, tries: tries + 1 })),
    );
    return;
  }
  const { end, text, failure, use, tools, tookMs } = what;
  one.untold.push({ ...turn, ending: { end, text, failure, use, tools, tookMs } });
}
