import type { Form, Id, Message, Outgoing } from "./message.ts";
import type { CommandDefinition } from "./command-definition.ts";

/**
 * What herd asks of Discord over HTTP. Each call waits for rate limits, is retried while that
 * can do no harm (5xx, dropped connections: reads, edits, and posts that bear a nonce), and
 * throws DiscordError otherwise. `signal` ends the waiting.
 */
export interface DiscordRest {
  /** Discord's own clock, by its last answer; milliseconds since the epoch. Undefined before one. */
  serverNow?(): number | undefined;
  /** The bot itself. */
  me(signal?: AbortSignal): Promise<{ id: Id; name: string }>;
  application(signal?: AbortSignal): Promise<{ id: Id; name: string; messageContent: boolean }>;
  /** Where the gateway is and how many sessions may still be begun. */
  gateway(signal?: AbortSignal): Promise<{ url: string; remaining: number; resetAfterMs: number }>;
  guilds(signal?: AbortSignal): Promise<readonly { id: Id; name: string }[]>;
  guild(id: Id, signal?: AbortSignal): Promise<Guild>;
  member(guild: Id, user: Id, signal?: AbortSignal): Promise<GuildMember>;
  channels(guild: Id, signal?: AbortSignal): Promise<readonly Channel[]>;
  channel(id: Id, signal?: AbortSignal): Promise<Channel>;
  /** Threads of a server that are not archived, as far as the bot may see them. */
  activeThreads(guild: Id, signal?: AbortSignal): Promise<readonly Channel[]>;
  /** The channel of direct messages with a person. Discord wants few of them opened. */
  openDirect(user: Id, signal?: AbortSignal): Promise<Id>;
  createChannel(
    guild: Id,
    channel: {
      name: string;
      topic: string;
      parentId?: Id;
      /** Only rights that the bot has itself. */
      overwrites?: Channel["overwrites"];
    },
    signal?: AbortSignal,
  ): Promise<Channel>;
  editChannel(
    id: Id,
    change: { name?: string; topic?: string; archived?: boolean },
    signal?: AbortSignal,
  ): Promise<Channel>;
  message(channel: Id, id: Id, signal?: AbortSignal): Promise<Message>;
  /** Oldest first; at most 100. */
  messages(
    channel: Id,
    query: { after?: Id; before?: Id; limit?: number },
    signal?: AbortSignal,
  ): Promise<readonly Message[]>;
  send(channel: Id, message: Outgoing, signal?: AbortSignal): Promise<Message>;
  edit(channel: Id, id: Id, message: Outgoing, signal?: AbortSignal): Promise<Message>;
  remove(channel: Id, id: Id, signal?: AbortSignal): Promise<void>;
  pins(channel: Id, signal?: AbortSignal): Promise<readonly Message[]>;
  pin(channel: Id, id: Id, signal?: AbortSignal): Promise<void>;
  unpin(channel: Id, id: Id, signal?: AbortSignal): Promise<void>;
  react(channel: Id, id: Id, emoji: string, signal?: AbortSignal): Promise<void>;
  unreact(channel: Id, id: Id, emoji: string, signal?: AbortSignal): Promise<void>;
  typing(channel: Id, signal?: AbortSignal): Promise<void>;
  /** A public thread; `from` hangs it under a message. */
  startThread(
    channel: Id,
    thread: { name: string; from?: Id; archiveMinutes: 60 | 1440 | 4320 | 10080 },
    signal?: AbortSignal,
  ): Promise<Channel>;
  /** Puts the whole set of this guild's commands in one call. */
  putCommands(
    application: Id,
    guild: Id,
    commands: readonly CommandDefinition[],
    signal?: AbortSignal,
  ): Promise<void>;
  /** The same for the commands that are no server's: those of direct messages. */
  putDirectCommands(
    application: Id,
    commands: readonly CommandDefinition[],
    signal?: AbortSignal,
  ): Promise<void>;
  /** The first answer to an interaction: due within three seconds, never queued behind others. */
  respond(interaction: { id: Id; token: string }, answer: FirstAnswer): Promise<void>;
  /** Replaces the first answer, or what stands for it after `defer`. Valid for 15 minutes. */
  editResponse(application: Id, token: string, message: Outgoing): Promise<Message>;
  followUp(application: Id, token: string, message: Outgoing): Promise<Message>;
}

export type FirstAnswer =
  | { kind: "message"; message: Outgoing }
  /** "Thinking…", to be replaced by `editResponse`. */
  | { kind: "defer"; ephemeral: boolean }
  /** To a button: its message changes, or stays as it is for now. */
  | { kind: "update"; message: Outgoing }
  | { kind: "defer-update" }
  | { kind: "choices"; choices: readonly { name: string; value: string | number }[] }
  /** To a button: a line to be filled in, which only that person sees. */
  | { kind: "form"; form: Form };

export interface Guild {
  id: Id;
  name: string;
  ownerId: Id;
  roles: readonly { id: Id; name: string; permissions: bigint; managed: boolean }[];
}

export interface GuildMember {
  userId: Id;
  name: string;
  bot: boolean;
  roles: readonly Id[];
}

export interface Channel {
  id: Id;
  guildId: Id | undefined;
  /** 0 text, 4 category, 5 announcement, 10 to 12 threads. */
  type: number;
  name: string;
  topic: string;
  parentId: Id | undefined;
  overwrites: readonly { id: Id; kind: "role" | "member"; allow: bigint; deny: bigint }[];
  archived: boolean;
  /** Who started a thread. */
  ownerId?: Id;
  /** What was said last there; that may have been deleted since. */
  lastMessageId?: Id;
}
