import type { BotTurnLimits } from "./broker-config.ts";

/** How long bots have talked in one conversation without a word of a person. Plain data. */
export interface BotTurns {
  count: number;
  /** When the latest of them were said, milliseconds since the epoch; at most `window` of them. */
  recent: readonly number[];
  /** Each is said once until a person speaks. */
  said: readonly TurnWarning[];
  /** Hit by its own message, or by somebody's warning: said at the next message of another bot. */
  owed: TurnWarning | undefined;
}

export type TurnWarning = "soft" | "window" | "hard";

export const NO_BOT_TURNS: BotTurns = { count: 0, recent: [], said: [], owed: undefined };

/** A message, as this count sees it. */
export type Heard =
  /** Of a person whom the bot hears (gate.ts, `isHeard`), with words in it. */
  | { by: "person" }
  | { by: "me"; at: number }
  /** `isWarning`: another broker says that its bots stop; see `isTurnWarning`. */
  | { by: "bot"; at: number; id: string; isWarning: boolean };

export interface TurnFacts {
  me: string;
  /** Ids of the other bots of this herd that may warn here, too, and at the same limits. */
  siblings: readonly string[];
  /** It took part here, the place is allowed, and it answers bots at all. */
  mayWarn: boolean;
}

/**
 * Counts one message of a conversation. A warning that comes back is to be posted now: each once,
 * by one bot of this herd, at the very message that hits the threshold, and never for a message of
 * its own, so that two bots do not warn each other for ever. Messages of people who are not heard
 * are not to be given to it: an outsider must not keep a talk of bots alive.
 */
export function countTurn(
  turns: BotTurns,
  heard: Heard,
  limits: BotTurnLimits,
  facts: TurnFacts,
): { turns: BotTurns; warning: TurnWarning | undefined } {
  if (heard.by === "person") return { turns: NO_BOT_TURNS, warning: undefined };
  const recent = [...within(turns.recent, heard.at, limits), heard.at].slice(-limits.window);
  const counted = { ...turns, count: turns.count + 1, recent };
  const hit = hitBy(counted, limits);
  if (hit !== undefined) return atThreshold(counted, hit, heard, facts);
  if (turns.owed === undefined || heard.by === "me") return { turns: counted, warning: undefined };
  // Somebody else has said it, or it is said now.
  const warning = heard.isWarning || !facts.mayWarn ? undefined : turns.owed;
  return { turns: { ...counted, owed: undefined }, warning };
}

/** No bot is answered here until a person speaks, or until the window has moved on. */
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
  const minutes = Math.round(windowMs / 60_000);
  return `⚠️ ${window} messages of bots within ${minutes} minutes: I pause answering bots here. ${rest}`;
}

/** The signs are those of OpenAB, too. */
export function isTurnWarning(text: string): boolean {
  return /^(⚠️?|🛑)\s/u.test(text);
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
  facts: TurnFacts,
): { turns: BotTurns; warning: TurnWarning | undefined } {
  const turns = { ...counted, said: [...counted.said, hit], owed: undefined };
  if (!facts.mayWarn) return { turns, warning: undefined };
  const author = heard.by === "me" ? facts.me : heard.id;
  const first = [facts.me, ...facts.siblings].filter((id) => id !== author).sort()[0];
  if (heard.by === "bot" && !heard.isWarning) {
    return { turns, warning: first === facts.me ? hit : undefined };
  }
  const isMine = heard.by === "bot" || first === undefined;
  return { turns: { ...turns, owed: isMine ? hit : undefined }, warning: undefined };
}

function within(times: readonly number[], at: number, { windowMs }: BotTurnLimits): number[] {
  return times.filter((time) => time > at - windowMs);
}
