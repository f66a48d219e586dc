import type { Id } from "./message.ts";

/** The three channels of a pool. */
export type PoolPlace = "queue" | "results" | "workers";

/**
 * What the pool's channels remember over restarts: where they are and how far they got. The facts
 * themselves are the journal's; what is lost here is found again in Discord, or said twice at worst.
 */
export interface PoolMemory {
  read(): PoolRemembered;
  /** Never throws; on disk, whole, when this returns and the disk is well. */
  write(change: Partial<PoolRemembered>): void;
}

export interface PoolRemembered {
  /** Tells the pool from others of the server; lower-case letters and digits. */
  mark: string;
  guildId?: Id | undefined;
  /** `wanted` is the name under which it was looked for. */
  places: Partial<Record<PoolPlace, { id: Id; wanted: string } | undefined>>;
  /** Journal events up to this number have their post in the results. 0: nothing was ever posted. */
  told: number;
  /** The same, of tasks that came by other doors than the queue's channel. */
  mirrored: number;
  /** `told` is a guess, for the memory was lost or never was: the channel may tell of less. */
  guessed?: boolean | undefined;
  /** What is out already of the post that is due: its key and its messages, in order. */
  partly?: { key: string; sent: Id[] } | undefined;
  /** Everything in the queue's channel up to this message was read. */
  seen?: Id | undefined;
  /** Versions of messages after `seen` that were turned down: `ID` or `ID@EDITED`. */
  refused: string[];
  /** Waiting task to the time of the edit that it was last read at; 0: as it was first said. */
  edits: Record<string, number>;
  /** Task to its post in the queue's channel, where it came by another door. The newest ones. */
  mirrors: Record<string, Id>;
  /** Task to the sign that its message bears. The newest ones. */
  signs: Record<string, string>;
  /** Worker to its one message: since when that is, and what is drawn there, in short. */
  statuses: Record<string, { id: Id; at: number; drawn: string }>;
  board?: { id: Id; drawn: string } | undefined;
}

/** How a memory begins. */
export function freshPoolMemory(mark: string): PoolRemembered {
  return {
    mark,
    places: {},
    told: 0,
    mirrored: 0,
    refused: [],
    edits: {},
    mirrors: {},
    signs: {},
    statuses: {},
  };
}

/** The newest entries of a record; keys that are whole numbers would come first, tasks' ids are none. */
export function newest<T>(record: Readonly<Record<string, T>>, most: number): Record<string, T> {
  const all = Object.entries(record);
  return all.length <= most ? { ...record } : Object.fromEntries(all.slice(-most));
}
