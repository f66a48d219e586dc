import type { Desk } from "../actions/desk.ts";
import type { Clock } from "../base/clock.ts";
import type { Event } from "../sweep/event.ts";
import type { Said } from "../sweep/monitor-event.ts";
import { isOwn } from "./digest-view.ts";
import { deliver } from "./delivery.ts";
import type { Post } from "./delivery.ts";
import { DiscordError } from "./discord-error.ts";
import type { ChannelMemory } from "./memory.ts";
import type { Id, Outgoing } from "./message.ts";
import { nap } from "./nap.ts";
import { patience } from "./patience.ts";
import type { DiscordRest } from "./rest.ts";

/** A post of the journal that is due. */
export interface Due {
  seq: number;
  at: number;
  said: Said;
}

export interface FeedParts {
  desk: Pick<Desk, "events" | "onEvent">;
  rest: Pick<DiscordRest, "send" | "edit">;
  memory: ChannelMemory;
  clock: Clock;
  random(): number;
  /** Resolves to the channel as soon as there is one; throws what `find` of its home throws. */
  channel(signal: AbortSignal): Promise<Id>;
  /** The channel is gone. */
  onLost(): void;
  view(due: Due): readonly Outgoing[];
  digest(dues: readonly Due[]): readonly Outgoing[];
  /** The thread where it was asked for; undefined for what belongs into the channel. */
  threadOf(due: Due): Id | undefined | Promise<Id | undefined>;
  /** The message into which the agent's words stream, if one is open: this post becomes it. */
  takeStream(due: Due): Promise<Id | undefined>;
  onPosted(due: Due, sent: readonly Id[]): void;
  /** Why nothing can be posted now, for people; undefined: all is well again. */
  onTrouble(trouble: string | undefined): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

export interface Feed extends AsyncDisposable {
  start(): void;
  /** Tries now, whatever it was waiting for. */
  wake(): void;
  /** Posts that are due. */
  waiting(): number;
  /** Resolves when nothing is due, or after `ms`. */
  drained(ms: number): Promise<void>;
}

/** So many posts, the oldest of them so old, were an outage: they become one digest. */
const MANY = 12;
const FEW = 5;
const OLD_MS = 10 * 60_000;
const PAGE = 1_000;

/** Posts what the journal says was said: each once, in order, over restarts and outages. */
export function createFeed(parts: FeedParts): Feed {
  const { desk, memory, clock } = parts;
  const stop = new AbortController();
  let wakeUp = Promise.withResolvers<void>();
  let tries = 0;
  let running: Promise<void> | undefined;
  const stopListening = desk.onEvent(({ what }) => {
    if (what.type === "said") wake();
  });

  function wake(): void {
    wakeUp.resolve();
  }

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      wakeUp = Promise.withResolvers();
      const wait = await pass();
      if (stop.signal.aborted) return;
      await nap(clock, wait, wakeUp.promise, stop.signal);
    }
  }

  /** Everything that is due. Gives back how long to wait before the next try, if one is needed. */
  async function pass(): Promise<number | undefined> {
    for (;;) {
      const dues = due(desk.events(memory.read().delivered, PAGE));
      const [first] = dues.said;
      if (first === undefined) {
        settle(dues.upTo);
        if (dues.upTo === undefined || dues.more === false) return undefined;
        continue;
      }
      try {
        const channel = await parts.channel(stop.signal);
        await post(channel, dues.said);
        tries = 0;
        parts.onTrouble(undefined);
      } catch (error) {
        if (stop.signal.aborted) return undefined;
        const wait = await failed(error, dues.said);
        if (wait !== undefined) return wait;
      }
    }
  }

  async function post(channel: Id, dues: readonly Due[]): Promise<void> {
    const [first] = dues;
    const begun = memory.read().partly;
    const others = dues.filter((one) => !isOwn(one)).length;
    const isLong = others > MANY || (others > FEW && clock.now() - first!.at > OLD_MS);
    // One that is out in part is finished first.
    const goesOn = begun !== undefined && begun.key === first!.said.key;
    if (isLong && !goesOn) return await postDigest(channel, dues);
    const thread = await parts.threadOf(first!);
    if (thread !== undefined && await postAside(thread, first!)) return;
    const into = await parts.takeStream(first!);
    await out(channel, {
      key: first!.said.key,
      parts: parts.view(first!),
      ...(into === undefined ? {} : { into }),
    }, first!);
  }

  /** False when the thread is gone or closed: then the channel hears it. */
  async function postAside(thread: Id, due: Due): Promise<boolean> {
    try {
      await out(thread, { key: due.said.key, parts: parts.view(due) }, due);
      return true;
    } catch (error) {
      const isClosed = error instanceof DiscordError &&
        (error.kind === "missing" || error.kind === "forbidden" || error.kind === "rejected");
      if (!isClosed) throw error;
      memory.write({ partly: undefined });
      return false;
    }
  }

  async function out(channel: Id, post: Post, last: Due): Promise<void> {
    const sent = await deliver(parts, channel, post, stop.signal);
    const isStream = post.into !== undefined && memory.read().streaming === post.into;
    memory.write({
      delivered: last.seq,
      partly: undefined,
      ...(isStream ? { streaming: undefined } : {}),
    });
    parts.onPosted(last, sent);
  }

  /** What still waits for an answer keeps a post of its own, with its buttons. */
  async function postDigest(channel: Id, dues: readonly Due[]): Promise<void> {
    const last = dues.at(-1)!;
    const key = `digest/${dues[0]!.seq}-${last.seq}`;
    await deliver(parts, channel, { key, parts: parts.digest(dues) }, stop.signal);
    memory.write({ delivered: last.seq, partly: undefined });
    parts.log("info", `Posted ${dues.length} posts as one digest`);
  }

  /** Milliseconds to wait; undefined: go on at once. */
  async function failed(error: unknown, dues: readonly Due[]): Promise<number | undefined> {
    if (!(error instanceof DiscordError)) {
      parts.log("warn", "Cannot make a post, and leaves it out", { error: `${error}` });
      memory.write({ delivered: dues[0]!.seq, partly: undefined });
      return undefined;
    }
    if (error.kind === "missing") parts.onLost();
    if (error.kind === "rejected" && error.status === 400) return await skip(error, dues);
    tries++;
    parts.onTrouble(error.message);
    return Math.max(error.retryAfterMs ?? 0, patience(tries, parts.random));
  }

  /** One post that Discord does not take may not keep all others back. */
  async function skip(error: DiscordError, dues: readonly Due[]): Promise<number | undefined> {
    parts.log("warn", "Discord does not take a post", {
      key: dues[0]!.said.key,
      error: error.message,
    });
    const plain = parts.digest([dues[0]!]).slice(0, 1).map(({ content }) => ({
      content: content ?? "A post could not be shown; `herd attach` shows it.",
    }));
    try {
      await parts.rest.send(await parts.channel(stop.signal), plain[0]!, stop.signal);
    } catch (again) {
      parts.log("warn", "Nor its plain form", { error: `${again}` });
    }
    memory.write({ delivered: dues[0]!.seq, partly: undefined });
    return undefined;
  }

  function settle(upTo: number | undefined): void {
    // Only posts are worth a write to the disk; where it stands between them is no matter.
    if (upTo !== undefined && upTo - memory.read().delivered >= PAGE) {
      memory.write({ delivered: upTo });
    }
  }

  /** At least so many; 0 only when there is none, however many events nobody said lie before. */
  function pending(): number {
    for (let from = memory.read().delivered;;) {
      const { said, upTo, more } = due(desk.events(from, PAGE));
      if (said.length > 0 || !more || upTo === undefined) return said.length;
      from = upTo;
    }
  }

  return {
    start() {
      running ??= run().catch((error) => {
        parts.log("warn", "The feed of the channel ended", { error: `${error?.stack ?? error}` });
      });
    },
    wake,
    waiting: pending,
    async drained(ms) {
      const until = clock.now() + ms;
      while (pending() > 0 && clock.now() < until && !stop.signal.aborted) {
        await clock.sleep(50, stop.signal).catch(() => {});
      }
    },
    async [Symbol.asyncDispose]() {
      stopListening();
      stop.abort();
      wake();
      await running;
    },
  };
}

function due(events: readonly Event[]): { said: Due[]; upTo: number | undefined; more: boolean } {
  const said = events.flatMap(({ seq, at, what }) =>
    what.type === "said" ? [{ seq, at, said: what.said }] : []
  );
  return { said, upTo: events.at(-1)?.seq, more: events.length >= PAGE };
}
