import type { Clock } from "../base/clock.ts";
import type { AgentSession } from "./agent-session.ts";
import type { TurnFailure } from "./turn.ts";

export interface SessionsParts {
  /** Live agents at the most; those that are stuck do not count, so that they are in nobody's way. */
  limit(): number;
  /** Idle for so long, an agent is ended; its conversation is not. Milliseconds. */
  ttlMs(): number;
  clock: Clock;
  /** What an agent is begun with; one that was begun with something else is begun anew for its next turn. */
  basis?(conversation: string): string;
  open(conversation: string, signal: AbortSignal): Promise<AgentSession | { failed: TurnFailure }>;
}

/** The live agents: at most so many, the longest idle one gives way. */
export interface Sessions extends AsyncDisposable {
  /**
   * The conversation's agent, for one turn; waits while all places are taken by turns. `onAhead`
   * hears how many wait before it.
   */
  take(
    conversation: string,
    how: { signal: AbortSignal; onAhead(ahead: number): void },
  ): Promise<Taken | { failed: TurnFailure } | { aborted: true }>;
  /** The live one, if there is one that may go on. */
  find(conversation: string): AgentSession | undefined;
  /** Ends the conversation's agent; a turn that has it fails. */
  close(conversation: string): Promise<void>;
  live(): readonly { conversation: string; idleMs: number | undefined }[];
  waiting(): readonly string[];
}

export interface Taken {
  session: AgentSession;
  /** As long as it is stuck its place is given to somebody else. */
  mark(isStuck: boolean): void;
  release(): void;
}

interface Place {
  session: AgentSession | undefined;
  basis: string | undefined;
  isBusy: boolean;
  isStuck: boolean;
  idleSince: number;
}

interface Ticket {
  conversation: string;
  admit(): void;
  onAhead(ahead: number): void;
}

const SWEEP_MS = 60_000;

export function createSessions(parts: SessionsParts): Sessions {
  const { clock } = parts;
  const places = new Map<string, Place>();
  const queue: Ticket[] = [];
  const opening = new Set<Promise<unknown>>();
  const ending = new Set<Promise<unknown>>();
  const stop = new AbortController();
  void sweep();

  async function sweep(): Promise<void> {
    while (!stop.signal.aborted) {
      await clock.sleep(SWEEP_MS, stop.signal).catch(() => {});
      const now = clock.now();
      for (const [conversation, { isBusy, idleSince }] of places) {
        if (!isBusy && now - idleSince >= parts.ttlMs()) drop(conversation);
      }
    }
  }

  function drop(conversation: string): void {
    const place = places.get(conversation);
    places.delete(conversation);
    if (place?.session !== undefined) void end(place.session);
  }

  async function end(session: AgentSession): Promise<void> {
    const ended = Promise.resolve(session[Symbol.asyncDispose]()).catch(() => {});
    ending.add(ended);
    await ended;
    ending.delete(ended);
  }

  const isAsBegun = (conversation: string, { basis }: Place) =>
    basis === parts.basis?.(conversation);

  /** One that was begun with other settings; both would work in the same folder. */
  async function endOutdated(conversation: string, place: Place): Promise<void> {
    const { session } = place;
    if (session === undefined || isAsBegun(conversation, place)) return;
    place.session = undefined;
    await end(session);
  }

  const counted = () => [...places.values()].filter(({ isStuck }) => !isStuck).length;

  /** Lets in whom there is a place for, in order; idle agents of others give way. */
  function admit(): void {
    while (queue.length > 0) {
      if (counted() >= parts.limit() && !evict()) break;
      queue.shift()!.admit();
    }
    queue.forEach((ticket, ahead) => ticket.onAhead(ahead));
  }

  function evict(): boolean {
    const idle = [...places].filter(([, { isBusy }]) => !isBusy);
    const [oldest] = idle.sort(([, a], [, b]) => a.idleSince - b.idleSince);
    if (oldest === undefined) return false;
    drop(oldest[0]);
    return true;
  }

  /** Resolves with the place, once there is one; undefined when the signal was first. */
  async function enter(
    conversation: string,
    signal: AbortSignal,
    onAhead: (ahead: number) => void,
  ): Promise<Place | undefined> {
    const known = places.get(conversation);
    if (known !== undefined) {
      known.isBusy = true;
      return known;
    }
    const { promise, resolve } = Promise.withResolvers<Place | undefined>();
    const ticket: Ticket = {
      conversation,
      onAhead,
      admit() {
        const place = {
          ...{ session: undefined, basis: undefined },
          ...{ isBusy: true, isStuck: false, idleSince: clock.now() },
        };
        places.set(conversation, place);
        resolve(place);
      },
    };
    const leave = () => {
      const at = queue.indexOf(ticket);
      if (at >= 0) queue.splice(at, 1);
      resolve(undefined);
    };
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    else {
      queue.push(ticket);
      admit();
    }
    const place = await promise;
    signal.removeEventListener("abort", leave);
    return place;
  }

  async function begin(
    conversation: string,
    place: Place,
    signal: AbortSignal,
  ): Promise<AgentSession | { failed: TurnFailure } | { aborted: true }> {
    const basis = parts.basis?.(conversation);
    const beginning = parts.open(conversation, AbortSignal.any([signal, stop.signal]));
    opening.add(beginning);
    const opened = await beginning.finally(() => opening.delete(beginning));
    const isIts = () => places.get(conversation) === place;
    if ("failed" in opened) {
      if (isIts()) places.delete(conversation);
      admit();
      return opened;
    }
    if (!isIts()) {
      // Its place was given up while it started: nobody would own it.
      await end(opened);
      return { aborted: true };
    }
    Object.assign(place, { session: opened, basis });
    void opened.gone.then(() => {
      if (!isIts() || place.session !== opened) return;
      drop(conversation);
      admit();
    });
    return opened;
  }

  return {
    async take(conversation, { signal, onAhead }) {
      const place = await enter(conversation, signal, onAhead);
      if (place === undefined) return { aborted: true };
      await endOutdated(conversation, place);
      const session = place.session ?? await begin(conversation, place, signal);
      if ("failed" in session || "aborted" in session) return session;
      return {
        session,
        mark(isStuck) {
          place.isStuck = isStuck;
          admit();
        },
        release() {
          place.isBusy = false;
          place.isStuck = false;
          place.idleSince = clock.now();
          admit();
        },
      };
    },
    find(conversation) {
      const place = places.get(conversation);
      if (place === undefined) return undefined;
      return place.isBusy || isAsBegun(conversation, place) ? place.session : undefined;
    },
    async close(conversation) {
      const session = places.get(conversation)?.session;
      places.delete(conversation);
      await session?.[Symbol.asyncDispose]();
      admit();
    },
    live: () =>
      [...places].map(([conversation, { isBusy, idleSince }]) => ({
        conversation,
        idleMs: isBusy ? undefined : clock.now() - idleSince,
      })),
    waiting: () => queue.map(({ conversation }) => conversation),
    async [Symbol.asyncDispose]() {
      stop.abort();
      for (const conversation of [...places.keys()]) drop(conversation);
      await Promise.allSettled(opening);
      await Promise.all(ending);
    },
  };
}
