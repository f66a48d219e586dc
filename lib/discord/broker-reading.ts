import type { Clock } from "../base/clock.ts";
import type { BotRules } from "../chat/broker-config.ts";
import type { BrokerMemory } from "./broker-memory.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id, Message } from "./message.ts";
import { patience } from "./patience.ts";
import type { DiscordRest } from "./rest.ts";
import { threadsOfGap } from "./threads-of-gap.ts";
import { idOfTime } from "./snowflake.ts";

export interface BrokerReadingParts {
  rest: Pick<DiscordRest, "messages" | "activeThreads">;
  memory: BrokerMemory;
  clock: Clock;
  random(): number;
  /** Threads of conversations that are spoken in of late, the newest last; `since`: with what they began. */
  threads(): readonly { id: Id; since: Id }[];
  /** Servers in which the bot is. */
  guilds(): readonly Id[];
  rules(): BotRules;
  /** Rejects when it could not be stored. */
  take(message: Message): Promise<void>;
  serial<T>(act: () => Promise<T>): Promise<T>;
  signal: AbortSignal;
}

/** Reads the places of a bot from where it has read them last, so that nothing is missed for long. */
export interface BrokerReading {
  /** In a place that is new to it: from this message on; in a conversation's thread from its begin. */
  begin(channel: Id, message: Id): void;
  /** Something may not have been taken there. */
  miss(channel: Id): void;
  /** In these places, and in all that it knows of. */
  missAll(channels: readonly Id[]): void;
  /** Something is missed there unless this succeeds, and what was missed before still is. */
  attempt(channel: Id, act: () => Promise<void>): Promise<void>;
  /** Reads where something was missed. Rejects when it cannot. */
  all(): Promise<void>;
  /** The same until it could be done. */
  again(): Promise<void>;
}

const PAGE = 100;
const MOST_SEEN = 500;
/** Only so many places are read after a gap, those spoken in last; each costs a request. */
const MOST_READ = 100;
/** Discord's clock and ours may differ. */
const SLACK_MS = 60_000;

export function createBrokerReading(parts: BrokerReadingParts): BrokerReading {
  const { rest, memory, clock, signal } = parts;
  const unread = new Set<Id>();
  const openedAt = clock.now();
  /** What was read last when a gap began; undefined: no gap is open. */
  let gap: Id | undefined;
  let retrying = false;

  function saw(channel: Id, id: Id): void {
    const others = Object.entries(memory.read().seen).filter(([known]) => known !== channel);
    memory.write({ seen: Object.fromEntries([...others.slice(1 - MOST_SEEN), [channel, id]]) });
  }

  const beginOf = (channel: Id) => parts.threads().find(({ id }) => id === channel)?.since;

  /** Only a reading moves the mark: what came before a message may have been lost on the way. */
  async function read(channel: Id): Promise<void> {
    let after = memory.read().seen[channel] ?? beginOf(channel) ?? await firstMark(channel);
    for (;;) {
      const page = await rest.messages(channel, { after, limit: PAGE }, signal);
      for (const message of page) {
        await parts.take(message);
        saw(channel, message.id);
      }
      if (page.length < PAGE) return;
      after = page.at(-1)!.id;
    }
  }

  /**
   * What was said before the bot came was said to nobody; what was said since may be on its way to
   * it, or wait in this process, and is read again should that end.
   */
  async function firstMark(channel: Id): Promise<Id> {
    const newest = (await rest.messages(channel, { limit: 1 }, signal)).at(-1)?.id ?? channel;
    const came = idOfTime(openedAt - SLACK_MS);
    const mark = memory.read().seen[channel] ?? (BigInt(newest) < BigInt(came) ? newest : came);
    saw(channel, mark);
    return mark;
  }

  /** Also where it never was: somebody may have called it there meanwhile. */
  async function findThreads(since: Id): Promise<void> {
    const [guilds, rules] = [parts.guilds(), parts.rules()];
    for (const id of await threadsOfGap({ rest, guilds, gap: since, rules, signal })) {
      if (!knows(id)) saw(id, since);
      unread.add(id);
    }
    gap = undefined;
  }

  function knows(id: Id): boolean {
    return memory.read().seen[id] !== undefined || parts.threads().some((one) => one.id === id);
  }

  async function all(): Promise<void> {
    if (gap !== undefined) await findThreads(gap);
    for (const channel of [...unread]) {
      try {
        await read(channel);
      } catch (error) {
        // One place that was deleted or closed to us keeps back nothing else.
        const isGone = error instanceof DiscordError &&
          (error.kind === "missing" || error.kind === "forbidden");
        if (!isGone) throw error;
      }
      unread.delete(channel);
    }
  }

  const isBehind = () => unread.size > 0 || gap !== undefined;

  return {
    begin(channel, message) {
      if (memory.read().seen[channel] !== undefined) return;
      // While a gap is open this may be the second thing that was said there.
      saw(channel, beginOf(channel) ?? gap ?? String(BigInt(message) - 1n));
    },
    miss: (channel) => void unread.add(channel),
    missAll(channels) {
      const { seen } = memory.read();
      gap ??= newest(Object.values(seen)) ?? idOfTime(openedAt - SLACK_MS);
      const known = Object.keys(seen);
      const places = new Set([...known, ...parts.threads().map(({ id }) => id)]);
      // A channel that is named is read however many threads there are.
      const recent = [...places].filter((id) => !channels.includes(id)).slice(-MOST_READ);
      for (const place of [...channels, ...recent]) unread.add(place);
    },
    async attempt(channel, act) {
      const wasMissed = unread.has(channel);
      unread.add(channel);
      await act();
      if (!wasMissed) unread.delete(channel);
    },
    all,
    async again() {
      if (retrying) return;
      retrying = true;
      for (let tries = 1; isBehind() && !signal.aborted; tries++) {
        await clock.sleep(patience(tries, parts.random), signal).catch(() => {});
        await parts.serial(() => all().catch(() => {}));
      }
      retrying = false;
    },
  };
}

function newest(ids: readonly Id[]): Id | undefined {
  return ids.reduce<Id | undefined>(
    (most, id) => most === undefined || BigInt(id) > BigInt(most) ? id : most,
    undefined,
  );
}
