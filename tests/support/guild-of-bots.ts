import type { TestContext } from "node:test";
import { isTurnWarning, turnWarningText } from "../../lib/chat/bot-turns.ts";
import type { BotMode, BotRules, UserMode } from "../../lib/chat/broker-config.ts";
import { RULE_DEFAULTS } from "../../lib/chat/broker-defaults.ts";
import { createBrokerIntake } from "../../lib/discord/broker-intake.ts";
import { createBrokerRoom } from "../../lib/discord/broker-room.ts";
import type { Message } from "../../lib/discord/message.ts";
import { idOfTime } from "../../lib/discord/snowflake.ts";
import { brokerMemoryInRam } from "./broker-memory-in-ram.ts";
import { chatScene } from "./chat-scene.ts";

export interface GuildOfBots {
  bots: number;
  botMode: BotMode;
  userMode: UserMode;
  /** Between two messages. */
  everyMs: number;
  messages: number;
  /** A person speaks so often, evenly. */
  people: number;
}

/** What happened from one person's message to the next. */
export interface Stretch {
  /** Of these bots to a bot. */
  answers: number;
  warnings: string[];
}

interface Said {
  author: string;
  content: string;
  /** Of a bot to a bot. */
  isToBot: boolean;
}

const PERSON = "7";
const NOISE = "999";
const [CHANNEL, THREAD] = ["100", "200"];

/**
 * Whole brokers, each with its intake, its gate, its count, its journal and its agent, in one thread
 * with a person and a bot that talks on whatever it is told. Each agent answers when it is its turn,
 * and calls somebody.
 */
export async function guildOfBots(t: TestContext, guild: GuildOfBots): Promise<Stretch[]> {
  const ids = Array.from({ length: guild.bots }, (_, i) => `${900 + i}`);
  const warnings: Said[] = [];
  const rules: BotRules = {
    ...RULE_DEFAULTS,
    channels: [CHANNEL],
    users: [PERSON],
    botMessages: guild.botMode,
    trustedBots: guild.botMode === "off" ? [] : [...ids, NOISE],
    userMessages: guild.userMode,
  };
  const all = ids.map((id, i) => botOf(t, id, ids[(i + 1) % ids.length]!, rules, warnings));
  const stretches: Stretch[] = [];
  let now = 1_700_000_000_000;
  for (let i = 0; i < guild.messages; i++) {
    const isPerson = i % Math.ceil(guild.messages / guild.people) === 0;
    const called = ids.map((id) => `<@${id}>`).join(" ");
    const said = isPerson
      ? { author: PERSON, content: `<@${ids[0]}> begin`, isToBot: false }
      : warnings.shift() ?? await turnOf(all, i)?.answer() ??
        { author: NOISE, content: `${called} more`, isToBot: false };
    if (isPerson) stretches.push({ answers: 0, warnings: [] });
    const stretch = stretches.at(-1)!;
    if (said.isToBot) stretch.answers++;
    if (isTurnWarning(said.content)) stretch.warnings.push(nameOf(said.content, rules));
    // Nobody thinks before a warning.
    now += isTurnWarning(said.content) ? 1_000 : guild.everyMs;
    for (const bot of all) await bot.hear(messageOf(said, now, i));
  }
  return stretches;
}

/** Whose agent has something to say; they take turns. */
function turnOf(all: readonly ReturnType<typeof botOf>[], i: number) {
  return all.map((_, k) => all[(i + k) % all.length]!).find((bot) => bot.isAsked());
}

function nameOf(text: string, rules: BotRules): string {
  return (["soft", "window", "hard"] as const).find((one) =>
    turnWarningText(one, rules.botTurns) === text
  ) ?? text;
}

function messageOf({ author, content }: Said, at: number, i: number): Message {
  const users = [...content.matchAll(/<@(\d+)>/g)].map(([, id]) => id!);
  return {
    ...{ id: `${BigInt(idOfTime(at)) + BigInt(i % 4_096)}`, channelId: THREAD, guildId: "1" },
    author: { id: author, name: author, bot: author !== PERSON, webhook: false },
    member: undefined,
    content,
    mentions: { users, roles: [], everyone: false },
    ...{ replyTo: undefined, at, editedAt: undefined, pinned: false, nonce: undefined, type: 0 },
    ...{ attachments: [], title: undefined },
  };
}

function botOf(t: TestContext, me: string, next: string, rules: BotRules, warnings: Said[]) {
  const owed: { conversation: string; at: number }[] = [];
  const memory = brokerMemoryInRam();
  const room = createBrokerRoom({
    memory,
    rules: () => rules,
    calledByRole: () => false,
    onOwed: (conversation, at) => void owed.push({ conversation, at }),
  });
  const chat = chatScene(t, {
    screen: ({ id }, batch) =>
      batch.every(({ arrival }) => arrival.author.isBot) && room.areStopped(id, chat.clock.now())
        ? "drop"
        : "go",
  });
  const warn = (content: string) => warnings.push({ author: me, content, isToBot: false });
  const intake = createBrokerIntake({
    broker: chat.broker,
    rules: () => rules,
    emojis: () => ({ queued: undefined, denied: undefined }),
    rest: {
      message: () => Promise.reject(new Error("Not asked")),
      messages: () => Promise.resolve([]),
      activeThreads: () => Promise.resolve([]),
      member: () => Promise.reject(new Error("Not asked")),
      send: (_, { content = "" }) => {
        warn(content);
        return Promise.resolve(messageOf({ author: me, content, isToBot: false }, 0, 0));
      },
    },
    places: {
      of: () =>
        Promise.resolve({
          ...{ channelId: CHANNEL, threadId: THREAD, threadOwner: "900" },
          ...{ isDirect: false, guildId: "1" },
        }),
      hear() {},
      learn() {},
    },
    room,
    memory,
    reactions: { add() {} },
    clock: chat.clock,
    random: () => 0,
    me: () => me,
    guilds: () => ["1"],
    isSweeps: () => false,
    hasConversation: () => true,
    threads: () => [],
    queued: () => [],
    audit() {},
    log() {},
  });
  t.after(() => intake[Symbol.asyncDispose]());
  let answered = 0;

  /** Nothing is left to do, or the agent has been asked. */
  function settled(): Promise<void> {
    return chat.until("it is at rest or asks its agent", () => {
      const one = chat.state().conversations.get(THREAD);
      const isAtRest = one === undefined || (one.turn === undefined && one.waiting.length === 0);
      return isAtRest || chat.prompts.length > answered;
    });
  }

  return {
    async hear(message: Message): Promise<void> {
      for (const due of owed.splice(0)) {
        if (due.at > message.at) owed.push(due);
        else {
          const warning = room.settle(due.conversation, due.at);
          if (warning !== undefined) warn(turnWarningText(warning, rules.botTurns));
        }
      }
      chat.clock.advance(message.at - chat.clock.now());
      intake.hear(message);
      await intake.settled();
      await settled();
    },
    isAsked: () => chat.prompts.length > answered,
    /** The agent answers whoever spoke last; all that was said meanwhile is its next turn. */
    async answer(): Promise<Said> {
      const one = chat.state().conversations.get(THREAD)!;
      const { author } = one.turn!.messages.at(-1)!.arrival;
      chat.prompts[answered++]!.end({ kind: "done", text: "x" });
      await chat.until("it is over", () => one.untold.length === 1);
      chat.broker.told(THREAD, one.untold[0]!.id);
      await settled();
      const to = author.isBot && author.id !== NOISE ? author.id : next;
      return { author: me, content: `<@${to}> and you?`, isToBot: author.isBot };
    },
  };
}
