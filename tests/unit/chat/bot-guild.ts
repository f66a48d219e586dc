import type { Arrival } from "../../../lib/chat/arrival.ts";
import {
  areBotsStopped,
  type BotTurns,
  countTurn,
  isTurnWarning,
  NO_BOT_TURNS,
  settleOwed,
  type TurnWarning,
  turnWarningText,
} from "../../../lib/chat/bot-turns.ts";
import type { BotMode, BotRules } from "../../../lib/chat/broker-config.ts";
import { isHeard, judge } from "../../../lib/chat/gate.ts";
import {
  noteBot,
  otherBots,
  type Participation,
  tookPart,
  unpackParticipation,
} from "../../../lib/chat/participation.ts";
import { ADA, arrival, rules, THREAD } from "./arrivals.ts";

const NOISE = "999";

interface GuildBot {
  id: string;
  rules: BotRules;
  turns: BotTurns;
  known: Participation;
}

/** What happened from one person's message to the next. */
export interface Epoch {
  messages: number;
  answersToBots: number;
  warnings: TurnWarning[];
}

export interface Guild {
  bots: number;
  mode: BotMode;
  everyMs: number;
  /** In all; with noise, else at most. */
  messages: number;
  /** A person speaks so often, evenly. */
  people: number;
  /** A bot of somebody else talks on, whatever it is told, and calls everybody. */
  noise: boolean;
}

/**
 * Bots of separate processes in one thread: each sees every message, in one order, and answers what
 * its gate lets through with a message that calls the author.
 */
export function simulate({ bots, mode, everyMs, messages, people, noise }: Guild): Epoch[] {
  const ids = Array.from({ length: bots }, (_, i) => `${900 + i}`);
  const trustedBots = mode === "off" ? [] : [...ids, NOISE];
  const guild: GuildBot[] = ids.map((id) => ({
    id,
    rules: rules({ botMessages: mode, trustedBots, userMessages: "involved" }),
    turns: NO_BOT_TURNS,
    known: unpackParticipation(),
  }));
  const queue: { author: string; content: string; isToBot?: boolean }[] = [];
  const epochs: Epoch[] = [];
  let at = 0;
  for (let i = 0; i < messages; i++) {
    const isPerson = i % Math.ceil(messages / people) === 0;
    if (isPerson) queue.unshift({ author: ADA, content: `<@${ids[0]}> talk to <@${ids[1]}>` });
    if (queue.length === 0 && noise) {
      queue.push({ author: NOISE, content: ids.map((id) => `<@${id}>`).join(" ") + " more" });
    }
    const said = queue.shift();
    if (said === undefined) break;
    // A message that waits for its turn is looked at again when the turn begins.
    const speaker = guild.find(({ id }) => id === said.author);
    if (said.isToBot && areBotsStopped(speaker!.turns, at, speaker!.rules.botTurns)) continue;
    if (isPerson) epochs.push({ messages: 0, answersToBots: 0, warnings: [] });
    const epoch = epochs.at(-1)!;
    // A warning is posted without an agent's thinking before it.
    at += isTurnWarning(said.content) ? 1000 : everyMs;
    epoch.messages += isPerson ? 0 : 1;
    if (said.isToBot) epoch.answersToBots++;
    const message = arrival({
      id: `${10_000 + i}`,
      at,
      content: said.content,
      place: { threadId: THREAD, threadOwner: ids[0]! },
      author: { id: said.author, isBot: said.author !== ADA },
    });
    for (const bot of guild) {
      const { warning, isAnswered } = receive(bot, message);
      if (warning !== undefined) {
        epoch.warnings.push(warning);
        queue.unshift({ author: bot.id, content: turnWarningText(warning, bot.rules.botTurns) });
      }
      if (!isAnswered) continue;
      const next = ids[(ids.indexOf(bot.id) + 1) % ids.length]!;
      const called = message.author.isBot && said.author !== NOISE ? said.author : next;
      queue.push({
        author: bot.id,
        content: `<@${called}> and what do you think?`,
        isToBot: message.author.isBot,
      });
    }
  }
  return epochs;
}

function receive(
  bot: GuildBot,
  message: Arrival,
): { warning: TurnWarning | undefined; isAnswered: boolean } {
  const { author, at } = message;
  // The timer that was set for it.
  const late = settleOwed(bot.turns, at - 1);
  bot.turns = late.turns;
  if (author.isBot) bot.known = noteBot(bot.known, THREAD, author.id);
  const others = otherBots(bot.known, THREAD, bot.id);
  const isPart = tookPart(bot.known, THREAD, bot.id);
  const heard = author.id === bot.id
    ? { by: "me" as const, at }
    : author.isBot
    ? { by: "bot" as const, at, id: author.id, isWarning: isTurnWarning(message.content) }
    : isHeard(message, bot.rules)
    ? { by: "person" as const }
    : undefined;
  const facts = { me: bot.id, others, mayWarn: isPart && bot.rules.botMessages !== "off" };
  const counted = heard === undefined
    ? { turns: bot.turns, warning: undefined }
    : countTurn(bot.turns, heard, bot.rules.botTurns, facts);
  bot.turns = counted.turns;
  const { kind } = judge(message, bot.rules, {
    me: bot.id,
    tookPart: isPart,
    hasOtherBots: others.length > 0,
    calledByRole: false,
    botsStopped: areBotsStopped(bot.turns, at, bot.rules.botTurns),
  });
  return { warning: late.warning ?? counted.warning, isAnswered: kind === "answer" };
}
