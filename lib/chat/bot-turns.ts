import type { BotTurnLimits } from "./broker-config.ts";

/** Who is next to warn waits so long for whoever is before. */
const STEP_MS = 10_000;

/** How long bots have talked in one conversation without a word of a person. Plain data. */
export interface BotTurns {
  count: number;
  /** When the latest of them were said, milliseconds since the epoch; at most `window` of them. */
  recent: readonly number[];
  /** Each is said once until a person speaks. */
  said: readonly TurnWarning[];
  /**
   * Somebody else is to say it; if nobody does, this bot says it at `dueAt`, or at the next message
   * of another bot where that is null.
   */
  owed: { warning: TurnWarning; dueAt: number | null } | undefined;
}

export type TurnWarning = "soft" | "window" | "hard";

export const NO_BOT_TURNS: BotTurns = { count: 0, recent: [], said: [], owed: undefined };

/** A message, as this count sees it. */
export type Heard =
  /** Of a person whom the bot hears (gate.ts, `isHeard`), with words in it. */
  | { by: "person" }
  | { by: "me"; at: number }
  /** `isWarning`: a broker says that its bots stop; see `isTurnWarning`. */
  | { by: "bot"; at: number; id: string; isWarning: boolean };

export interface TurnFacts {
  me: string;
  /** Ids of the other bots that took part here: most likely they count by the same rule. */
  others: readonly string[];
  /** It took part here, the place is allowed, and it answers bots at all. */
  mayWarn: boolean;
}

export interface Counted {
  turns: BotTurns;
  /** To be posted now. */
  warning: TurnWarning | undefined;
}

/**
 * Counts one message of a conversation. Each warning is said once, by one bot: at the very message
 * that hits the threshold, never by its author, so that two bots do not warn each other for ever.
 * Of several bots the one with the smallest id speaks; should it not, the next one does. Messages
 * of people who are not heard are not to be given to it: an outsider must not keep bots talking.
 */
export function countTurn(
  turns: BotTurns,
  heard: Heard,
  limits: BotTurnLimits,
  facts: TurnFacts,
): Counted {
  if (heard.by === "person") return { turns: NO_BOT_TURNS, warning: undefined };
  const recent = [...within(turns.recent, heard.at, limits), heard.at].slice(-limits.window);
  const counted = { ...turns, count: turns.count + 1, recent };
  const hit = hitBy(counted, limits);
  if (hit !== undefined) return atThreshold(counted, hit, heard, facts);
  if (heard.by === "me" || turns.owed === undefined) return { turns: counted, warning: undefined };
  if (heard.isWarning) return { turns: { ...counted, owed: undefined }, warning: undefined };
  const isDue = turns.owed.dueAt === null || heard.at >= turns.owed.dueAt;
  return isDue ? sayOwed(counted) : { turns: counted, warning: undefined };
}

/** For a timer at `owed.dueAt`: what nobody else has said by then. */
export function settleOwed(turns: BotTurns, at: number): Counted {
  const dueAt = turns.owed?.dueAt ?? Infinity;
  return at >= dueAt ? sayOwed(turns) : { turns, warning: undefined };
}

/**
 * No bot is answered here until a person speaks, or until the window has moved on. To be asked again
 * when a turn begins: messages that waited were let in before.
 */
export function areBotsStopped(turns: BotTurns, at: number, limits: BotTurnLimits): boolean {
  return turns.count >= limits.soft || within(turns.recent, at, limits).length >= limits.window;
}

/** What is posted. It begins with a sign by which other brokers know it. */
export function turnWarningText(
  warning: TurnWarning,
  { soft, hard, window, windowMs }: BotTurnLimits,
): string {
  const rest = "A person's message here lets them go on.";
  if (warning === "hard") {
    return `🛑 ${hard} of ${hard} messages of bots without a person: bots are not answered here. ${rest}`;
  }
  if (warning === "soft") {
    return `⚠️ ${soft} of ${soft} messages of bots without a person: I stop answering bots here. ${rest}`;
  }
  const minutes = Math.round(windowMs / 6000) / 10;
  return `⚠️ ${window} messages of bots within ${minutes} minutes: I pause answering bots here. ${rest}`;
}

/** The signs are those of OpenAB, too. */
export function isTurnWarning(text: string): boolean {
  return /^(⚠\uFE0F?|🛑)\s/u.test(text);
}

function hitBy({ count, recent, said }: BotTurns, limits: BotTurnLimits): TurnWarning | undefined {
  if (count === limits.hard) return "hard";
  if (count === limits.soft) return "soft";
  // Beyond the soft limit the window has nothing to add.
  const full = recent.length >= limits.window && count < limits.soft;
  return full && !said.includes("window") ? "window" : undefined;
}

function atThreshold(
  counted: BotTurns,
  hit: TurnWarning,
  heard: Exclude<Heard, { by: "person" }>,
  { me, others, mayWarn }: TurnFacts,
): Counted {
  const turns = { ...counted, said: [...counted.said, hit], owed: undefined };
  if (!mayWarn) return { turns, warning: undefined };
  if (heard.by === "me") {
    return { turns: { ...turns, owed: { warning: hit, dueAt: null } }, warning: undefined };
  }
  const before = others.filter((id) => id !== heard.id && isBefore(id, me)).length;
  // Somebody warns of something else just now.
  const steps = before + (heard.isWarning ? 1 : 0);
  if (steps === 0) return { turns, warning: hit };
  const dueAt = heard.at + steps * STEP_MS;
  return { turns: { ...turns, owed: { warning: hit, dueAt } }, warning: undefined };
}

function sayOwed(turns: BotTurns): Counted {
  return { turns: { ...turns, owed: undefined }, warning: turns.owed?.warning };
}

/** Ids are whole numbers beyond 2^53. */
function isBefore(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}

function within(times: readonly number[], at: number, { windowMs }: BotTurnLimits): number[] {
  return times.filter((time) => time > at - windowMs);
}
