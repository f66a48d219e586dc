import { channelName } from "./channel-name.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id } from "./message.ts";
import type { PoolMemory, PoolPlace } from "./pool-memory.ts";
import type { Channel, DiscordRest } from "./rest.ts";
import { createSerial } from "./serial.ts";

export interface PoolHomeParts {
  place: PoolPlace;
  /** A name, or an id of digits; read anew each time. */
  wanted(): string;
  guildId: Id;
  rest: Pick<DiscordRest, "channel" | "channels" | "createChannel" | "editChannel">;
  memory: PoolMemory;
  /** It is another channel than before; what was known of the old one is void. Awaited before it is used. */
  onNew(id: Id, signal: AbortSignal): Promise<void>;
  onFound(): void;
}

/** Where one of the pool's channels is. */
export interface PoolHome {
  /** Undefined until `find` has succeeded. */
  id(): Id | undefined;
  name(): string | undefined;
  /** Finds the channel, or makes it. Throws DiscordError; what it says names channel and remedy. */
  find(signal: AbortSignal): Promise<Id>;
  /** It was deleted. */
  lose(): void;
  rename(name: string): void;
}

const TEXT_CHANNELS = [0, 5];
export const POOL_TOPICS: Readonly<Record<PoolPlace, string>> = {
  queue: "Tasks for the pool's agents: one message is one task",
  results: "What the pool's agents have done",
  workers: "The pool's workers, and how it is",
};
/** A topic holds 1,024 characters. */
const TOPIC_ROOM = 900;

export function createPoolHome(parts: PoolHomeParts): PoolHome {
  const { rest, memory, guildId, place } = parts;
  let home: { id: Id; name: string; wanted: string } | undefined;
  /** Two that look at the same time would make two. */
  const serial = createSerial();

  async function findNow(signal: AbortSignal): Promise<Id> {
    const wanted = parts.wanted().trim().replace(/^#/, "");
    if (home?.wanted === wanted) return home.id;
    const known = memory.read();
    const remembered = known.guildId === guildId ? known.places[place] : undefined;
    const channel = /^\d{15,20}$/.test(wanted)
      ? await byId(wanted, signal)
      : await again(remembered?.wanted === wanted ? remembered.id : undefined, signal) ??
        await byName(wanted, signal);
    if (remembered?.id !== channel.id) await parts.onNew(channel.id, signal);
    if (remembered?.id !== channel.id || remembered.wanted !== wanted) {
      // Another of the channels may have been found meanwhile.
      const now = memory.read();
      const places = now.guildId === guildId ? now.places : {};
      memory.write({ guildId, places: { ...places, [place]: { id: channel.id, wanted } } });
    }
    home = { id: channel.id, name: channel.name, wanted };
    parts.onFound();
    return channel.id;
  }

  async function byId(id: Id, signal: AbortSignal): Promise<Channel> {
    const channel = await rest.channel(id, signal);
    if (channel.guildId !== guildId) {
      throw refused(`Cannot use the channel "${id}": it is not in the server "${guildId}"`);
    }
    if (!TEXT_CHANNELS.includes(channel.type)) {
      throw refused(`Cannot use the channel "${channel.name}": it is no text channel`);
    }
    return channel;
  }

  async function again(id: Id | undefined, signal: AbortSignal): Promise<Channel | undefined> {
    if (id === undefined) return undefined;
    try {
      return await rest.channel(id, signal);
    } catch (error) {
      if (error instanceof DiscordError && error.kind === "missing") return undefined;
      throw error;
    }
  }

  /** One that people made beforehand has no mark, and is taken; a sweep's or another pool's is not. */
  async function byName(wanted: string, signal: AbortSignal): Promise<Channel> {
    const name = channelName(wanted);
    const taken = Object.entries(memory.read().places).filter(([other]) => other !== place)
      .flatMap(([, place]) => place?.id ?? []);
    const named = (await rest.channels(guildId, signal)).filter((one) =>
      TEXT_CHANNELS.includes(one.type) && one.name === name && !taken.includes(one.id)
    );
    const own = named.find(({ topic }) => markIn(topic) === memory.read().mark);
    if (own !== undefined) return own;
    const free = named.find(({ topic }) => markIn(topic) === undefined);
    if (free !== undefined) return await claim(free, signal);
    if (named.length > 0) {
      throw refused(
        `Cannot use the channel "${name}": its topic says that it is a sweep's or another pool's; ` +
          `give pool.discord.channels.${place} another name, or its id when it is yours`,
      );
    }
    return await create(name, signal);
  }

  async function create(name: string, signal: AbortSignal): Promise<Channel> {
    try {
      return await rest.createChannel(guildId, { name, topic: topicOf("") }, signal);
    } catch (error) {
      if (!(error instanceof DiscordError) || error.kind !== "forbidden") throw error;
      throw new DiscordError(
        `Cannot create the channel "${name}": the bot lacks the permission Manage Channels; invite ` +
          `it again with it, or make the channel and give its id as pool.discord.channels.${place}`,
        { kind: "forbidden", cause: error },
      );
    }
  }

  /** Where the topic may not be written the channel is used unmarked. */
  async function claim(channel: Channel, signal: AbortSignal): Promise<Channel> {
    try {
      return await rest.editChannel(channel.id, { topic: topicOf(channel.topic) }, signal);
    } catch (error) {
      if (error instanceof DiscordError && error.kind === "forbidden") return channel;
      throw error;
    }
  }

  function topicOf(before: string): string {
    const own = before === "" ? POOL_TOPICS[place] : before;
    return `${own.slice(0, TOPIC_ROOM)} [herd:${memory.read().mark}]`;
  }

  return {
    id: () => home?.id,
    name: () => home?.name,
    find: (signal) => serial(() => findNow(signal)),
    lose() {
      home = undefined;
      const { [place]: _, ...others } = memory.read().places;
      memory.write({ places: others });
    },
    rename(name) {
      if (home !== undefined) home = { ...home, name };
    },
  };
}

export function markIn(topic: string): string | undefined {
  return /\[herd:([0-9a-z]+)\]/.exec(topic)?.[1];
}

function refused(message: string): DiscordError {
  return new DiscordError(message, { kind: "rejected" });
}
