/** A message that may be meant for an agent, as a surface such as Discord saw it. Ids are text. */
export interface Arrival {
  id: string;
  /** Milliseconds since the epoch, by the surface's clock. */
  at: number;
  editedAt: number | undefined;
  place: Place;
  author: Speaker;
  /** As it was written, mentions raw. */
  content: string;
  mentions: { users: readonly Named[]; roles: readonly Named[]; everyone: boolean };
  /** What it answers, as far as it could be read. */
  quoted: Quoted | undefined;
  attachments: readonly Attached[];
  /** Titles and texts of embeds, names of stickers, a forwarded message's words: never lost silently. */
  extras: readonly { kind: "embed" | "sticker" | "forward"; text: string }[];
  /** `system`: the surface's own words, such as "pinned a message". */
  kind: "spoken" | "system";
  /**
   * Users in whose name herd itself says it, such as those for whom an agent waited. Absent where the
   * author speaks for itself.
   */
  for?: readonly string[];
}

export interface Named {
  id: string;
  name: string;
}

export interface Speaker extends Named {
  /** Nickname in the server, else display name, else user name. */
  displayName: string;
  isBot: boolean;
  roles: readonly string[];
}

export interface Quoted {
  id: string;
  author: Named | undefined;
  text: string;
}

/** Where it was said. */
export interface Place {
  /** The channel; of a thread its parent; of a direct message that channel itself. */
  channelId: string;
  /** Undefined outside of threads. */
  threadId: string | undefined;
  isDirect: boolean;
  /** Who started the thread. */
  threadOwner: string | undefined;
  guildId: string | undefined;
}

export interface Attached {
  id: string;
  name: string;
  url: string;
  bytes: number;
  contentType: string;
}

/** One conversation: a thread, or the direct messages with a person. */
export function conversationOf({ channelId, threadId }: Place): string {
  return threadId ?? channelId;
}
