import { DiscordError } from "../../lib/discord/discord-error.ts";
import type { Message, Outgoing } from "../../lib/discord/message.ts";
import type { Channel, DiscordRest } from "../../lib/discord/rest.ts";
import type { ChannelMemory, Remembered } from "../../lib/discord/memory.ts";

export const BOT = "900";
export const GUILD = "100";

export interface Kept extends Message {
  outgoing: Outgoing;
  edits: number;
  reactions: string[];
}

/** A server of one guild in memory, for tests of what stands above REST. `fail` is asked before each call. */
export interface MemoryDiscord {
  rest: DiscordRest;
  channels: Map<string, Channel>;
  messages: Kept[];
  pinned: Set<string>;
  calls: string[];
  /** Throws to make a call fail; `after` is asked when it has had its effect. */
  fail(call: string): void;
  after(call: string): void;
  say(
    channel: string,
    content: string,
    more?: Partial<Omit<Message, "author">> & { author?: Partial<Message["author"]> },
  ): Message;
  texts(channel: string): string[];
}

export function memoryDiscord(): MemoryDiscord {
  let next = 1000;
  const channels = new Map<string, Channel>();
  const messages: Kept[] = [];
  const pinned = new Set<string>();
  const calls: string[] = [];
  const world: MemoryDiscord = {
    channels,
    messages,
    pinned,
    calls,
    fail: () => {},
    after: () => {},
    rest: {} as DiscordRest,
    say(channel, content, { author, ...more } = {}) {
      const message = kept(channel, {
        content,
        author: { id: "1", name: "alice", bot: false, webhook: false, ...author },
        ...more,
      });
      messages.push(message);
      return message;
    },
    texts: (channel) =>
      messages.filter((one) => one.channelId === channel).map(({ content }) => content),
  };

  function kept(channelId: string, more: Partial<Message>): Kept {
    return {
      id: `${next++}`,
      channelId,
      guildId: GUILD,
      author: { id: BOT, name: "herd", bot: true, webhook: false },
      member: undefined,
      content: "",
      mentions: { users: [], roles: [], everyone: false },
      replyTo: undefined,
      at: 0,
      editedAt: undefined,
      pinned: false,
      nonce: undefined,
      type: 0,
      attachments: [],
      title: undefined,
      outgoing: {},
      edits: 0,
      ...more,
      reactions: [...more.reactions ?? []],
    };
  }

  async function call<T>(name: string, act: () => T): Promise<T> {
    calls.push(name);
    await Promise.resolve();
    world.fail(name);
    const result = act();
    world.after(name);
    return result;
  }

  function found(id: string): Kept {
    const message = messages.find((one) => one.id === id);
    if (message === undefined) throw gone("Unknown Message", 10008);
    return message;
  }

  function channelOf(id: string): Channel {
    const channel = channels.get(id);
    if (channel === undefined) throw gone("Unknown Channel", 10003);
    return channel;
  }

  function fill(message: Kept, outgoing: Outgoing): Kept {
    message.outgoing = { ...message.outgoing, ...outgoing };
    if (outgoing.content !== undefined) message.content = outgoing.content;
    message.title = outgoing.embeds?.[0]?.title ?? message.title;
    return message;
  }

  world.rest = {
    me: () => call("me", () => ({ id: BOT, name: "herd" })),
    application: () => call("application", () => ({ id: BOT, name: "herd", messageContent: true })),
    gateway: () => call("gateway", () => ({ url: "", remaining: 1, resetAfterMs: 0 })),
    guilds: () => call("guilds", () => [{ id: GUILD, name: "lab" }]),
    guild: (id) => call("guild", () => ({ id, name: "lab", ownerId: "2", roles: [] })),
    member: (_, user) =>
      call("member", () => ({ userId: user, name: "alice", bot: false, roles: [] })),
    channels: () => call("channels", () => [...channels.values()]),
    activeThreads: () =>
      call(
        "activeThreads",
        () =>
          [...channels.values()].filter(({ type }) => type === 11).map((one) => ({
            ...one,
            lastMessageId: messages.findLast(({ channelId }) => channelId === one.id)?.id ?? "0",
          })),
      ),
    channel: (id) => call("channel", () => channelOf(id)),
    openDirect: (user) =>
      call("openDirect", () => {
        channels.set(`dm${user}`, channel(`dm${user}`, ""));
        return `dm${user}`;
      }),
    createChannel: (guild, { name, topic }) =>
      call("createChannel", () => {
        const id = `${next++}`;
        channels.set(id, channel(id, name, topic, guild));
        return channels.get(id)!;
      }),
    editChannel: (id, change) =>
      call("editChannel", () => {
        channels.set(id, { ...channelOf(id), ...change });
        return channels.get(id)!;
      }),
    message: (_, id) => call("message", () => found(id)),
    messages: (channel, { after, before, limit = 50 }) =>
      call("messages", () => {
        const own = messages.filter(({ id, channelId }) =>
          channelId === channel && (before === undefined || BigInt(id) < BigInt(before))
        );
        return after === undefined
          ? own.slice(-limit)
          : own.filter(({ id }) => BigInt(id) > BigInt(after)).slice(0, limit);
      }),
    send: (id, outgoing) =>
      call("send", () => {
        channelOf(id);
        const same = messages.find(({ nonce }) => nonce !== undefined && nonce === outgoing.nonce);
        if (same !== undefined) return same;
        const message = fill(kept(id, { nonce: outgoing.nonce }), outgoing);
        messages.push(message);
        return message;
      }),
    edit: (_, id, outgoing) =>
      call("edit", () => {
        const message = fill(found(id), outgoing);
        message.edits++;
        return message;
      }),
    remove: (_, id) => call("remove", () => void messages.splice(messages.indexOf(found(id)), 1)),
    pins: () => call("pins", () => messages.filter(({ id }) => pinned.has(id))),
    pin: (_, id) => call("pin", () => void pinned.add(id)),
    unpin: (_, id) => call("unpin", () => void pinned.delete(id)),
    react: (_, id, emoji) => call("react", () => void found(id).reactions.push(emoji)),
    unreact: () => call("unreact", () => {}),
    typing: () => call("typing", () => {}),
    startThread: (id, { name, from }) =>
      call("startThread", () => {
        const thread = channel(from ?? `${next++}`, name, "", GUILD, id);
        channels.set(thread.id, thread);
        return thread;
      }),
    putDirectCommands: () => call("putDirectCommands", () => {}),
    putCommands: () => call("putCommands", () => {}),
    respond: () => call("respond", () => {}),
    editResponse: () => call("editResponse", () => kept("0", {})),
    followUp: () => call("followUp", () => kept("0", {})),
  };
  return world;
}

export function channel(
  id: string,
  name: string,
  topic = "",
  guildId = GUILD,
  parentId?: string,
): Channel {
  return {
    id,
    guildId,
    type: parentId === undefined ? 0 : 11,
    name,
    topic,
    parentId,
    overwrites: [],
    archived: false,
  };
}

function gone(message: string, code: number): DiscordError {
  return new DiscordError(message, { kind: "missing", status: 404, code });
}

export function unreachable(): DiscordError {
  return new DiscordError("Cannot reach Discord", { kind: "unreachable", status: 503 });
}

export function memoryInRam(start: Partial<Remembered> = {}): ChannelMemory {
  let now: Remembered = {
    mark: "abc123",
    delivered: 0,
    threads: {},
    threadsSeen: {},
    asides: {},
    confirmations: {},
    ...start,
  };
  return {
    read: () => now,
    write(change) {
      now = { ...now, ...change };
    },
  };
}
