import type { Arrival } from "../chat/arrival.ts";
import { conversationOf } from "../chat/arrival.ts";
import {
  areBotsStopped,
  type BotTurns,
  countTurn,
  type Heard,
  isTurnWarning,
  NO_BOT_TURNS,
  settleOwed,
  type TurnWarning,
} from "../chat/bot-turns.ts";
import type { BotRules } from "../chat/broker-config.ts";
import { type GateFacts, isHeard, isPlaceAllowed } from "../chat/gate.ts";
import {
  noteBot,
  otherBots,
  packParticipation,
  type Participation,
  tookPart,
  unpackParticipation,
} from "../chat/participation.ts";
import type { BrokerMemory } from "./broker-memory.ts";
import type { Id } from "./message.ts";

export interface BrokerRoomParts {
  memory: BrokerMemory;
  rules(): BotRules;
  /** Whether the conversation began with a mention of a role. */
  calledByRole(conversation: string): boolean;
  /** A warning that another bot was to say, and nobody did. */
  onOwed(conversation: string, at: number): void;
}

/** Who has spoken where, and how long bots have talked among themselves; kept over restarts. */
export interface BrokerRoom {
  /** Takes a message into account, before any gate; answers the warning that is due now. */
  note(arrival: Arrival, me: Id): TurnWarning | undefined;
  facts(arrival: Arrival, me: Id): GateFacts;
  hasOthers(conversation: string, me: Id): boolean;
  /** Messages of bots there since a person spoke. */
  botTurns(conversation: string): number;
  /** For a timer: the warning that nobody else has said by then. */
  settle(conversation: string, at: number): TurnWarning | undefined;
  /** Whether bots are not answered here now; asked again when a turn begins. */
  areStopped(conversation: string, at: number): boolean;
}

/** Conversations whose bots are counted; the oldest are let go. */
const MOST_COUNTED = 1_000;

export function createBrokerRoom(parts: BrokerRoomParts): BrokerRoom {
  const { memory, rules } = parts;
  let bots: Participation = unpackParticipation(memory.read().bots);
  /** By an earlier life, which may have read further than it says that it has. */
  const countedBefore = memory.read().counted;

  function noteSpeaker(arrival: Arrival, me: Id): void {
    const conversation = conversationOf(arrival.place);
    const { author, place: { threadOwner } } = arrival;
    const isOurs = threadOwner !== undefined && threadOwner === me;
    const spoke = author.isBot ? noteBot(bots, conversation, author.id) : bots;
    const next = isOurs ? noteBot(spoke, conversation, me) : spoke;
    if (next === bots) return;
    bots = next;
    memory.write({ bots: packParticipation(bots) });
  }

  function heardOf(arrival: Arrival, me: Id): Heard | undefined {
    const { author, at, content } = arrival;
    if (author.id === me) return { by: "me", at };
    if (author.isBot) {
      return { by: "bot", at, id: author.id, isWarning: isTurnWarning(content) };
    }
    return isHeard(arrival, rules()) && content.trim() !== "" ? { by: "person" } : undefined;
  }

  function keep(conversation: string, turns: BotTurns): void {
    const others = without(memory.read().turns, conversation);
    const kept = turns === NO_BOT_TURNS
      ? others
      : [...others.slice(1 - MOST_COUNTED), [conversation, turns] as const];
    memory.write({ turns: Object.fromEntries(kept) });
  }

  function count(conversation: string, message: Id): void {
    const { counted } = memory.read();
    if (!isAfter(message, counted[conversation])) return;
    const others = without(counted, conversation).slice(1 - MOST_COUNTED);
    memory.write({ counted: Object.fromEntries([...others, [conversation, message]]) });
  }

  function turnsOf(conversation: string): BotTurns {
    return memory.read().turns[conversation] ?? NO_BOT_TURNS;
  }

  return {
    note(arrival, me) {
      noteSpeaker(arrival, me);
      const heard = heardOf(arrival, me);
      if (heard === undefined || arrival.kind === "system") return undefined;
      const conversation = conversationOf(arrival.place);
      if (!isAfter(arrival.id, countedBefore[conversation])) return undefined;
      const before = turnsOf(conversation);
      if (heard.by === "person" && before === NO_BOT_TURNS) return undefined;
      const { botMessages, botTurns } = rules();
      const mayWarn = botMessages !== "off" && isPlaceAllowed(arrival, rules()) &&
        tookPart(bots, conversation, me);
      const { turns, warning } = countTurn(before, heard, botTurns, {
        me,
        others: otherBots(bots, conversation, me),
        mayWarn,
      });
      count(conversation, arrival.id);
      keep(conversation, turns);
      const dueAt = turns.owed?.dueAt ?? undefined;
      if (dueAt !== undefined && dueAt !== before.owed?.dueAt) parts.onOwed(conversation, dueAt);
      return warning;
    },
    settle(conversation, at) {
      const before = turnsOf(conversation);
      const { turns, warning } = settleOwed(before, at);
      if (turns !== before) keep(conversation, turns);
      return warning;
    },
    areStopped: (conversation, at) => areBotsStopped(turnsOf(conversation), at, rules().botTurns),
    facts(arrival, me) {
      const conversation = conversationOf(arrival.place);
      return {
        me,
        tookPart: tookPart(bots, conversation, me),
        hasOtherBots: otherBots(bots, conversation, me).length > 0,
        calledByRole: parts.calledByRole(conversation),
        botsStopped: areBotsStopped(turnsOf(conversation), arrival.at, rules().botTurns),
      };
    },
    botTurns: (conversation) => turnsOf(conversation).count,
    hasOthers: (conversation, me) => otherBots(bots, conversation, me).length > 0,
  };
}

function isAfter(id: Id, than: Id | undefined): boolean {
  return than === undefined || BigInt(id) > BigInt(than);
}

function without<T>(record: Readonly<Record<Id, T>>, id: Id): [Id, T][] {
  return Object.entries(record).filter(([one]) => one !== id);
}
