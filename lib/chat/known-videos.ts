import type { Arrival, Attached } from "./arrival.ts";
import { kindOf } from "./attachments-in.ts";

/** A video that the agent was told of by its address, and where a fresh one is to be had. */
export interface KnownVideo {
  channelId: string;
  message: string;
  attached: Attached;
}

const MOST_VIDEOS = 5;

/** With those of another message, the newest last. */
export function videosIn(
  known: readonly KnownVideo[],
  { id, place, attachments }: Arrival,
): readonly KnownVideo[] {
  const channelId = place.threadId ?? place.channelId;
  const found = attachments.filter((one) => kindOf(one) === "video")
    .map((attached) => ({ channelId, message: id, attached }));
  return found.length === 0 ? known : [...known, ...found].slice(-MOST_VIDEOS);
}
