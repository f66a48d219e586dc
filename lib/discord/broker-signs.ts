import type { Clock } from "../base/clock.ts";
import type { Conversation } from "../chat/chat-state.ts";
import { nextSigns, type ShownSigns } from "../chat/next-signs.ts";
import { emojiOf, type SignStyle, wantedSigns } from "../chat/signs.ts";
import { isOver, type Turn } from "../chat/turn.ts";
import type { BrokerMemory, OwedSigns } from "./broker-memory.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id } from "./message.ts";
import type { Reactions } from "./reactions.ts";
import type { DiscordRest } from "./rest.ts";

export interface BrokerSignsParts {
  rest: Pick<DiscordRest, "message">;
  reactions: Pick<Reactions, "add" | "remove" | "settled">;
  memory: BrokerMemory;
  clock: Clock;
  style(): SignStyle;
  /** Undefined when it is not known any more. */
  find(conversation: string): Conversation | undefined;
  log(level: "info", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** Reactions that say how far a turn is. Decoration: nothing reads them, nothing waits for them. */
export interface BrokerSigns extends AsyncDisposable {
  show(turn: Turn): void;
  /** One that was over in an earlier life: what is on its messages is not known. */
  restore(turn: Turn): void;
  /** Sees to what an earlier life has left, of turns whose answers were given. */
  start(): void;
}

export function createBrokerSigns(parts: BrokerSignsParts): BrokerSigns {
  const { rest, clock, memory } = parts;
  const stop = new AbortController();
  const turns = new Map<string, { turn: Turn; wake: PromiseWithResolvers<void> }>();
  const working = new Set<Promise<void>>();

  function show(turn: Turn, isOld = wasTried(turn)): void {
    // Before anybody can say that it is told: from then on the journal does not know it any more.
    if (isOver(turn.state)) owe(turn);
    const known = turns.get(turn.id);
    if (known !== undefined) {
      known.turn = turn;
      return known.wake.resolve();
    }
    if (stop.signal.aborted) return;
    const entry = { turn, wake: Promise.withResolvers<void>() };
    turns.set(turn.id, entry);
    keep(turn, follow(entry, isOld).finally(() => turns.delete(turn.id)));
  }

  /** What is owed is over when Discord has it. */
  function keep({ id, messages }: Pick<Turn, "id" | "messages">, done: Promise<void>): void {
    const work = done.then(
      async () => {
        if (stop.signal.aborted) return;
        await parts.reactions.settled(messages, stop.signal);
        if (!stop.signal.aborted) settle(id);
      },
      (error: unknown) => parts.log("info", "Cannot show how far a turn is", { error: `${error}` }),
    ).finally(() => working.delete(work));
    working.add(work);
  }

  function owe(turn: Turn): void {
    const style = parts.style();
    const { emojis } = wantedSigns(turn, { ...style, removeAfterReply: false }, clock.now());
    const channelOf = channels(parts.find(turn.conversation));
    const last = turn.messages.at(-1);
    const emoji = last === undefined || style.removeAfterReply ? undefined : emojis.get(last);
    const messages = turn.messages.flatMap((id) => {
      const channel = channelOf(id);
      return channel === undefined ? [] : [[id, channel] as const];
    });
    if (!style.enabled || messages.length === 0) return;
    memory.write({
      signs: { ...memory.read().signs, [turn.id]: { messages, emoji: emoji ?? null } },
    });
  }

  function settle(turn: string): void {
    const { [turn]: owed, ...rest } = memory.read().signs;
    if (owed !== undefined) memory.write({ signs: rest });
  }

  async function pay({ messages, emoji }: OwedSigns): Promise<void> {
    for (const [i, [message, channel]] of messages.entries()) {
      const wanted = i === messages.length - 1 ? emoji : null;
      const own = await ownOn(channel, message);
      if (wanted !== null && !own.includes(wanted)) change("add", channel, message, wanted);
      for (const one of own) if (one !== wanted) change("remove", channel, message, one);
    }
  }

  /** What this bot has on a message; what cannot be seen is taken for nothing. */
  async function ownOn(channel: Id, message: Id): Promise<readonly string[]> {
    try {
      return (await rest.message(channel, message, stop.signal)).reactions ?? [];
    } catch (error) {
      if (!stop.signal.aborted && !(error instanceof DiscordError)) throw error;
      return [];
    }
  }

  /** Its messages were in a turn that an end of herd has cut off. */
  function wasTried({ conversation, id }: Turn): boolean {
    const { turn, untold = [] } = parts.find(conversation) ?? {};
    const record = turn?.id === id ? turn : untold.find((one) => one.id === id);
    return record?.messages.some(({ tries }) => tries > 0) === true;
  }

  /** What stands on each message when its turn begins to be shown. */
  async function standing(
    { messages }: Turn,
    isOld: boolean,
    channelOf: (message: Id) => Id | undefined,
  ): Promise<ShownSigns["emojis"]> {
    const style = parts.style();
    if (!style.enabled) return new Map();
    // What was stored bears that sign, or is about to.
    if (!isOld) return new Map(messages.map((message) => [message, [emojiOf("queued", style)]]));
    const own = await Promise.all(messages.map(async (message) => {
      const channel = channelOf(message);
      return [message, channel === undefined ? [] : await ownOn(channel, message)] as const;
    }));
    return new Map(own);
  }

  async function follow(
    entry: { turn: Turn; wake: PromiseWithResolvers<void> },
    isOld: boolean,
  ): Promise<void> {
    // Before anything is awaited: a turn that is told is not known any more.
    const channelOf = channels(parts.find(entry.turn.conversation));
    const { timing } = parts.style();
    const emojis = await standing(entry.turn, isOld, channelOf);
    let shown: ShownSigns = { emojis, waiting: undefined };
    while (!stop.signal.aborted) {
      const { turn } = entry;
      const wanted = wantedSigns(turn, parts.style(), clock.now());
      const next = nextSigns(shown, wanted, clock.now(), timing.debounce);
      for (const { do: what, message, emoji } of next.steps) {
        const channel = channelOf(message);
        if (channel !== undefined) change(what, channel, message, emoji);
      }
      shown = next.shown;
      if (isOver(turn.state) && next.wakeAt === undefined) return;
      entry.wake = entry.turn === turn ? Promise.withResolvers<void>() : entry.wake;
      if (entry.turn !== turn) continue;
      await until(entry.wake.promise, next.wakeAt);
    }
  }

  function change(what: "add" | "remove", channelId: Id, messageId: Id, emoji: string): void {
    parts.reactions[what]({ channelId, messageId }, emoji);
  }

  async function until(event: Promise<void>, at: number | undefined): Promise<void> {
    const nap = new AbortController();
    const signal = AbortSignal.any([nap.signal, stop.signal]);
    const over = at === undefined
      ? new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()))
      : clock.sleep(Math.max(1, at - clock.now()), signal).catch(() => {});
    await Promise.race([event, over]);
    nap.abort();
  }

  return {
    show: (turn) => show(turn),
    restore: (turn) => show(turn, true),
    start() {
      for (const [id, owed] of Object.entries(memory.read().signs)) {
        if (!turns.has(id)) keep({ id, messages: owed.messages.map(([one]) => one) }, pay(owed));
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(working);
    },
  };
}

/** Where each message of a conversation was said: the first one may be in the channel above its thread. */
function channels(one: Conversation | undefined): (message: Id) => Id | undefined {
  const heard = [
    ...one?.turn?.messages ?? [],
    ...one?.untold.flatMap(({ messages }) => messages) ?? [],
  ];
  const known = new Map(
    heard.map(({ arrival: { id, place } }) => [id, place.threadId ?? place.channelId]),
  );
  return (message) => known.get(message) ?? one?.where?.channelId;
}
