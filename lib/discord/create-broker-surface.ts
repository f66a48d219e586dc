import type { Clock } from "../base/clock.ts";
import { turnWarningText } from "../chat/bot-turns.ts";
import type { Arrival } from "../chat/arrival.ts";
import type { Broker } from "../chat/broker.ts";
import type { BotConfig } from "../chat/broker-config.ts";
import type { ChatState, Conversation } from "../chat/chat-state.ts";
import { isOver, type Turn } from "../chat/turn.ts";
import { createBrokerAnswers } from "./broker-answers.ts";
import { turnOfRecord } from "./broker-view.ts";
import type { BrokerInteractions } from "./broker-interactions.ts";
import { createBrokerIntake } from "./broker-intake.ts";
import type { BrokerMemory } from "./broker-memory.ts";
import type { BrokerPlaces } from "./broker-places.ts";
import { createBrokerRoom } from "./broker-room.ts";
import type { BrokerRoles } from "./broker-roles.ts";
import type { BrokerSelf } from "./broker-self.ts";
import { createBrokerSigns } from "./broker-signs.ts";
import { answerStyle, signStyle } from "./broker-style.ts";
import { DiscordError } from "./discord-error.ts";
import type { GatewayEvent, Interaction } from "./gateway-event.ts";
import type { Id } from "./message.ts";
import { nonceOf } from "./post-view.ts";
import type { DiscordRest } from "./rest.ts";
import { createReactions } from "./reactions.ts";
import { createTyping } from "./typing.ts";

export interface BrokerSurfaceParts {
  rest: DiscordRest;
  broker: Broker;
  state(): ChatState;
  config(): BotConfig;
  memory: BrokerMemory;
  places: BrokerPlaces;
  roles: Pick<BrokerRoles, "hear">;
  self: BrokerSelf;
  clock: Clock;
  random(): number;
  /** Users of the other bots of this herd. */
  siblings(): readonly Id[];
  /** A sweep of this daemon talks in that channel by this very bot. */
  isSweeps(channelId: Id): boolean;
  interactions: BrokerInteractions;
  /** Whether it was an order, such as "stop". */
  order(arrival: Arrival, me: Id): boolean;
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** One bot on Discord: what is said reaches its broker, and people see what becomes of it. */
export interface BrokerSurface extends AsyncDisposable {
  handle(event: GatewayEvent): void;
  interact(interaction: Interaction): boolean;
  /** Says what an earlier life left unsaid, and reads what was said meanwhile. */
  start(): void;
  /** Resolves when what waited from an earlier life was looked at again. */
  reviewed: Promise<void>;
  /** It is known now where a conversation is held. */
  placed(conversation: string): void;
  /** A message that waited is not answered any more, by somebody's word. */
  withdrawn(conversation: Conversation, message: Id): void;
  /** Other bots have spoken there. */
  hasOtherBots(conversation: string): boolean;
  /** Messages of bots there since a person spoke. */
  botTurns(conversation: string): number;
  /** Bots have talked long enough there. */
  areBotsStopped(conversation: string): boolean;
  /** Conversations in which something is still to be shown. */
  waiting(): number;
}

/** Threads that are read again after a gap. */
const RECENT_THREADS = 50;

export function createBrokerSurface(parts: BrokerSurfaceParts): BrokerSurface {
  const { rest, broker, config, memory, clock, self, log } = parts;
  const stop = new AbortController();
  const me = () => self.now()?.id;
  const guilds = new Set<Id>();
  const find = (id: string) => parts.state().conversations.get(id);
  const owed = new Set<Promise<void>>();
  const typing = new Map<string, ReturnType<typeof createTyping>>();
  const common = { rest, clock, random: parts.random, log };

  const room = createBrokerRoom({
    memory,
    rules: () => config().rules,
    calledByRole(conversation) {
      const { roles } = find(conversation)?.first.mentions ?? { roles: [] };
      return roles.some(({ id }) => config().rules.triggerRoles.includes(id));
    },
    onOwed: (conversation, at) => settleLater(conversation, at),
  });
  const reactions = createReactions(common);
  const intake = createBrokerIntake({
    ...common,
    broker,
    rules: () => config().rules,
    emojis() {
      const { enabled, emojis } = config().reactions;
      return { queued: enabled ? emojis.queued : undefined, denied: emojis.denied };
    },
    places: parts.places,
    room,
    memory,
    reactions,
    me,
    isSweeps: parts.isSweeps,
    hasConversation: (threadId) => find(threadId) !== undefined,
    order: parts.order,
    guilds: () => [...guilds],
    threads: () => recentThreads(parts.state()),
    queued: () =>
      [...parts.state().conversations.values()].flatMap(({ waiting }) =>
        waiting.map(({ arrival }) => arrival)
      ),
    audit: parts.audit,
  });
  const answers = createBrokerAnswers({
    ...common,
    broker,
    state: parts.state,
    memory,
    me,
    style: () => answerStyle(config()),
    streams(conversation) {
      const { streaming } = config().answers;
      return streaming === "on" || (streaming === "auto" && !isAmongBots(conversation));
    },
    siblings: parts.siblings,
  });
  const signs = createBrokerSigns({
    ...{ ...common, memory, find, reactions },
    style: () => signStyle(config()),
  });
  const deaf = broker.onTurn((turn) => {
    answers.show(turn);
    signs.show(turn);
    type(turn);
  });

  function hasOtherBots(conversation: string): boolean {
    const id = me();
    return id !== undefined && room.hasOthers(conversation, id);
  }

  /** Others do not hear of an answer that grows in a message that they know already. */
  function isAmongBots(conversation: string): boolean {
    const id = me();
    if (hasOtherBots(conversation)) return true;
    const { first, turn } = find(conversation) ?? {};
    const heard = turn?.messages.map(({ arrival }) => arrival) ?? [];
    const siblings = parts.siblings();
    return [...first === undefined ? [] : [first], ...heard].some(({ author, mentions }) =>
      (author.isBot && author.id !== id) || mentions.users.some((one) => siblings.includes(one.id))
    );
  }

  function type({ conversation, state }: Turn): void {
    const isAtWork = state.kind === "running" || state.kind === "starting";
    if (isAtWork && !typing.has(conversation)) {
      const channelId = () => find(conversation)?.where?.channelId;
      typing.set(conversation, createTyping({ rest, clock, channelId }));
    }
    if (isAtWork) typing.get(conversation)?.begin();
    else typing.get(conversation)?.end();
    if (isOver(state)) typing.delete(conversation);
  }

  function settleLater(conversation: Id, at: number): void {
    const waiting = settle(conversation, at).catch((error: unknown) => {
      if (!stop.signal.aborted) log("info", "Cannot warn of bots", { error: `${error}` });
    }).finally(() => owed.delete(waiting));
    owed.add(waiting);
  }

  /** Nobody else may have said it by then. */
  async function settle(conversation: Id, at: number): Promise<void> {
    await clock.sleep(Math.max(0, at - clock.now()), stop.signal);
    const warning = room.settle(conversation, clock.now());
    if (warning === undefined) return;
    try {
      await rest.send(conversation, {
        content: turnWarningText(warning, config().rules.botTurns),
        nonce: nonceOf(memory.read().mark, `owed ${warning} ${conversation} ${at}`, 0),
      }, stop.signal);
    } catch (error) {
      if (!(error instanceof DiscordError)) throw error;
      log("warn", "Cannot warn of bots that talk without a person", { error: error.message });
    }
  }

  return {
    handle(event) {
      self.hear(event);
      parts.places.hear(event);
      if (event.type === "ready") { for (const id of event.guilds) guilds.add(id); }
      else if (event.type === "guild-here") guilds.add(event.id);
      else if (event.type === "guild-gone" && event.lost) guilds.delete(event.id);
      parts.roles.hear(event);
      if (event.type === "message") intake.hear(event.message);
      else if (event.type === "message-edited") intake.edited(event.message);
      else if (event.type === "message-deleted") intake.deleted(event.id);
      else if (event.type === "ready" || event.type === "resumed") {
        reactions.wake();
        intake.catchUp();
      }
    },
    interact: parts.interactions.handle,
    reviewed: intake.reviewed,
    start() {
      for (const [conversation, { owed }] of Object.entries(memory.read().turns)) {
        const dueAt = owed?.dueAt ?? undefined;
        if (dueAt !== undefined) settleLater(conversation, dueAt);
      }
      for (const { id, untold } of parts.state().conversations.values()) {
        for (const record of untold) signs.restore(turnOfRecord(record, id, "somebody"));
      }
      signs.start();
      answers.start();
    },
    withdrawn({ id, first, where, place }, message) {
      answers.look(id);
      const { enabled, emojis } = config().reactions;
      if (!enabled) return;
      const above = message === first.id ? place.threadId ?? place.channelId : undefined;
      const channelId = above ?? where?.channelId ?? place.threadId ?? place.channelId;
      log("info", "A message is not answered any more", { conversation: id, message });
      const spot = { channelId, messageId: message };
      reactions.remove(spot, emojis.queued);
      reactions.add(spot, emojis.cancelled);
    },
    placed(conversation) {
      answers.look(conversation);
      const { where } = find(conversation) ?? {};
      if (where !== undefined && !where.replies) intake.placed(where.channelId);
    },
    hasOtherBots,
    botTurns: room.botTurns,
    areBotsStopped: (conversation) => room.areStopped(conversation, clock.now()),
    waiting: answers.waiting,
    async [Symbol.asyncDispose]() {
      deaf();
      stop.abort();
      for (const one of typing.values()) one.end();
      for (const part of [intake, answers, signs, reactions]) await part[Symbol.asyncDispose]();
      await Promise.all(owed);
    },
  };
}

/** The newest last. One that is not known yet may have been made by a life that was killed; it has that id. */
function recentThreads({ conversations }: ChatState): { id: Id; since: Id }[] {
  return [...conversations.values()]
    .filter(({ where }) => where === undefined || !where.replies)
    .sort((a, b) => a.lastAt - b.lastAt)
    .slice(-RECENT_THREADS)
    .map(({ id, where, first }) => ({ id: where?.channelId ?? id, since: first.id }));
}
