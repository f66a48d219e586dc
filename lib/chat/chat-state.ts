import type { Event } from "../sweep/event.ts";
import type { Arrival, Place } from "./arrival.ts";
import type { ChatHappening, JobPrompt, Reminder, TurnEnding, Wait, Where } from "./chat-event.ts";
import { type Grant, withGrant } from "./grants.ts";
import { type KnownVideo, videosIn } from "./known-videos.ts";
import { type TurnFailure, turnNumber } from "./turn.ts";
import { addUse, type Usage } from "./usage.ts";

/** What a bot's journal folds into. */
export interface ChatState {
  conversations: Map<string, Conversation>;
  /** Messages that were heard, the newest last: a second event of one is no second message. */
  heard: Set<string>;
  /** By conversation: whose words it goes on with. */
  attached: Record<string, Attached>;
  /** Of the last turns that failed, by the turn: what stands behind their button. */
  failures: Record<string, { conversation: string; failure: TurnFailure }>;
  reminders: Record<string, Reminder>;
  waits: Record<string, OpenWait>;
  /** By job of the configuration, the one that was seen to last at the end. */
  jobs: Record<string, JobRecord>;
  usage: Usage;
}

export interface Attached {
  from: string;
  /** Milliseconds since the epoch: what was said there until then counts, and here from then on. */
  at: number;
}

export interface OpenWait extends Wait {
  /** It happened: this is to be told. */
  due: { text: string; at: number } | undefined;
}

export interface JobRecord {
  /** When it was due last, of what was seen to; milliseconds since the epoch. */
  since: number;
  /** Was about to be posted when this program ended. */
  open: number | undefined;
  /** The last one. */
  prompt: JobPrompt | undefined;
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
  /**
   * The first message of a turn that an end of this program interrupted. As long as it waits, the
   * next turn has the number of that one: what was shown of it goes on, and no second answer begins.
   */
  cut: string | undefined;
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
  /** The last that people attached: their addresses end, and the agent may ask for them later. */
  videos: readonly KnownVideo[];
  /** What was allowed for always. */
  grants: readonly Grant[];
  /** Turns up to this one are forgotten: the agent is not told of them again. */
  forgot: number;
  /** So often in a row it was woken by what its agent waited for, without a person's word. */
  woken: number;
}

export interface Waiting {
  arrival: Arrival;
  /** Turns that had it and were interrupted by an end of this program. */
  tries: number;
  /** In how many of them the program died. */
  deaths: number;
}

export interface TurnRecord {
  id: string;
  begunAt: number;
  messages: Waiting[];
  /** What was said into it, as the agent heard it. */
  steered: readonly { at: number; text: string }[];
  ending: TurnEnding | undefined;
}

const MOST_HEARD = 5_000;
const MOST_FAILURES = 200;
/** Of the message and the standard error of each, UTF-16 units; the end says most. */
const KEPT_OF_FAILURE = 4_000;
const MOST_JOBS = 500;

/** Another number makes snapshots void; see lib/store/journal-reading.ts. */
export const CHAT_STATE_VERSION = 2;

export function emptyChat(): ChatState {
  return {
    conversations: new Map(),
    heard: new Set(),
    attached: {},
    failures: {},
    reminders: {},
    waits: {},
    jobs: {},
    usage: {},
  };
}

export function applyToChat(state: ChatState, { what, at }: Event<ChatHappening>): void {
  switch (what.type) {
    case "message-heard":
      return hear(state, what.arrival, what.conversation);
    case "word-heeded":
      return note(state.heard, what.message);
    case "conversation-attached":
      return attach(state, what, at);
    case "reminder-set":
      state.reminders[what.reminder.id] = what.reminder;
      return;
    case "reminder-over":
      delete state.reminders[what.id];
      return;
    case "wait-set":
      state.waits[what.wait.id] = { ...what.wait, due: undefined };
      return;
    case "wait-due": {
      const wait = state.waits[what.id];
      if (wait !== undefined) wait.due = { text: what.text, at };
      return;
    }
    case "wait-over":
      delete state.waits[what.id];
      return;
    case "job-seen":
    case "job-due":
    case "job-over":
      return applyToJob(state, what, at);
  }
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
      return withdraw(one, what.message);
    case "conversation-placed":
      one.where = what.where;
      return;
    case "turn-begun":
      return begin(one, what.turn, what.messages, at);
    case "turn-steered":
      return steer(one, what, at);
    case "turn-ended":
      keepFailure(state, what);
      state.usage = addUse(state.usage, what.use, at);
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
        one.grants = [];
        delete state.attached[one.id];
        for (const { id, conversation } of Object.values(state.waits)) {
          if (conversation === one.id) delete state.waits[id];
        }
      }
      return;
    case "option-chosen":
      one.options = { ...one.options, [what.option]: what.value };
      return;
    case "permission-granted":
      one.grants = withGrant(one.grants, what.grant);
      return;
    case "permission-revoked":
      one.grants = one.grants.filter(({ id }) => id !== what.grant);
  }
}

function hear(state: ChatState, arrival: Arrival, id: string): void {
  if (state.heard.has(arrival.id)) return;
  note(state.heard, arrival.id);
  const known = state.conversations.get(id);
  if (known !== undefined) {
    known.waiting.push({ arrival, tries: 0, deaths: 0 });
    known.videos = videosIn(known.videos, arrival);
    known.lastAt = arrival.at;
    known.closed = undefined;
    known.woken = arrival.for === undefined ? 0 : known.woken + 1;
    return;
  }
  state.conversations.set(id, {
    id,
    place: arrival.place,
    where: undefined,
    first: arrival,
    waiting: [{ arrival, tries: 0, deaths: 0 }],
    turn: undefined,
    cut: undefined,
    untold: [],
    turns: 0,
    sessionId: undefined,
    options: {},
    lastAt: arrival.at,
    closed: undefined,
    usd: 0,
    videos: videosIn([], arrival),
    grants: [],
    forgot: 0,
    woken: 0,
  });
}

function begin(one: Conversation, id: string, messages: readonly string[], at: number): void {
  const isIts = ({ arrival }: Waiting) => messages.includes(arrival.id);
  one.turn = {
    id,
    begunAt: at,
    messages: one.waiting.filter(isIts),
    steered: [],
    ending: undefined,
  };
  one.waiting = one.waiting.filter((waiting) => !isIts(waiting));
  one.turns = turnNumber(id);
  one.cut = undefined;
}

function withdraw(one: Conversation, message: string): void {
  one.waiting = one.waiting.filter(({ arrival }) => arrival.id !== message);
  if (one.cut !== message) return;
  one.cut = undefined;
  one.turns++;
}

function steer(
  one: Conversation,
  { turn, text }: { turn: string; text: string },
  at: number,
): void {
  if (one.turn?.id !== turn) return;
  one.turn = { ...one.turn, steered: [...one.turn.steered, { at, text }] };
}

function end(one: Conversation, what: { turn: string } & TurnEnding): void {
  const { turn } = one;
  if (turn === undefined || turn.id !== what.turn) return;
  one.turn = undefined;
  one.usd += what.use?.usd ?? 0;
  if (what.end === "interrupted") {
    one.waiting.unshift(
      ...turn.messages.map(({ arrival, tries, deaths }) => ({
        ...{ arrival, tries: tries + 1, deaths: deaths + Number(what.orderly !== true) },
      })),
    );
    one.cut = turn.messages[0]?.arrival.id;
    if (one.cut !== undefined) one.turns--;
    return;
  }
  const { end, text, failure, use, tools, tookMs } = what;
  one.untold.push({ ...turn, ending: { end, text, failure, use, tools, tookMs } });
}

function note(heard: Set<string>, message: string): void {
  heard.add(message);
  if (heard.size > MOST_HEARD) heard.delete(heard.values().next().value!);
}

function attach(
  state: ChatState,
  { conversation, from }: { conversation: string; from: string },
  at: number,
): void {
  state.attached[conversation] = { from, at };
  const one = state.conversations.get(conversation);
  // Its own session knows nothing of the other's words.
  if (one !== undefined) one.sessionId = undefined;
}

function keepFailure(
  { failures }: ChatState,
  { turn, conversation, failure }: { turn: string; conversation: string } & TurnEnding,
): void {
  if (failure === undefined) return;
  const message = failure.message.slice(0, KEPT_OF_FAILURE);
  const stderr = failure.stderr.slice(-KEPT_OF_FAILURE);
  failures[turn] = { conversation, failure: { ...failure, message, stderr } };
  keepNewest(failures, MOST_FAILURES);
}

function applyToJob(
  { jobs }: ChatState,
  what: Extract<ChatHappening, { type: "job-seen" | "job-due" | "job-over" }>,
  at: number,
): void {
  const known = jobs[what.job] ?? { since: at, open: undefined, prompt: undefined };
  const next = what.type === "job-seen"
    ? known
    : what.type === "job-due"
    ? { ...known, open: what.due }
    : { since: what.due, open: undefined, prompt: what.prompt ?? known.prompt };
  delete jobs[what.job];
  jobs[what.job] = next;
  keepNewest(jobs, MOST_JOBS);
}

/** A record keeps the order in which it was filled, as its keys are no small numbers. */
function keepNewest(record: Record<string, unknown>, most: number): void {
  const keys = Object.keys(record);
  for (const key of keys.slice(0, Math.max(0, keys.length - most))) delete record[key];
}
