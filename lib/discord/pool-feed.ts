import type { Clock } from "../base/clock.ts";
import type { Event } from "../sweep/event.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import type { PoolHappening } from "../tasks/pool-event.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id, Outgoing } from "./message.ts";
import { nap } from "./nap.ts";
import { patience } from "./patience.ts";
import type { DiscordRest } from "./rest.ts";

export interface PoolFeedParts<D extends { seq: number; at: number }> {
  /** What is posted, for people: `results`. */
  name: string;
  desk: Pick<PoolDesk, "events" | "onEvent">;
  rest: Pick<DiscordRest, "send">;
  /** The journal's number up to which all is posted. */
  cursor: { read(): number; write(seq: number): void };
  clock: Clock;
  random(): number;
  /** What an event is to be told as; undefined for one that needs no post. */
  pick(event: Event<PoolHappening>): D | undefined;
  channel(signal: AbortSignal): Promise<Id>;
  onLost(): void;
  /** Before the first post of this life: puts the cursor right by what the channel tells. */
  begin?(channel: Id, signal: AbortSignal): Promise<void>;
  /** The cursor may stand too far: `begin` is due whether there is a post or not. */
  isGuess?(): boolean;
  /** Posts one, for good when it resolves. Throws DiscordError. `isAgain`: it may be out already. */
  post(channel: Id, due: D, signal: AbortSignal, isAgain: boolean): Promise<void>;
  /** Whether a digest that may be out already is. */
  find?(message: Outgoing, first: D, channel: Id, signal: AbortSignal): Promise<boolean>;
  /** Somebody waits for it elsewhere: it is posted by itself, whatever else waits. */
  isOwn?(due: D): boolean;
  /** One message that tells of the first of them, and of how many. */
  digest(dues: readonly D[]): { message: Outgoing; told: number };
  /** One that Discord does not take in full, in the plainest form. */
  plain(due: D): Outgoing;
  onTrouble(trouble: string | undefined): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

export interface PoolFeed extends AsyncDisposable {
  start(): void;
  wake(): void;
  waiting(): number;
}

/** So many posts that waited for Discord to come back become digests. */
const MANY = 12;
/** The same for what waits because there is so much of it. */
const OLD_MS = 10 * 60_000;
/** A channel takes about one message per second of one bot. */
const PACE_MS = 1_000;
const PAGE = 500;
/** Discord's number for a message that is gone; a channel that is gone has another. */
export const UNKNOWN_MESSAGE = 10008;

/** Posts what the pool's journal says: each once, in order, over restarts and outages. */
export function createPoolFeed<D extends { seq: number; at: number }>(
  parts: PoolFeedParts<D>,
): PoolFeed {
  const { desk, clock, cursor } = parts;
  const stop = new AbortController();
  let wakeUp = Promise.withResolvers<void>();
  let tries = 0;
  let postedAt = -Infinity;
  /** What waits now could not be posted in its time. */
  let wasAway = true;
  let running: Promise<void> | undefined;
  let hasBegun = false;
  const bornAt = desk.events(cursor.read(), Number.MAX_SAFE_INTEGER).at(-1)?.seq ?? cursor.read();
  /** The last that was tried: alone (0), or so many in one digest. */
  let unclear: { seq: number; count: number } | undefined;
  const stopListening = desk.onEvent((event) => {
    if (parts.pick(event) !== undefined) wakeUp.resolve();
  });

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      wakeUp = Promise.withResolvers();
      const wait = await pass();
      if (!stop.signal.aborted) await nap(clock, wait, wakeUp.promise, stop.signal);
    }
  }

  function due(): { dues: D[]; upTo: number | undefined; more: boolean } {
    const events = desk.events(cursor.read(), PAGE);
    return {
      dues: events.flatMap((event) => parts.pick(event) ?? []),
      upTo: events.at(-1)?.seq,
      more: events.length >= PAGE,
    };
  }

  /** Everything that is due. Gives back how long to wait before the next try, if one is needed. */
  async function pass(): Promise<number | undefined> {
    while (!stop.signal.aborted) {
      const { dues, upTo, more } = due();
      const [first] = dues;
      if (first === undefined) {
        // Only posts are worth a write to the disk; where it stands between them is no matter.
        if (more) cursor.write(upTo!);
        else if (!hasBegun && parts.isGuess?.() === true) {
          const again = await tried([]);
          if (again !== undefined) return again;
        } else {
          wasAway = false;
          return undefined;
        }
        continue;
      }
      const wait = postedAt + PACE_MS - clock.now();
      if (wait > 0) await clock.sleep(wait, stop.signal).catch(() => {});
      if (stop.signal.aborted) return undefined;
      const again = await tried(dues);
      if (again !== undefined) return again;
      postedAt = clock.now();
    }
    return undefined;
  }

  /** Milliseconds to wait; undefined: go on. */
  async function tried(dues: readonly D[]): Promise<number | undefined> {
    try {
      await out(dues);
      tries = 0;
      parts.onTrouble(undefined);
      return undefined;
    } catch (error) {
      return stop.signal.aborted ? undefined : await failed(error, dues[0]);
    }
  }

  async function out(dues: readonly D[]): Promise<void> {
    const channel = await parts.channel(stop.signal);
    const [first] = dues;
    // What is older than this life may be out already.
    const isOld = first === undefined || first.seq <= bornAt;
    if (!hasBegun && (isOld || parts.isGuess?.() === true)) {
      const from = cursor.read();
      await parts.begin?.(channel, stop.signal);
      hasBegun = true;
      if (first === undefined || cursor.read() !== from) return;
    }
    hasBegun = true;
    const isLong = dues.length > MANY && (wasAway || clock.now() - first!.at > OLD_MS);
    const isOwn = (due: D) => parts.isOwn?.(due) === true;
    // What may be out already is tried again as it was, or it would be told twice.
    const again = unclear?.seq === first!.seq ? unclear : undefined;
    if (again === undefined ? !isLong || isOwn(first!) : again.count === 0) {
      unclear = { seq: first!.seq, count: 0 };
      await parts.post(channel, first!, stop.signal, again !== undefined || isOld);
      if (dues.length <= MANY) wasAway = false;
      return cursor.write(first!.seq);
    }
    const next = dues.findIndex(isOwn);
    const { message, told } = parts.digest(
      dues.slice(0, again?.count ?? (next < 0 ? dues.length : next)),
    );
    unclear = { seq: first!.seq, count: told };
    const isOut = again !== undefined &&
      await parts.find?.(message, first!, channel, stop.signal) === true;
    if (!isOut) await parts.rest.send(channel, message, stop.signal);
    parts.log("info", `Posted ${told} of the ${parts.name} as one digest`);
    cursor.write(dues[told - 1]!.seq);
  }

  /** Milliseconds to wait; undefined: go on at once. */
  async function failed(error: unknown, first: D | undefined): Promise<number | undefined> {
    if (!(error instanceof DiscordError)) {
      if (first === undefined) throw error;
      parts.log("warn", `Cannot make a post of the ${parts.name}, and leaves it out`, {
        error: `${error}`,
      });
      cursor.write(first.seq);
      return undefined;
    }
    if (error.kind === "rejected" && error.status === 400 && first !== undefined) {
      return await skip(error, first);
    }
    wasAway = true;
    tries++;
    if (error.kind === "missing" && error.code !== UNKNOWN_MESSAGE) {
      parts.onLost();
      // It is looked for anew at once, the first time.
      if (tries === 1) return undefined;
    }
    parts.onTrouble(error.message);
    return Math.max(error.retryAfterMs ?? 0, patience(tries, parts.random));
  }

  /** One post that Discord does not take may not keep all others back. */
  async function skip(error: DiscordError, first: D): Promise<undefined> {
    parts.log("warn", `Discord does not take a post of the ${parts.name}`, {
      error: error.message,
    });
    try {
      await parts.rest.send(await parts.channel(stop.signal), parts.plain(first), stop.signal);
    } catch (again) {
      parts.log("warn", "Nor its plain form", { error: `${again}` });
    }
    cursor.write(first.seq);
  }

  return {
    start() {
      running ??= run().catch((error) => {
        parts.log("warn", `The feed of the ${parts.name} ended`, {
          error: `${error?.stack ?? error}`,
        });
      });
    },
    wake: () => wakeUp.resolve(),
    waiting: () => due().dues.length,
    async [Symbol.asyncDispose]() {
      stopListening();
      stop.abort();
      wakeUp.resolve();
      await running;
    },
  };
}
