import type { Place } from "../chat/arrival.ts";
import type { GatewayEvent } from "./gateway-event.ts";
import type { Id } from "./message.ts";
import type { Channel, DiscordRest } from "./rest.ts";

/** A direct message, of one person and of a group. */
const DIRECT = [1, 3];
/** News threads, public and private threads. A category's channel has a parent, too, and is no thread. */
const THREADS = [10, 11, 12];
const MOST_KNOWN = 2_000;

/** Where messages are said: what the gateway tells of channels is kept, only what is unknown is asked for. */
export interface BrokerPlaces {
  hear(event: GatewayEvent): void;
  /** Throws DiscordError when Discord does not say now. */
  of(channelId: Id, signal?: AbortSignal): Promise<Place>;
  /** A thread that was just made: the first message in it needs no question. */
  learn(thread: Id, parentId: Id, ownerId: Id): void;
}

export function createBrokerPlaces(rest: Pick<DiscordRest, "channel">): BrokerPlaces {
  const known = new Map<Id, Place>();

  function keep(id: Id, place: Place): Place {
    known.delete(id);
    known.set(id, place);
    if (known.size > MOST_KNOWN) known.delete(known.keys().next().value!);
    return place;
  }

  return {
    hear(event) {
      if (event.type === "thread-changed") keep(event.thread.id, placeOf(event.thread));
      else if (event.type === "channel-changed") keep(event.channel.id, placeOf(event.channel));
      else if (event.type === "channel-deleted") known.delete(event.id);
    },
    async of(channelId, signal) {
      return known.get(channelId) ??
        keep(channelId, placeOf(await rest.channel(channelId, signal)));
    },
    learn(thread, parentId, ownerId) {
      const guildId = known.get(parentId)?.guildId;
      keep(thread, {
        channelId: parentId,
        threadId: thread,
        isDirect: false,
        threadOwner: ownerId,
        guildId,
      });
    },
  };
}

function placeOf({ id, type, parentId, guildId, ownerId }: Channel): Place {
  const isThread = THREADS.includes(type) && parentId !== undefined;
  return {
    channelId: isThread ? parentId : id,
    threadId: isThread ? id : undefined,
    isDirect: DIRECT.includes(type),
    threadOwner: isThread ? ownerId : undefined,
    guildId,
  };
}
