import type { Notice } from "../lib/actions/desk.ts";
import type { ControlClient } from "../lib/control/client.ts";
import type { Event } from "../lib/sweep/event.ts";
import type { ChannelPort, SlashReply } from "./terminal-channel.ts";

/** What a terminal tells of. */
const TYPES = ["said", "question-asked", "question-closed", "message-received"];

/** A slash command may wait for the scheduler, and for another action before it. */
const SLASH_TIMEOUT_MS = 10 * 60_000;

export interface RemotePort extends ChannelPort {
  /** Resolves when the daemon lets go of the sweep or the signal is aborted; throws when it is gone. */
  readonly ended: Promise<void>;
}

/**
 * A sweep that a running daemon holds; `past` is told first, then what comes
 * behind it. Undefined: nothing from before was asked for.
 */
export function createRemotePort(
  client: Pick<ControlClient, "events" | "request" | "say">,
  sweep: { id: string; past: readonly Event[] | undefined },
  signal: AbortSignal,
): RemotePort {
  const { id, past = [] } = sweep;
  const path = sweepPath(id);
  const onEvents = new Set<(event: Event) => void>();
  const onNotices = new Set<(notice: Notice) => void>();
  const ended = Promise.withResolvers<void>();
  // Whoever waits for it hears of a failure; nobody else has to.
  ended.promise.catch(() => {});
  let following = false;

  function follow(): void {
    if (following) return;
    following = true;
    const place = sweep.past === undefined ? {} : { after: past.at(-1)?.seq ?? 0 };
    client.events(`${path}/events?types=${TYPES.join(",")}`, { ...place, signal }, (frame) => {
      const data: unknown = JSON.parse(frame.data);
      if (frame.event === "notice") onNotices.forEach((tell) => tell(data as Notice));
      else if (frame.event === "message") onEvents.forEach((tell) => tell(data as Event));
    }).then(ended.resolve, ended.reject);
  }

  return {
    id,
    ended: ended.promise,
    events: (after) => past.filter(({ seq }) => seq > after),
    onEvent(listener) {
      onEvents.add(listener);
      follow();
      return () => onEvents.delete(listener);
    },
    onNotice(listener) {
      onNotices.add(listener);
      return () => onNotices.delete(listener);
    },
    receive: ({ id: message, name, text }) => client.say(id, { id: message, name, text }),
    async slash(text) {
      if (!/^\/[a-z?]/i.test(text)) return undefined;
      return await client.request<SlashReply>("POST", `${path}/slash`, { text }, {
        signal,
        timeoutMs: SLASH_TIMEOUT_MS,
      });
    },
  };
}

export function sweepPath(id: string): string {
  return `/v1/sweeps/${encodeURIComponent(id)}`;
}

interface HeardOrSaid {
  seq: number;
  at: number;
  by: string;
  direction: "heard" | "said";
  id: string;
  name: string | null;
  kind: string | null;
  text: string;
}

/** What was heard and said last in a sweep, as the events that it was; undefined for a limit of 0. */
export async function lastTalk(
  client: Pick<ControlClient, "request">,
  id: string,
  limit: number,
): Promise<Event[] | undefined> {
  if (limit === 0) return undefined;
  const path = `${sweepPath(id)}/messages?limit=${limit}`;
  const { items } = await client.request<{ items: readonly HeardOrSaid[] }>("GET", path);
  return items.map(({ seq, at, by, direction, id, name, kind, text }): Event => ({
    v: 1,
    seq,
    at,
    by,
    what: direction === "said"
      ? { type: "said", said: { key: id, kind: (kind ?? "agent") as "agent", text } }
      : { type: "message-received", message: { id, from: by, name: name ?? by, text } },
  }));
}
