import type { Clock } from "../base/clock.ts";
import type { Arrival } from "../chat/arrival.ts";
import type { Broker } from "../chat/broker.ts";
import type { BotRules } from "../chat/broker-config.ts";
import { missedPlaces } from "./broker-gap.ts";
import type { BrokerMemory } from "./broker-memory.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id, Message } from "./message.ts";
import { patience } from "./patience.ts";
import type { DiscordRest } from "./rest.ts";
import { createSerial } from "./serial.ts";

export interface BrokerReaderParts {
  /** Deals with a message, however often it is read; what it throws is tried again later. */
  take(message: Message): Promise<void>;
  broker: Pick<Broker, "revise" | "withdraw">;
  rules(): Pick<BotRules, "channels">;
  rest: Pick<DiscordRest, "message" | "messages" | "channels" | "activeThreads">;
  memory: BrokerMemory;
  clock: Clock;
  random(): number;
  /** Threads of conversations that are spoken in of late, the newest last; `since`: with what they began. */
  threads(): readonly { id: Id; since: Id }[];
  /** Messages that no turn has yet, with what they said when they were heard. */
  queued(): readonly Arrival[];
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** Reads what is said, as it comes and what came in a gap: in order, and up to where each place was read. */
export interface BrokerReader extends AsyncDisposable {
  hear(message: Message): void;
  /** After all that was told so far; when it fails, what is unread is read again. */
  inOrder(act: () => void): void;
  /** `guilds`: servers in which the bot is. */
  catchUp(guilds: readonly Id[]): void;
  settled(): Promise<void>;
}

const PAGE = 100;
/** How long after somebody spoke the channel is read, for what the gateway may have lost. */
const REREAD_MS = 60_000;
/** Of messages that wait only so many are looked at again after a gap; each costs a request. */
const MOST_REVIEWED = 25;
const MOST_SEEN = 500;

export function createBrokerReader(parts: BrokerReaderParts): BrokerReader {
  const { broker, rest, memory, clock, take } = parts;
  const serial = createSerial();
  const stop = new AbortController();
  /** With the message after which it is read, where nothing was read before. */
  const unread = new Map<Id, Id | undefined>();
  const rereads = new Set<Id>();
  let retrying = false;

  function saw(channel: Id, id: Id): void {
    const others = Object.entries(memory.read().seen).filter(([known]) => known !== channel);
    memory.write({ seen: Object.fromEntries([...others.slice(1 - MOST_SEEN), [channel, id]]) });
  }

  /** Only a reading moves the mark: what came before a message may have been lost on the way. */
  async function read(channel: Id, from: Id | undefined): Promise<void> {
    for (let after = memory.read().seen[channel] ?? from;;) {
      if (after === undefined) {
        // What was said before the bot came was said to nobody.
        return saw(
          channel,
          (await rest.messages(channel, { limit: 1 }, stop.signal)).at(-1)?.id ?? channel,
        );
      }
      const page = await rest.messages(channel, { after, limit: PAGE }, stop.signal);
      for (const message of page) {
        await take(message);
        saw(channel, message.id);
      }
      if (page.length < PAGE) return;
      after = page.at(-1)!.id;
    }
  }

  async function readAll(): Promise<void> {
    for (const [channel, from] of [...unread]) {
      try {
        await read(channel, from);
      } catch (error) {
        // One place that was deleted or closed to us keeps back nothing else.
        const isGone = error instanceof DiscordError &&
          (error.kind === "missing" || error.kind === "forbidden");
        if (!isGone) throw error;
      }
      unread.delete(channel);
    }
  }

  /** What waits may have been changed or deleted while nobody heard it. */
  async function review(): Promise<void> {
    for (const { id, place, content } of parts.queued().slice(0, MOST_REVIEWED)) {
      try {
        const now = await rest.message(place.threadId ?? place.channelId, id, stop.signal);
        if (now.content !== content) broker.revise(id, now.content);
      } catch (error) {
        if (!(error instanceof DiscordError)) throw error;
        if (error.kind === "missing") broker.withdraw(id, "discord");
        else {parts.log("info", "Cannot see whether a message was changed", {
            error: error.message,
          });}
      }
    }
  }

  function guarded(act: () => Promise<void>): void {
    void serial(async () => {
      if (stop.signal.aborted) return;
      try {
        await act();
      } catch (error) {
        if (stop.signal.aborted) return;
        parts.log("warn", "Cannot hear a message now", { error: `${error}` });
        void again();
      }
    });
  }

  /** What could not be stored is read again when it can be. */
  async function again(): Promise<void> {
    if (retrying) return;
    retrying = true;
    for (let tries = 1; unread.size > 0 && !stop.signal.aborted; tries++) {
      await clock.sleep(patience(tries, parts.random), stop.signal).catch(() => {});
      await serial(() => readAll().catch(() => {}));
    }
    retrying = false;
  }

  async function rereadLater(channel: Id): Promise<void> {
    if (rereads.has(channel)) return;
    rereads.add(channel);
    await clock.sleep(REREAD_MS, stop.signal).catch(() => {});
    rereads.delete(channel);
    if (stop.signal.aborted) return;
    unread.set(channel, undefined);
    guarded(readAll);
  }

  return {
    hear(message) {
      const { channelId } = message;
      guarded(async () => {
        // Where something older is still to be read the mark stays before that.
        const isOwed = unread.has(channelId);
        if (!isOwed) {
          if (memory.read().seen[channelId] === undefined) {
            saw(channelId, String(BigInt(message.id) - 1n));
          }
          unread.set(channelId, undefined);
        }
        await take(message);
        if (!isOwed) unread.delete(channelId);
      });
      void rereadLater(channelId);
    },
    inOrder(act) {
      guarded(() => Promise.resolve(act()));
    },
    catchUp(guilds) {
      const { seen } = memory.read();
      const { channels } = parts.rules();
      const gap = { rest, guilds, channels, seen, threads: parts.threads() };
      guarded(review);
      guarded(async () => {
        for (const { id, after } of await missedPlaces(gap, stop.signal)) unread.set(id, after);
        await readAll();
      });
    },
    settled: () => serial(() => Promise.resolve()),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await serial(() => Promise.resolve());
    },
  };
}
