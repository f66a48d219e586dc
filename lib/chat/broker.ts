import { explain } from "../base/explain.ts";
import type { PermissionRequest, SessionOption } from "./agent-session.ts";
import { type Arrival, conversationOf } from "./arrival.ts";
import type { Conversation } from "./chat-state.ts";
import type { PermissionWord, Turn } from "./turn.ts";
import { createTurns, type TurnsParts } from "./turns.ts";

/** A broker is made of what its turns are. */
export type BrokerParts = TurnsParts;

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
  /** Takes up what an earlier life left; begins no turn before `ready`, which must not reject. */
  start(ready?: Promise<void>): void;
}

export function createBroker(parts: BrokerParts): Broker {
  const turns = createTurns(parts);
  const write = parts.append;

  const find = (id: string) => parts.state().conversations.get(id);

  function cancel(conversation: string, by: string): Told {
    return turns.cancel(conversation, by)
      ? { done: true }
      : { done: false, reason: "Nothing runs here" };
  }

  function dropWaiting(conversation: string, by: string): number {
    return turns.drop(conversation, find(conversation)?.waiting ?? [], by);
  }

  async function reset(conversation: string, by: string): Promise<Told> {
    const one = find(conversation);
    if (one === undefined) return { done: false, reason: "There is no conversation here" };
    dropWaiting(conversation, by);
    cancel(conversation, by);
    await turns.busy(conversation);
    await parts.sessions.close(conversation);
    write([{ type: "conversation-closed", conversation, why: "reset" }], by);
    return { done: true };
  }

  async function options(id: string, signal: AbortSignal): Promise<OptionsTold> {
    const live = parts.sessions.find(id);
    if (live !== undefined) return { options: live.options() };
    if (turns.busy(id) !== undefined) {
      return { reason: "The agent is being started; ask again in a moment" };
    }
    if (find(id) === undefined) return { reason: "There is no conversation here" };
    const told = Promise.withResolvers<OptionsTold>();
    // As a turn would have it: one at a time, so that no second agent is started beside it.
    turns.occupy(
      id,
      (stop) =>
        startFor(id, AbortSignal.any([signal, stop])).then(
          told.resolve,
          (error) =>
            told.resolve({ reason: `The agent cannot be started: ${explain(error, "terminal")}` }),
        ),
    );
    return await told.promise;
  }

  async function startFor(id: string, signal: AbortSignal): Promise<OptionsTold> {
    const got = await parts.sessions.take(id, { signal, onAhead() {} });
    if ("aborted" in got) return { reason: "No agent is free now; ask again in a minute" };
    if ("failed" in got) return { reason: `The agent cannot be started: ${got.failed.message}` };
    turns.know(id, got.session);
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
      turns.wake(conversation);
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
      const turn = turns.running(conversation);
      if (turn === undefined) return { done: false, reason: "Nothing runs here" };
      turn.extend();
      return { done: true };
    },
    async steer(conversation, text, by) {
      const turn = turns.running(conversation)?.now.id;
      if (turn === undefined) return false;
      const isTaken = await parts.sessions.find(conversation)?.steer(text) ?? false;
      if (isTaken) write([{ type: "turn-steered", turn, conversation, text }], by);
      return isTaken;
    },
    asking: (conversation, request, answered) =>
      turns.running(conversation)?.asking(request, answered),
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
    turns: turns.all,
    onTurn: turns.onTurn,
    told: (conversation, turn) => write([{ type: "turn-told", turn, conversation }], "broker"),
    start: turns.start,
    [Symbol.asyncDispose]: turns[Symbol.asyncDispose],
  };
}
