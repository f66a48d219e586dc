import type { Clock } from "../base/clock.ts";
import type { AnswerStyle } from "../chat/answer.ts";
import type { Broker } from "../chat/broker.ts";
import type { ChatState, Conversation, TurnRecord } from "../chat/chat-state.ts";
import { conversationOfTurn, isOver, type Turn, turnId } from "../chat/turn.ts";
import type { BrokerMemory, ShownTurn } from "./broker-memory.ts";
import { pingsIn, turnOfRecord, viewOfTurn } from "./broker-view.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id, Outgoing } from "./message.ts";
import { patience } from "./patience.ts";
import { nonceOf } from "./post-view.ts";
import { findPosted } from "./posted.ts";
import type { DiscordRest } from "./rest.ts";

export interface BrokerAnswersParts {
  broker: Pick<Broker, "told" | "turns">;
  state(): ChatState;
  rest: Pick<DiscordRest, "send" | "edit" | "remove" | "messages">;
  /** The bot itself. */
  me(): Id | undefined;
  memory: BrokerMemory;
  clock: Clock;
  random(): number;
  style(): AnswerStyle;
  /** Whether an answer is shown while it is written; else it is sent once. */
  streams(conversation: string): boolean;
  /** Bots of this herd, whom an answer may ping anywhere. */
  siblings(): readonly Id[];
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** Shows turns: one message that grows, and becomes the answer. Whoever owns it owns all of its messages. */
export interface BrokerAnswers extends AsyncDisposable {
  /** A turn has changed. */
  show(turn: Turn): void;
  /** Something else of the conversation changed, such as where it is held. */
  look(conversation: string): void;
  /** Sends what an earlier life left unsaid. */
  start(): void;
  /** Conversations in which something is still to be shown. */
  waiting(): number;
}

interface Lane {
  /** Something changed since the last step. */
  isNews: boolean;
  /** When the growing message was last changed. */
  drawnAt: number;
  /** The turn whose first words are shown. */
  spoken: string | undefined;
  nap: AbortController;
  ended: Promise<void>;
}

/** Discord allows five edits in five seconds. */
const EVERY_MS = 1_500;
/** First words do not wait as long after the placeholder: people wait for them. */
const FIRST_MS = 250;
/** Edits of a message older than an hour are few. */
const TOO_OLD = 30046;

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
}

/** A place where nothing can be done any more; throws whatever else it is. */
function unlessClosed(error: unknown): DiscordError {
  const isClosed = error instanceof DiscordError &&
    (error.kind === "forbidden" || error.kind === "missing" || error.kind === "rejected");
  if (!isClosed) throw error;
  return error;
}

export function createBrokerAnswers(parts: BrokerAnswersParts): BrokerAnswers {
  const { rest, memory, clock } = parts;
  const stop = new AbortController();
  const latest = new Map<string, Turn>();
  /** As they were last seen running: with the names of their tools. */
  const ended = new Map<string, Turn>();
  const lanes = new Map<string, Lane>();
  const drawn = new Map<string, string>();

  function wake(conversation: string): void {
    if (stop.signal.aborted) return;
    const known = lanes.get(conversation);
    if (known !== undefined) {
      known.isNews = true;
      return known.nap.abort();
    }
    const lane: Lane = {
      isNews: true,
      drawnAt: -Infinity,
      spoken: undefined,
      nap: new AbortController(),
      ended: Promise.resolve(),
    };
    lanes.set(conversation, lane);
    lane.ended = work(conversation, lane);
  }

  async function work(id: string, lane: Lane): Promise<void> {
    for (let tries = 0; lane.isNews && !stop.signal.aborted;) {
      lane.isNews = false;
      try {
        const goesOn = await step(id, lane);
        tries = 0;
        if (goesOn) await news(id, lane);
      } catch (error) {
        if (stop.signal.aborted) break;
        lane.isNews = true;
        parts.log("info", "Cannot show an answer now", { conversation: id, error: `${error}` });
        const asked = error instanceof DiscordError ? error.retryAfterMs ?? 0 : 0;
        const wait = Math.max(asked, patience(++tries, parts.random));
        await clock.sleep(wait, stop.signal).catch(() => {});
      }
    }
    // Nothing is awaited in between: what comes now begins a lane of its own.
    lanes.delete(id);
  }

  /** Until something changed, and then until the next edit is due; the end waits for nothing. */
  async function news(id: string, lane: Lane): Promise<void> {
    const isLive = () => !isOver(latest.get(id)?.state ?? { kind: "done" });
    while (!stop.signal.aborted) {
      const due = lane.drawnAt + pause(id, lane) - clock.now();
      if (lane.isNews && (due <= 0 || !isLive())) return;
      lane.nap = new AbortController();
      const signal = AbortSignal.any([stop.signal, lane.nap.signal]);
      await (lane.isNews ? clock.sleep(due, signal).catch(() => {}) : aborted(signal));
    }
  }

  function pause(id: string, { spoken }: Lane): number {
    const turn = latest.get(id);
    return turn === undefined || turn.text === "" || turn.id === spoken ? EVERY_MS : FIRST_MS;
  }

  /** What is over first, in order; then what runs. False when there is nothing to come back for. */
  async function step(id: string, lane: Lane): Promise<boolean> {
    const one = parts.state().conversations.get(id);
    if (one === undefined) return false;
    await tidy(one);
    // Also what ended meanwhile: the next answer is not shown before it.
    for (let next = one.untold[0]; next !== undefined; next = one.untold[0]) {
      await deliver(one, next);
    }
    const turn = latest.get(id);
    if (turn === undefined || isOver(turn.state)) {
      if (latest.get(id) === turn) latest.delete(id);
      return false;
    }
    if (await draw(one, turn)) {
      lane.drawnAt = clock.now();
      if (turn.text !== "") lane.spoken = turn.id;
    }
    return true;
  }

  /** What was shown of a turn that was interrupted, and whose messages nobody wants answered any more. */
  async function tidy({ id, turn, turns, untold, cut }: Conversation): Promise<void> {
    const next = cut === undefined ? turn?.id : turnId(id, turns + 1);
    for (const [shown, { channelId, ids, isWhole }] of Object.entries(memory.read().shown)) {
      const isWanted = shown === next || untold.some((one) => one.id === shown);
      if (isWanted || conversationOfTurn(shown) !== id) continue;
      for (const message of isWhole === true ? [] : ids) {
        await rest.remove(channelId, message, stop.signal).catch(unlessClosed);
      }
      forget(shown);
    }
  }

  function keep(turn: string, shown: ShownTurn): void {
    memory.write({ shown: { ...memory.read().shown, [turn]: shown } });
  }

  function forget(turn: string): void {
    const { [turn]: _, ...rest } = memory.read().shown;
    memory.write({ shown: rest });
  }

  async function draw(one: Conversation, turn: Turn): Promise<boolean> {
    const { where } = one;
    const isQuestion = turn.state.kind === "asking" || turn.state.kind === "stuck";
    if (where === undefined || !(parts.streams(one.id) || isQuestion)) return false;
    const [view] = viewOfTurn(turn, { style: parts.style(), mark: memory.read().mark, pings: [] });
    if (view === undefined) return false;
    const look = JSON.stringify(view);
    if (drawn.get(turn.id) === look) return false;
    const [first] = memory.read().shown[turn.id]?.ids ?? [];
    await put(one, turn.id, 0, view, first);
    drawn.set(turn.id, look);
    return true;
  }

  async function deliver(one: Conversation, record: TurnRecord): Promise<void> {
    const turn = ended.get(record.id) ?? turnOfRecord(record, one.id, "somebody");
    if (one.where === undefined) return done(one, record);
    const known = new Set([
      ...parts.siblings(),
      ...record.messages.flatMap(({ arrival }) => [
        arrival.author.id,
        ...arrival.mentions.users.map(({ id }) => id),
      ]),
    ]);
    const views = viewOfTurn(turn, {
      style: parts.style(),
      mark: memory.read().mark,
      pings: pingsIn(turn.text, known),
    });
    try {
      const calls = pingsIn(turn.text, new Set(parts.siblings())).length > 0;
      const ids = await anew(one, record.id, calls);
      for (const [i, view] of views.entries()) await put(one, record.id, i, view, ids[i]);
    } catch (error) {
      const { message, kind } = unlessClosed(error);
      // Who deleted the thread wants to see no more of it.
      if (kind !== "missing" && await saidAbove(one, record.id, views)) return done(one, record);
      // Nowhere to say it: it is kept in the transcript, and nothing else waits for it.
      parts.log("warn", "An answer cannot be given in its place", {
        conversation: one.id,
        error: message,
      });
    }
    done(one, record);
  }

  /**
   * Of a thread that may not be written in the answer is given where people can see it: in the channel
   * in which it was asked for. What was said within a thread, which may be private, never leaves it.
   */
  async function saidAbove(
    { where, first: { id, place } }: Conversation,
    turn: string,
    views: readonly Outgoing[],
  ): Promise<boolean> {
    if (where === undefined || where.replies || where.channelId === place.channelId) return false;
    if (place.threadId !== undefined) return false;
    const why =
      `⚠️ I cannot write in <#${where.channelId}>: the right Send Messages in Threads is ` +
      "missing, or the thread is locked. So I answer here:";
    try {
      for (const [i, view] of [{ content: why }, ...views].entries()) {
        await rest.send(place.channelId, {
          ...view,
          nonce: nonceOf(memory.read().mark, `${turn} above`, i),
          ...(i === 0 ? { replyTo: id } : {}),
        }, stop.signal);
      }
      return true;
    } catch (error) {
      unlessClosed(error);
      return false;
    }
  }

  /** Other bots hear of new messages only: one that grew gives way to the answer that calls them. */
  async function anew(one: Conversation, turn: string, isAnew: boolean): Promise<readonly Id[]> {
    const shown = memory.read().shown[turn];
    if (!isAnew || shown === undefined || shown.isFinal === true) return shown?.ids ?? [];
    for (const id of shown.ids) {
      await rest.remove(one.where!.channelId, id, stop.signal).catch((error: unknown) => {
        if (!(error instanceof DiscordError) || error.kind !== "missing") throw error;
      });
    }
    const { channelId } = shown;
    keep(turn, { channelId, ids: [], isFinal: true });
    return [];
  }

  function done(one: Conversation, record: TurnRecord): void {
    const shown = memory.read().shown[record.id];
    if (shown !== undefined) keep(record.id, { ...shown, isWhole: true });
    parts.broker.told(one.id, record.id);
    ended.delete(record.id);
    drawn.delete(record.id);
    forget(record.id);
  }

  /** Edits the message, or sends it; remembers it before anything else is done. */
  async function put(
    one: Conversation,
    turn: string,
    at: number,
    view: Outgoing,
    known: Id | undefined,
  ): Promise<void> {
    const { channelId, replies } = one.where!;
    if (known !== undefined) {
      try {
        await rest.edit(channelId, known, view, stop.signal);
        return;
      } catch (error) {
        if (!(error instanceof DiscordError)) throw error;
        if (error.kind !== "missing" && error.code !== TOO_OLD) throw error;
        // A.17.23: what is too old to be edited gives way to a new message.
        if (error.code === TOO_OLD) await rest.remove(channelId, known).catch(() => {});
      }
    }
    const messages = one.turn?.messages ?? one.untold.find(({ id }) => id === turn)?.messages ?? [];
    const answered = messages.at(-1)?.arrival.id;
    const before = memory.read().shown[turn] ?? { channelId, ids: [] };
    const content = view.content ?? "";
    const { posting } = before;
    const isOpen = posting?.at === at && answered !== undefined;
    const found = isOpen
      ? await findPosted(rest, {
        ...{ channelId, posting, by: parts.me(), after: answered, not: before.ids },
      }, stop.signal)
      : undefined;
    const files = view.files?.map(({ name }) => name) ?? [];
    if (found === undefined) keep(turn, { ...before, posting: { at, content, files } });
    const posted = found ?? await rest.send(channelId, {
      ...view,
      nonce: nonceOf(memory.read().mark, `${turn} ${known ?? ""} ${before.isFinal === true}`, at),
      ...(replies && at === 0 && answered !== undefined ? { replyTo: answered } : {}),
    }, stop.signal);
    const ids = [...before.ids];
    ids[at] = posted.id;
    keep(turn, { ...before, ids, posting: undefined });
    // It may be what an earlier life has sent, whose words were others.
    if (posted.content !== content) await rest.edit(channelId, posted.id, view, stop.signal);
  }

  return {
    show(turn) {
      latest.set(turn.conversation, turn);
      if (isOver(turn.state)) ended.set(turn.id, turn);
      wake(turn.conversation);
    },
    look: wake,
    start() {
      const shown = new Set(Object.keys(memory.read().shown).map(conversationOfTurn));
      for (const { id, untold } of parts.state().conversations.values()) {
        if (untold.length > 0 || shown.has(id)) wake(id);
      }
    },
    waiting: () => lanes.size,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([...lanes.values()].map(({ ended }) => ended));
    },
  };
}
