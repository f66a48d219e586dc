import type { Clock } from "../base/clock.ts";
import { type DiscordError, isPassing } from "./discord-error.ts";
import type { Id } from "./message.ts";
import { patience } from "./patience.ts";
import type { DiscordRest } from "./rest.ts";

export interface ReactionsParts {
  rest: Pick<DiscordRest, "react" | "unreact">;
  clock: Clock;
  random(): number;
  log(level: "info", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** A message, by where it was said. */
export interface Spot {
  channelId: Id;
  messageId: Id;
}

/**
 * The bot's own reactions, all of them: what several parts want of one message is done in the order
 * in which they wanted it. Discord allows four in a second in each channel: what is no longer wanted when
 * its time comes is not sent, and one channel does not wait for another. Nothing waits for them.
 */
export interface Reactions extends AsyncDisposable {
  /** `first`: people wait for it, so it goes before what others wait to show in that channel. */
  add(spot: Spot, emoji: string, order?: "first" | "last"): void;
  remove(spot: Spot, emoji: string): void;
  /** Nothing is due for these messages any more, or the signal has ended the waiting. */
  settled(messages: readonly Id[], signal: AbortSignal): Promise<void>;
  /** Tries now, whatever it was waiting for. */
  wake(): void;
  waiting(): number;
}

type Step = "add" | "remove";

interface Wanted {
  step: Step;
  /** Nobody knows whether it was carried out. */
  wasTried: boolean;
}

interface Due extends Wanted {
  messageId: Id;
  emoji: string;
}

interface Lane {
  /** By message, what is to be done of which emoji. */
  readonly due: Map<Id, Map<string, Wanted>>;
  readonly firsts: Set<Id>;
  /** Whose turn it is; it has left `due`. */
  current: Id | undefined;
  nap: AbortController;
  ended: Promise<void>;
}

/** Messages of one channel; beyond so many the oldest are let go. */
const MOST = 2_000;
/** At the end what is due is done for so long. */
const LAST_MS = 1_000;

export function createReactions(parts: ReactionsParts): Reactions {
  const { clock } = parts;
  const stop = new AbortController();
  const lanes = new Map<Id, Lane>();
  const watchers = new Set<() => void>();
  let isEnding = false;
  let hasFallen = false;

  function want(step: Step, { channelId, messageId }: Spot, emoji: string): Lane | undefined {
    if (isEnding) return undefined;
    const lane = lanes.get(channelId) ?? begin(channelId);
    const steps = lane.due.get(messageId) ?? new Map<string, Wanted>();
    const before = steps.get(emoji);
    steps.delete(emoji);
    // What was not begun needs no undoing.
    if (before === undefined || before.step === step || before.wasTried) {
      steps.set(emoji, { step, wasTried: false });
    }
    if (steps.size > 0) lane.due.set(messageId, steps);
    else forget(lane, messageId);
    if (lane.due.size > MOST) forget(lane, lane.due.keys().next().value!);
    return lane;
  }

  function forget({ due, firsts }: Lane, messageId: Id): void {
    due.delete(messageId);
    firsts.delete(messageId);
  }

  function begin(channelId: Id): Lane {
    const lane: Lane = {
      due: new Map(),
      firsts: new Set(),
      current: undefined,
      nap: new AbortController(),
      ended: Promise.resolve(),
    };
    lanes.set(channelId, lane);
    // Whoever asks for several things at once has asked for all of them when the first begins.
    lane.ended = Promise.resolve().then(() => work(channelId, lane));
    return lane;
  }

  async function work(channelId: Id, lane: Lane): Promise<void> {
    let tries = 0;
    for (let next = take(lane); next !== undefined; next = take(lane)) {
      lane.current = next.messageId;
      const passing = await attempt(channelId, next);
      lane.current = undefined;
      tries = passing === undefined ? 0 : tries + 1;
      if (passing === undefined) changed();
      else if (isEnding) break;
      else {
        restore(lane, next);
        await rest(lane, Math.max(passing.retryAfterMs ?? 0, patience(tries, parts.random)));
      }
    }
    // Nothing is awaited in between: what comes now begins a lane of its own.
    lanes.delete(channelId);
  }

  /** Answers the trouble after which it is to be tried again. */
  async function attempt(
    channelId: Id,
    { messageId, emoji, step }: Due,
  ): Promise<DiscordError | undefined> {
    try {
      if (step === "add") await parts.rest.react(channelId, messageId, emoji, stop.signal);
      else await parts.rest.unreact(channelId, messageId, emoji, stop.signal);
    } catch (error) {
      if (stop.signal.aborted) return undefined;
      if (isPassing(error)) return error;
      fell(error);
    }
    return undefined;
  }

  async function rest(lane: Lane, ms: number): Promise<void> {
    lane.nap = new AbortController();
    const signal = AbortSignal.any([stop.signal, lane.nap.signal]);
    await clock.sleep(ms, signal).catch(() => {});
  }

  function isDue(message: Id): boolean {
    return [...lanes.values()].some(({ due, current }) => due.has(message) || current === message);
  }

  function changed(): void {
    for (const tell of watchers) tell();
  }

  function take({ due, firsts }: Lane): Due | undefined {
    if (stop.signal.aborted) return undefined;
    const [messageId = due.keys().next().value] = firsts;
    if (messageId === undefined) return undefined;
    firsts.delete(messageId);
    const steps = due.get(messageId)!;
    const [emoji, wanted] = steps.entries().next().value!;
    steps.delete(emoji);
    if (steps.size === 0) due.delete(messageId);
    return { messageId, emoji, ...wanted };
  }

  /** Before what was wanted since; what was wanted since of the same emoji takes its place. */
  function restore({ due }: Lane, { messageId, emoji, step }: Due): void {
    const since = due.get(messageId) ?? new Map<string, Wanted>();
    if (since.has(emoji)) return;
    due.set(messageId, new Map([[emoji, { step, wasTried: true }], ...since]));
  }

  /** Without the permission, or deleted meanwhile. */
  function fell(error: unknown): void {
    if (hasFallen) return;
    hasFallen = true;
    parts.log("info", "Cannot react to a message", { error: `${error}` });
  }

  return {
    add(spot, emoji, order = "last") {
      const lane = want("add", spot, emoji);
      if (order === "first" && lane?.due.has(spot.messageId)) lane.firsts.add(spot.messageId);
    },
    remove: (spot, emoji) => void want("remove", spot, emoji),
    async settled(messages, signal) {
      while (!signal.aborted && messages.some(isDue)) {
        const { promise, resolve } = Promise.withResolvers<void>();
        watchers.add(resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
        await promise;
        watchers.delete(resolve);
      }
    },
    wake() {
      for (const { nap } of lanes.values()) nap.abort();
    },
    waiting: () => [...lanes.values()].reduce((sum, { due }) => sum + due.size, 0),
    async [Symbol.asyncDispose]() {
      isEnding = true;
      for (const { nap } of lanes.values()) nap.abort();
      const all = Promise.all([...lanes.values()].map(({ ended }) => ended));
      const late = new AbortController();
      await Promise.race([all, clock.sleep(LAST_MS, late.signal).catch(() => {})]);
      late.abort();
      stop.abort();
      await all;
    },
  };
}
