import type { Clock } from "../base/clock.ts";
import { explain } from "../base/explain.ts";
import type { Event } from "../sweep/event.ts";
import type { AgentSession, Block, PermissionRequest, SessionOption } from "./agent-session.ts";
import { type Arrival, conversationOf } from "./arrival.ts";
import type { ChatHappening, TurnEnding, Where } from "./chat-event.ts";
import type { ChatState, Conversation, TurnRecord, Waiting } from "./chat-state.ts";
import { type BatchLimits, nextBatch } from "./next-turn.ts";
import type { TurnPatience } from "./patience.ts";
import { type RunningTurn, runTurn } from "./run-turn.ts";
import type { Sessions } from "./sessions.ts";
import { type PermissionWord, type Turn, type TurnFailure, turnId } from "./turn.ts";

export interface BrokerParts {
  state(): ChatState;
  /** On disk when it returns; throws when the disk refuses, and then nothing has happened. */
  append(whats: readonly ChatHappening[], by: string): readonly Event<ChatHappening>[];
  sessions: Sessions;
  clock: Clock;
  batch(): BatchLimits;
  patience(): TurnPatience;
  /** Where the conversation's answers go: a thread is made, or found; a reply where none can be. */
  place(conversation: Conversation, signal: AbortSignal): Promise<Where>;
  /** What the agent is given of these messages, with attachments. */
  blocks(
    conversation: Conversation,
    messages: readonly Arrival[],
    signal: AbortSignal,
  ): Promise<readonly Block[]>;
  /**
   * Asked when a turn is about to begin: it does, it ends at once with a word, or its messages are
   * not answered at all, because they were let in under rules that do not hold any more.
   */
  screen?(conversation: Conversation, batch: readonly Waiting[]): "go" | "drop" | TurnFailure;
  onChange(): void;
  log(level: "info" | "warn" | "error", message: string, facts?: Record<string, unknown>): void;
}

/** After so long a disk that refused is asked again. */
const RETRY_MS = 5_000;

/** How many lives of this program may die in the same turn before it is given up with a word. */
const TRIES = 3;

const LOST: TurnFailure = {
  kind: "lost",
  message: `herd ended ${TRIES} times in the middle of this turn`,
  code: undefined,
  stderr: "",
  hint: "Say it again, perhaps in other words",
};

export type Told = { done: true } | { done: false; reason: string };
export type OptionsTold = { options: readonly SessionOption[] } | { reason: string };

/** Takes messages in, makes turns of them, one at a time in each conversation. */
export interface Broker extends AsyncDisposable {
  /** Stored when it returns; false when it was known already. */
  accept(arrival: Arrival, conversation?: string): boolean;
  revise(message: string, content: string): void;
  withdraw(message: string, by: string): void;
  /** Ends the turn that runs; what waits is done after. */
  cancel(conversation: string, by: string): Told;
  /** The same, and drops what waits. */
  cancelAll(conversation: string, by: string): Told;
  /** The agent forgets: the next message begins anew. */
  reset(conversation: string, by: string): Promise<Told>;
  /** A turn that is stuck may go on. */
  extend(conversation: string, by: string): Told;
  /** Said into the turn that runs; false where none runs, or its agent cannot take it. */
  steer(conversation: string, text: string, by: string): Promise<boolean>;
  asking(
    conversation: string,
    request: PermissionRequest | undefined,
    answered?: PermissionWord,
  ): void;
  /**
   * What the conversation's agent lets people choose. One that does not live is started, for at
   * most `signal`; undefined: it cannot be told now.
   */
  options(conversation: string, signal: AbortSignal): Promise<OptionsTold>;
  /** The agent forgets what was said here and goes on with what was said in another conversation. */
  attach(conversation: string, from: string, by: string): Promise<Told>;
  /** Whether a message that was an order is heard for the first time; it is noted. */
  heed(conversation: string, message: string, by: string): boolean;
  choose(conversation: string, option: string, value: string, by: string): Promise<Told>;
  /** What was allowed for always is asked for again. */
  revoke(conversation: string, grant: string, by: string): Told;
  /** Turns that run or wait for their agent, as they are now. */
  turns(): readonly Turn[];
  onTurn(listener: (turn: Turn) => void): () => void;
  /** People see the turn's last form. */
  told(conversation: string, turn: string): void;
  /** Takes up what an earlier life left. */
  start(): void;
}

export function createBroker(parts: BrokerParts): Broker {
  const { clock } = parts;
  const running = new Map<string, { turn: RunningTurn; stop: AbortController; by: string }>();
  const lanes = new Map<string, Promise<void>>();
  const listeners = new Set<(turn: Turn) => void>();
  const stop = new AbortController();

  function write(whats: readonly ChatHappening[], by: string): void {
    parts.append(whats, by);
    parts.onChange();
  }

  const find = (id: string) => parts.state().conversations.get(id);

  function wake(id: string): void {
    if (stop.signal.aborted || lanes.has(id)) return;
    lanes.set(id, work(id).finally(() => lanes.delete(id)));
  }

  /** Never rejects: what the disk refuses is done when it does not, as nothing has happened until then. */
  async function work(id: string): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        return await workOff(id);
      } catch (error) {
        if (stop.signal.aborted) return;
        parts.log("error", "A conversation cannot go on", { conversation: id, error: `${error}` });
        await clock.sleep(RETRY_MS, stop.signal).catch(() => {});
      }
    }
  }

  /** Until the disk takes it. Rejects when this program is to end. */
  async function surely(act: () => void): Promise<void> {
    for (let isTold = false;; isTold = true) {
      try {
        return act();
      } catch (error) {
        stop.signal.throwIfAborted();
        if (!isTold) parts.log("error", "Cannot write what has happened", { error: `${error}` });
        await clock.sleep(RETRY_MS, stop.signal);
      }
    }
  }

  async function workOff(id: string): Promise<void> {
    while (!stop.signal.aborted) {
      const one = find(id);
      const batch = one === undefined ? [] : nextBatch(one.waiting, parts.batch());
      if (one === undefined || batch.length === 0) return;
      const verdict = batch.some(({ deaths }) => deaths >= TRIES)
        ? LOST
        : parts.screen?.(one, batch) ?? "go";
      if (verdict === "go") await carryOut(one, batch);
      else if (verdict === "drop") drop(id, batch, "broker");
      else await giveUp(one, batch, verdict);
    }
  }

  /** With a word, where people see it. */
  async function giveUp(
    one: Conversation,
    batch: readonly Waiting[],
    failure: TurnFailure,
  ): Promise<void> {
    await settle(one, stop.signal);
    const { turn, messages } = begin(one, batch);
    const ending = { end: "failed", text: "", failure, tookMs: 0 } as const;
    await surely(() => finish(one.id, turn, ending));
    tell({
      id: turn,
      conversation: one.id,
      messages,
      state: stateOf(ending, "broker"),
      startedAt: undefined,
      activeAt: clock.now(),
      tools: [],
      text: "",
      use: undefined,
    });
  }

  function begin(one: Conversation, batch: readonly Waiting[]) {
    const messages = batch.map(({ arrival }) => arrival.id);
    const turn = turnId(one.id, one.turns + 1);
    write([{ type: "turn-begun", turn, conversation: one.id, messages }], "broker");
    return { turn, messages };
  }

  function finish(conversation: string, turn: string, ending: TurnEnding, by = "broker"): void {
    write([{ type: "turn-ended", turn, conversation, ...ending }], by);
  }

  async function carryOut(one: Conversation, batch: readonly Waiting[]): Promise<void> {
    const { turn, messages } = begin(one, batch);
    const own = new AbortController();
    const signal = AbortSignal.any([own.signal, stop.signal]);
    let placed = Promise.resolve();
    const run = runTurn({
      turn: { id: turn, conversation: one.id, messages, begunAt: clock.now() },
      sessions: parts.sessions,
      async blocks(ended) {
        placed = settle(one, ended);
        await placed;
        return await parts.blocks(one, batch.map(({ arrival }) => arrival), ended);
      },
      patience: parts.patience(),
      clock,
      signal,
      onChange: tell,
      onSession: (session) => know(one.id, session),
    });
    const entry = { turn: run, stop: own, by: "broker" };
    running.set(one.id, entry);
    const ending = await run.ended;
    running.delete(one.id);
    // The end of this program is no end of the turn: its next life takes it up again.
    const isCut = stop.signal.aborted && ending.end !== "done";
    const end = isCut || !await isSpeakable(one, ending, placed) ? "interrupted" : ending.end;
    const orderly = end === "interrupted" || undefined;
    const by = end === "cancelled" && !own.signal.aborted ? "the agent itself" : entry.by;
    await surely(() => finish(one.id, turn, { ...ending, end, orderly }, by));
    if (end !== "interrupted") tell({ ...run.now, state: stateOf({ ...ending, end }, by) });
  }

  /** An agent may fail before there is a place to say so. False when this program is to end first. */
  async function isSpeakable(
    one: Conversation,
    { end }: TurnEnding,
    placed: Promise<void>,
  ): Promise<boolean> {
    if (end !== "failed") return true;
    try {
      await placed.catch(() => settle(one, stop.signal));
      return true;
    } catch (error) {
      if (stop.signal.aborted) return false;
      throw error;
    }
  }

  /** A conversation has its place before its first turn begins to speak. */
  async function settle(one: Conversation, signal: AbortSignal): Promise<void> {
    if (find(one.id)?.where !== undefined) return;
    const where = await parts.place(one, signal);
    await surely(() =>
      write([{ type: "conversation-placed", conversation: one.id, where }], "broker")
    );
  }

  function know(conversation: string, { sessionId }: AgentSession): void {
    if (find(conversation)?.sessionId === sessionId) return;
    // Unknown to the next life it is replayed; no turn fails for that.
    surely(() => write([{ type: "session-known", conversation, sessionId }], "broker"))
      .catch(() => {});
  }

  function tell(turn: Turn): void {
    for (const listener of listeners) {
      try {
        listener(turn);
      } catch (error) {
        parts.log("warn", "A listener of the broker failed", { error: `${error}` });
      }
    }
  }

  function cancel(conversation: string, by: string): Told {
    const entry = running.get(conversation);
    if (entry === undefined) return { done: false, reason: "Nothing runs here" };
    entry.by = by;
    entry.stop.abort();
    return { done: true };
  }

  function dropWaiting(conversation: string, by: string): number {
    return drop(conversation, find(conversation)?.waiting ?? [], by);
  }

  function drop(conversation: string, waiting: readonly Waiting[], by: string): number {
    const whats = waiting.map(({ arrival }) =>
      ({ type: "message-withdrawn", message: arrival.id, conversation }) as const
    );
    if (whats.length > 0) write(whats, by);
    return whats.length;
  }

  async function reset(conversation: string, by: string): Promise<Told> {
    const one = find(conversation);
    if (one === undefined) return { done: false, reason: "There is no conversation here" };
    dropWaiting(conversation, by);
    cancel(conversation, by);
    await lanes.get(conversation);
    await parts.sessions.close(conversation);
    write([{ type: "conversation-closed", conversation, why: "reset" }], by);
    return { done: true };
  }

  async function options(id: string, signal: AbortSignal): Promise<OptionsTold> {
    const live = parts.sessions.find(id);
    if (live !== undefined) return { options: live.options() };
    if (lanes.has(id)) return { reason: "The agent is being started; ask again in a moment" };
    if (find(id) === undefined) return { reason: "There is no conversation here" };
    const told = Promise.withResolvers<OptionsTold>();
    // As a turn would have it: one at a time, so that no second agent is started beside it.
    const lane = startFor(id, AbortSignal.any([signal, stop.signal])).then(
      told.resolve,
      (error) =>
        told.resolve({ reason: `The agent cannot be started: ${explain(error, "terminal")}` }),
    );
    lanes.set(
      id,
      lane.finally(() => {
        lanes.delete(id);
        wake(id);
      }),
    );
    return await told.promise;
  }

  async function startFor(id: string, signal: AbortSignal): Promise<OptionsTold> {
    const got = await parts.sessions.take(id, { signal, onAhead() {} });
    if ("aborted" in got) return { reason: "No agent is free now; ask again in a minute" };
    if ("failed" in got) return { reason: `The agent cannot be started: ${got.failed.message}` };
    know(id, got.session);
    const options = got.session.options();
    got.release();
    return { options };
  }

  function whose(message: string): Conversation | undefined {
    return [...parts.state().conversations.values()].find(({ waiting }) =>
      waiting.some(({ arrival }) => arrival.id === message)
    );
  }

  return {
    accept(arrival, conversation = conversationOf(arrival.place)) {
      if (parts.state().heard.has(arrival.id)) return false;
      write([{ type: "message-heard", arrival, conversation }], `discord:${arrival.author.id}`);
      wake(conversation);
      return true;
    },
    revise(message, content) {
      const one = whose(message);
      if (one === undefined) return;
      write([{ type: "message-revised", message, conversation: one.id, content }], "broker");
    },
    withdraw(message, by) {
      const one = whose(message);
      if (one === undefined) return;
      write([{ type: "message-withdrawn", message, conversation: one.id }], by);
    },
    cancel,
    cancelAll(conversation, by) {
      const dropped = dropWaiting(conversation, by);
      const ended = cancel(conversation, by);
      return dropped > 0 ? { done: true } : ended;
    },
    reset,
    extend(conversation) {
      const entry = running.get(conversation);
      if (entry === undefined) return { done: false, reason: "Nothing runs here" };
      entry.turn.extend();
      return { done: true };
    },
    async steer(conversation, text, by) {
      const turn = running.get(conversation)?.turn.now.id;
      if (turn === undefined) return false;
      const isTaken = await parts.sessions.find(conversation)?.steer(text) ?? false;
      if (isTaken) write([{ type: "turn-steered", turn, conversation, text }], by);
      return isTaken;
    },
    asking: (conversation, request, answered) =>
      running.get(conversation)?.turn.asking(request, answered),
    options,
    async attach(conversation, from, by) {
      if (find(conversation) !== undefined) {
        const told = await reset(conversation, by);
        if (!told.done) return told;
      }
      write([{ type: "conversation-attached", conversation, from }], by);
      return { done: true };
    },
    heed(conversation, message, by) {
      if (parts.state().heard.has(message)) return false;
      write([{ type: "word-heeded", conversation, message }], by);
      return true;
    },
    async choose(conversation, option, value, by) {
      const session = parts.sessions.find(conversation);
      const problem = await session?.choose(option, value);
      if (problem !== undefined) return { done: false, reason: problem };
      if (find(conversation) === undefined) {
        return { done: false, reason: "There is no conversation here" };
      }
      write([{ type: "option-chosen", conversation, option, value }], by);
      return { done: true };
    },
    revoke(conversation, grant, by) {
      const isKnown = find(conversation)?.grants.some(({ id }) => id === grant) === true;
      if (!isKnown) return { done: false, reason: "That is not allowed any more already" };
      write([{ type: "permission-revoked", conversation, grant }], by);
      return { done: true };
    },
    turns: () => [...running.values()].map(({ turn }) => turn.now),
    onTurn(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    told: (conversation, turn) => write([{ type: "turn-told", turn, conversation }], "broker"),
    start() {
      for (const { id, turn } of parts.state().conversations.values()) {
        if (turn !== undefined) finish(id, turn.id, interrupted(turn, clock.now()));
        wake(id);
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(lanes.values());
    },
  };
}

function interrupted({ begunAt }: TurnRecord, now: number): TurnEnding {
  return { end: "interrupted", text: "", tookMs: now - begunAt };
}

/** How a turn that is over looks. */
export function stateOf({ end, failure }: TurnEnding, by: string): Turn["state"] {
  if (end === "done") return { kind: "done" };
  if (end === "failed" && failure !== undefined) return { kind: "failed", failure };
  return { kind: "cancelled", by };
}
