import type { DiscordSettings } from "../sweep/config.ts";
import { channelNames } from "./channel-name.ts";
import { DiscordError } from "./discord-error.ts";
import type { ChannelMemory } from "./memory.ts";
import type { Id } from "./message.ts";
import type { Channel, DiscordRest } from "./rest.ts";
import { createSerial } from "./serial.ts";

export interface ChannelHomeParts {
  sweep: string;
  /** Tells this sweep from others of its name, over restarts and moves; ASCII letters and digits. */
  mark: string;
  guildId: Id;
  settings(): DiscordSettings;
  rest: DiscordRest;
  memory: ChannelMemory;
  /** Whether another sweep of this daemon lives there. */
  isTaken(channelId: Id): boolean;
  onFound(): void;
}

/** Where a sweep lives in Discord. */
export interface ChannelHome {
  /** Undefined until `find` has succeeded. */
  id(): Id | undefined;
  name(): string | undefined;
  /** Finds the channel, or makes it. Throws DiscordError; what it says names channel and remedy. */
  find(signal: AbortSignal): Promise<Id>;
  /** It was deleted, or the bot was put out of it. */
  lose(): void;
  rename(name: string): void;
}

const TEXT_CHANNELS = [0, 5];
/** A topic holds 1,024 characters. */
const TOPIC_ROOM = 900;

export function createChannelHome(parts: ChannelHomeParts): ChannelHome {
  const { rest, memory, guildId } = parts;
  let home: { id: Id; name: string } | undefined;

  /** Two that look at the same time would make two. */
  const serial = createSerial();
  const find = (signal: AbortSignal) => serial(() => findNow(signal));

  async function findNow(signal: AbortSignal): Promise<Id> {
    if (home !== undefined) return home.id;
    const channel = await pinned(signal) ?? await remembered(signal) ?? await byName(signal);
    const old = memory.read();
    if (old.channelId !== channel.id || old.guildId !== guildId) {
      // What was known of another channel is not known of this one.
      memory.write({
        guildId,
        channelId: channel.id,
        dashboardId: undefined,
        seen: await lastWord(channel.id, signal),
        streaming: undefined,
        heartbeatId: undefined,
        threads: {},
        confirmations: {},
        partly: undefined,
      });
    }
    home = { id: channel.id, name: channel.name };
    parts.onFound();
    return channel.id;
  }

  /** What was said before the bot came was said to nobody; a channel's own id is older than all of it. */
  async function lastWord(channel: Id, signal: AbortSignal): Promise<Id | undefined> {
    try {
      return (await rest.messages(channel, { limit: 1 }, signal)).at(-1)?.id ?? channel;
    } catch (error) {
      if (error instanceof DiscordError && error.kind === "forbidden") return undefined;
      throw error;
    }
  }

  /** `discord.channel_id`: that one or none. */
  async function pinned(signal: AbortSignal): Promise<Channel | undefined> {
    const { channelId } = parts.settings();
    if (channelId === undefined) return undefined;
    const channel = await rest.channel(channelId, signal);
    if (channel.guildId !== guildId) {
      throw refused(`Cannot use the channel "${channelId}": it is not in the server "${guildId}"`);
    }
    if (!TEXT_CHANNELS.includes(channel.type)) {
      throw refused(`Cannot use the channel "${channel.name}": it is no text channel`);
    }
    if (parts.isTaken(channel.id)) {
      throw refused(
        `Cannot use the channel "${channel.name}": another sweep of this daemon is in it; ` +
          "give each its own discord.channel_id",
      );
    }
    return channel;
  }

  async function remembered(signal: AbortSignal): Promise<Channel | undefined> {
    const { channelId, guildId: guild } = memory.read();
    if (channelId === undefined || guild !== guildId || parts.isTaken(channelId)) return undefined;
    try {
      return await rest.channel(channelId, signal);
    } catch (error) {
      if (error instanceof DiscordError && error.kind === "missing") return undefined;
      throw error;
    }
  }

  /** The first name that is free or ours. One that people made beforehand has no mark, and is taken. */
  async function byName(signal: AbortSignal): Promise<Channel> {
    const there = (await rest.channels(guildId, signal)).filter(({ type }) =>
      TEXT_CHANNELS.includes(type)
    );
    const wanted = parts.settings().channelName ?? parts.sweep;
    const own = there.find(({ topic, id }) => markIn(topic) === parts.mark && !parts.isTaken(id));
    if (own !== undefined) return own;
    for (const name of channelNames(wanted)) {
      const same = there.find((channel) => channel.name === name);
      if (same === undefined) return await create(name, signal);
      if (markIn(same.topic) === undefined && !parts.isTaken(same.id)) {
        return await claim(same, signal);
      }
    }
    throw refused(`Cannot find a free name for the channel of "${parts.sweep}"`);
  }

  async function create(name: string, signal: AbortSignal): Promise<Channel> {
    try {
      return await rest.createChannel(guildId, { name, topic: topicOf("") }, signal);
    } catch (error) {
      if (!(error instanceof DiscordError) || error.kind !== "forbidden") throw error;
      throw new DiscordError(
        `Cannot create the channel "${name}": the bot lacks the permission Manage Channels; ` +
          "invite it again with it, or make the channel and give its id as discord.channel_id",
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
    const own = before === "" ? `Sweep ${parts.sweep}` : before;
    return `${own.slice(0, TOPIC_ROOM)} [herd:${parts.mark}]`;
  }

  return {
    id: () => home?.id,
    name: () => home?.name,
    find,
    lose() {
      home = undefined;
    },
    rename(name) {
      if (home !== undefined) home = { ...home, name };
    },
  };
}

function markIn(topic: string): string | undefined {
  return /\[herd:([0-9a-z]+)\]/.exec(topic)?.[1];
}

function refused(message: string): DiscordError {
  return new DiscordError(message, { kind: "rejected" });
}
