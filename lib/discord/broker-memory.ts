import type { BotTurns } from "../chat/bot-turns.ts";
import type { Id } from "./message.ts";

/** How far a bot's conversations got on Discord. Facts are the journal's; this is found again or said twice. */
export interface BrokerRemembered {
  /** For nonces and buttons. */
  mark: string;
  /** By channel or thread: the newest message up to which all were read. */
  seen: Readonly<Record<Id, Id>>;
  /** By conversation: bots that have spoken in it. */
  bots: readonly (readonly [Id, readonly Id[]])[];
  /** By conversation: how long bots have talked without a person. */
  turns: Readonly<Record<Id, BotTurns>>;
  /** By conversation: the newest message that is in its count; after a restart none is counted again. */
  counted: Readonly<Record<Id, Id>>;
  /** By turn: the messages that show it, in order. */
  shown: Readonly<Record<string, ShownTurn>>;
  /** By turn: signs that were not all seen to. */
  signs: Readonly<Record<string, OwedSigns>>;
}

export interface ShownTurn {
  channelId: Id;
  ids: readonly Id[];
  /** What grew was taken away, and these are of the answer alone. */
  isFinal?: boolean | undefined;
  /** All of the answer is there: whatever becomes of the rest, it stays. */
  isWhole?: boolean | undefined;
  /** Was about to be sent; whether it was is not known. */
  posting?: Posting | undefined;
}

export interface Posting {
  /** The how many-th message of the turn, from 0. */
  at: number;
  content: string;
  /** Names. */
  files: readonly string[];
}

/** What is to be on the messages of a turn that is over. */
export interface OwedSigns {
  /** Each with its channel; the last one bears the sign. */
  messages: readonly (readonly [Id, Id])[];
  /** Null: none. */
  emoji: string | null;
}

export interface BrokerMemory {
  read(): BrokerRemembered;
  /** On disk when this returns, or kept in memory on a failing disk. */
  write(change: Partial<BrokerRemembered>): void;
}
