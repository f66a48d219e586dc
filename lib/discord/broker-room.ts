import type { Arrival } from "../chat/arrival.ts";
import { conversationOf } from "../chat/arrival.ts";
import {
  areBotsStopped,
  type BotTurns,
  countTurn,
  type Heard,
  isTurnWarning,
  NO_BOT_TURNS,
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
  /** The other bots of this herd. */
  siblings(): readonly Id[];
}

/** Who has spoken where, and how long bots have talked among themselves; kept over restarts. */
export interface BrokerRoom {
  /** Takes a message into account, before any gate; answers the warning that is due now. */
  note(arrival: Arrival, me: Id): TurnWarning | undefined;
  facts(arrival: Arrival, me: Id): GateFacts;
  hasOthers(conversation: string, me: Id): boolean;
}

/** Conversations whose bots are counted; the oldest are let go. */
const MOST_COUNTED = 1_000;

export function createBrokerRoom({ memory, rules, siblings }: BrokerRoomParts): BrokerRoom {
  let bots: Participation = unpackParticipation(memory.read().bots);

  function noteSpeaker(arrival: Arrival): void {
    if (!arrival.author.isBot) return;
    const next = noteBot(bots, conversationOf(arrival.place), arrival.author.id);
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

  function turnsOf(conversation: string): BotTurns {
    return memory.read().turns[conversation] ?? NO_BOT_TURNS;
  }

  return {
    note(arrival, me) {
      noteSpeaker(arrival);
      const heard = heardOf(arrival, me);
      if (heard === undefined || arrival.kind === "system") return undefined;
      const conversation = conversationOf(arrival.place);
      const before = turnsOf(conversation);
      if (heard.by === "person" && before === NO_BOT_TURNS) return undefined;
      const { botMessages, botTurns } = rules();
      const mayWarn = botMessages !== "off" && isPlaceAllowed(arrival, rules()) &&
        tookPart(bots, conversation, me);
      const { turns, warning } = countTurn(before, heard, botTurns, {
        me,
        siblings: siblings(),
        mayWarn,
      });
      const others = Object.entries(memory.read().turns).filter(([id]) => id !== conversation);
      const kept = heard.by === "person"
        ? others
        : [...others.slice(1 - MOST_COUNTED), [conversation, turns] as const];
      memory.write({ turns: Object.fromEntries(kept) });
      return warning;
    },
    facts(arrival, me) {
      const conversation = conversationOf(arrival.place);
      return {
        me,
        tookPart: tookPart(bots, conversation, me),
        hasOtherBots: otherBots(bots, conversation, me).length > 0,
        botsStopped: areBotsStopped(turnsOf(conversation), arrival.at, rules().botTurns),
      };
    },
    hasOthers: (conversation, me) => otherBots(bots, conversation, me).length > 0,
  };
}
