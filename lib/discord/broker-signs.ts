import type { Clock } from "../base/clock.ts";
import type { Conversation } from "../chat/chat-state.ts";
import { nextSigns, type ShownSigns } from "../chat/next-signs.ts";
import { emojiOf, type SignStyle, wantedSigns } from "../chat/signs.ts";
import { isOver, type Turn } from "../chat/turn.ts";
import type { Id } from "./message.ts";
import type { Reactions } from "./reactions.ts";

export interface BrokerSignsParts {
  reactions: Pick<Reactions, "add" | "remove">;
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
}

/** What an earlier life may have left on a message. */
const OF_WORK = ["thinking", "tool", "coding", "web", "slow", "silent", "asking", "stuck"] as const;

export function createBrokerSigns(parts: BrokerSignsParts): BrokerSigns {
  const { clock } = parts;
  const stop = new AbortController();
  const turns = new Map<string, { turn: Turn; wake: PromiseWithResolvers<void> }>();
  const working = new Set<Promise<void>>();

  function show(turn: Turn, isOld = wasTried(turn)): void {
    const known = turns.get(turn.id);
    if (known !== undefined) {
      known.turn = turn;
      return known.wake.resolve();
    }
    if (stop.signal.aborted) return;
    const entry = { turn, wake: Promise.withResolvers<void>() };
    turns.set(turn.id, entry);
    const work = follow(entry, isOld).catch((error: unknown) =>
      parts.log("info", "Cannot show how far a turn is", { error: `${error}` })
    ).finally(() => {
      turns.delete(turn.id);
      working.delete(work);
    });
    working.add(work);
  }

  /** Its messages were in a turn that an end of herd has cut off. */
  function wasTried({ conversation, messages }: Turn): boolean {
    const heard = parts.find(conversation)?.turn?.messages ?? [];
    return heard.some(({ arrival, tries }) => tries > 0 && messages.includes(arrival.id));
  }

  function clear(message: Id, channel: Id | undefined, style: SignStyle): void {
    const emojis = new Set(OF_WORK.map((sign) => emojiOf(sign, style)));
    for (const emoji of channel === undefined ? [] : emojis) {
      change("remove", channel!, message, emoji);
    }
  }

  async function follow(
    entry: { turn: Turn; wake: PromiseWithResolvers<void> },
    isOld: boolean,
  ): Promise<void> {
    const { messages, conversation } = entry.turn;
    const style = parts.style();
    const queued = emojiOf("queued", style);
    // What was stored bears that sign already.
    let shown: ShownSigns = {
      emojis: new Map(style.enabled ? messages.map((message) => [message, [queued]]) : []),
      waiting: undefined,
    };
    const channelOf = channels(parts.find(conversation));
    const last = messages.at(-1);
    if (isOld && style.enabled && last !== undefined) clear(last, channelOf(last), style);
    while (!stop.signal.aborted) {
      const { turn } = entry;
      const wanted = wantedSigns(turn, parts.style(), clock.now());
      const next = nextSigns(shown, wanted, clock.now(), style.timing.debounce);
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
