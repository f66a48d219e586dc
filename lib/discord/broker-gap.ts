import { DiscordError } from "./discord-error.ts";
import type { Id } from "./message.ts";
import type { Channel, DiscordRest } from "./rest.ts";

export interface GapParts {
  rest: Pick<DiscordRest, "channels" | "activeThreads">;
  /** Servers in which the bot is. */
  guilds: readonly Id[];
  /** Where it may answer; threads have their channel's right. */
  channels: readonly Id[] | "all";
  /** The last message that was read, of each place that was ever read. */
  seen: Readonly<Record<Id, Id>>;
  /** Threads of conversations that are spoken in of late, the newest last; `since`: with what they began. */
  threads: readonly { id: Id; since: Id }[];
}

/** A place to be read; `after`: from there on, where nothing was read before. */
export interface Missed {
  id: Id;
  after: Id | undefined;
}

/** Of what no list names, such as archived threads and direct messages, so many are read; each costs a request. */
const MOST_UNLISTED = 25;

/**
 * Where something was said that was not read yet: two questions for each server, whatever the
 * number of channels. Where Discord gives no lists, every place that is known.
 */
export async function missedPlaces(parts: GapParts, signal: AbortSignal): Promise<Missed[]> {
  const { channels, threads } = parts;
  const began = new Map(threads.map(({ id, since }) => [id, since]));
  const known = [...new Set([...Object.keys(parts.seen), ...began.keys()])];
  const listed = await listPlaces(parts, signal);
  if (listed === undefined) {
    const all = new Set([...channels === "all" ? [] : channels, ...known]);
    return [...all].map((id) => ({ id, after: began.get(id) }));
  }
  const names = new Set(listed.map(({ id }) => id));
  const unlisted = known.filter((id) => !names.has(id)).slice(-MOST_UNLISTED);
  const last = newest(Object.values(parts.seen));
  return [
    ...listed.filter((one) => isOurs(one, parts)).flatMap((one): Missed[] => {
      // A thread of which nothing is known: somebody may have called the bot into it meanwhile.
      const after = began.get(one.id) ?? (one.ownerId === undefined ? undefined : last);
      const read = parts.seen[one.id] ?? after;
      const { lastMessageId } = one;
      const isRead = lastMessageId === undefined ||
        (read !== undefined && BigInt(lastMessageId) <= BigInt(read));
      return isRead ? [] : [{ id: one.id, after }];
    }),
    ...unlisted.map((id) => ({ id, after: began.get(id) })),
  ];
}

/** Undefined when Discord does not say now. */
async function listPlaces(
  { rest, guilds }: GapParts,
  signal: AbortSignal,
): Promise<readonly Channel[] | undefined> {
  if (guilds.length === 0) return undefined;
  try {
    const lists: (readonly Channel[])[] = [];
    for (const guild of guilds) {
      lists.push(await rest.channels(guild, signal), await rest.activeThreads(guild, signal));
    }
    return lists.flat();
  } catch (error) {
    if (error instanceof DiscordError) return undefined;
    throw error;
  }
}

function isOurs({ id, parentId }: Channel, { channels, seen, threads }: GapParts): boolean {
  return channels === "all" || channels.includes(id) ||
    (parentId !== undefined && channels.includes(parentId)) || id in seen ||
    threads.some((one) => one.id === id);
}

function newest(ids: readonly Id[]): Id | undefined {
  return ids.reduce<Id | undefined>(
    (last, id) => last === undefined || BigInt(id) > BigInt(last) ? id : last,
    undefined,
  );
}
