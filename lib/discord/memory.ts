import type { Id } from "./message.ts";

/**
 * What a sweep's channel remembers over restarts: where it is and how far it got. The facts
 * themselves are the journal's; what is lost here is found again in the channel.
 */
export interface ChannelMemory {
  read(): Remembered;
  /** Never throws; on disk, whole, when this returns and the disk is well. */
  write(change: Partial<Remembered>): void;
}

export interface Remembered {
  /** Tells the sweep from others of its name; lower-case letters and digits. */
  mark: string;
  guildId?: Id | undefined;
  channelId?: Id | undefined;
  dashboardId?: Id | undefined;
  /** Journal events up to this number are posted, or need no post. 0: nothing was ever posted. */
  delivered: number;
  /** Parts of the next post that are out already: key of the post and message ids, in order. */
  partly?: { key: string; sent: Id[] } | undefined;
  /** Everything in the channel up to this message was heard. */
  seen?: Id | undefined;
  /** An answer that is being written. */
  streaming?: Id | undefined;
  /** The last 🐾. */
  heartbeatId?: Id | undefined;
  /** Trial to its thread. */
  threads: Record<string, Id>;
  /** The same as `seen`, by thread. */
  threadsSeen: Record<string, Id>;
  /** Messages that were heard in a thread, to the thread: their answers belong there. The newest ones. */
  asides: Record<string, Id>;
  /** Open confirmation to the message with its buttons. */
  confirmations: Record<string, Id>;
}
