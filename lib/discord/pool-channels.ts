import type { Clock } from "../base/clock.ts";
import type { PoolDiscord } from "../tasks/pool-config.ts";
import type { PoolDesk, WorkerStatus } from "../tasks/pool-desk.ts";
import { DiscordError } from "./discord-error.ts";
import type { GatewayEvent, Interaction } from "./gateway-event.ts";
import type { DiscordLink } from "./link.ts";
import type { Id } from "./message.ts";
import { nap } from "./nap.ts";
import { patience } from "./patience.ts";
import { createPoolAccess } from "./pool-access.ts";
import type { PoolAccess } from "./pool-access.ts";
import { createPoolHome } from "./pool-home.ts";
import type { PoolHome } from "./pool-home.ts";
import { createPoolIntake } from "./pool-intake.ts";
import { createPoolInteractions } from "./pool-interactions.ts";
import { createPoolMarks } from "./pool-marks.ts";
import type { PoolMemory, PoolPlace } from "./pool-memory.ts";
import { createPoolMirror } from "./pool-mirror.ts";
import { createPoolResults } from "./pool-results.ts";
import { createPoolSigns } from "./pool-signs.ts";
import { createPoolStatuses } from "./pool-statuses.ts";
import { createPrivateWord } from "./private-word.ts";
import { idOfTime, timeOfId } from "./snowflake.ts";

export interface PoolChannelsParts {
  desk: PoolDesk;
  link: DiscordLink;
  memory: PoolMemory;
  clock: Clock;
  random(): number;
  /** See `workerStatus` of lib/tasks. */
  workerStatus(worker: string): WorkerStatus;
  /** The table of `herd cost`, of so many days up to today. */
  costText(by: "day" | "model" | "worker", days: number): string;
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
  /** A sentence for people about what does not work; undefined when all does. */
  onTrouble(trouble: string | undefined): void;
}

/** The pool in Discord: three channels as views of its journal. Nothing in them is an authority. */
export interface PoolChannels extends AsyncDisposable {
  /** The channels, as far as they are known. */
  channels(): Readonly<Record<PoolPlace, Id | undefined>>;
  /** Who may give the pool tasks, also elsewhere than in its channels. */
  access: Pick<PoolAccess, "rule">;
  /** Posts that are not out yet. */
  waiting(): number;
  start(): void;
  /** Events of the link; interactions too, where they are the pool's. */
  handle(event: GatewayEvent): void;
  /** Whether it is the pool's; then it is answered. */
  handlePoolInteraction(interaction: Interaction): boolean;
}

/** So much before the newest task of a channel is read again when nobody remembers how far it was read. */
const READ_AGAIN_MS = 60 * 60_000;

/** Throws when the configuration has no section for Discord. */
export function createPoolChannels(parts: PoolChannelsParts): PoolChannels {
  const { desk, link, memory, clock, random, log } = parts;
  const { rest } = link;
  const stop = new AbortController();
  let last = desk.config().discord;
  if (last === undefined) throw new Error("The pool is not on Discord");
  const { guildId } = last;
  let self: { id: Id; name: string } | undefined;
  let wakeUp = Promise.withResolvers<void>();
  let running: Promise<void> | undefined;
  const troubles = new Map<string, string>();

  function settings(): PoolDiscord {
    last = desk.config().discord ?? last!;
    return last;
  }

  /** Known from the first connection on, also while there is none. */
  function me(): Id | undefined {
    const state = link.state();
    if (state.phase === "connected") self = state.me;
    return self?.id;
  }

  function trouble(of: string, why: string | undefined): void {
    const before = told();
    if (why === undefined) troubles.delete(of);
    else troubles.set(of, why);
    if (told() !== before) parts.onTrouble(told());
  }

  function told(): string | undefined {
    return troubles.values().next().value;
  }

  const homes: Readonly<Record<PoolPlace, PoolHome>> = {
    queue: homeOf("queue", async (id, signal) => {
      // What was said before the pool came was said to nobody; a channel's id is older than all of it.
      const seen = readUpTo(id) ?? await lastWord(id, signal);
      memory.write({ seen, refused: [], edits: {}, mirrors: {} });
    }),
    results: homeOf("results", () => Promise.resolve()),
    workers: homeOf("workers", () => {
      memory.write({ statuses: {}, board: undefined });
      return Promise.resolve();
    }),
  };

  function homeOf(place: PoolPlace, onNew: (id: Id, signal: AbortSignal) => Promise<void>) {
    return createPoolHome({
      place,
      wanted: () => settings().channels[place],
      guildId,
      rest,
      memory,
      onNew,
      onFound() {
        if (place !== "queue") return;
        catchUp();
        // Where our own posts are is known only now.
        signs.start();
      },
    });
  }

  /** When the memory is lost, the journal knows how far the channel was read; what is read again stays as it is. */
  function readUpTo(channel: Id): Id | undefined {
    const ids = [...desk.state().tasks.values()].flatMap(({ origin }) =>
      origin.kind === "message" && origin.channelId === channel ? origin.messageId ?? [] : []
    );
    if (ids.length === 0) return undefined;
    return idOfTime(Math.max(...ids.map(timeOfId)) - READ_AGAIN_MS);
  }

  async function lastWord(channel: Id, signal: AbortSignal): Promise<Id> {
    try {
      return (await rest.messages(channel, { limit: 1 }, signal)).at(-1)?.id ?? channel;
    } catch (error) {
      if (error instanceof DiscordError && error.kind === "forbidden") return channel;
      throw error;
    }
  }

  const access = createPoolAccess({
    settings,
    guildId,
    queueId: homes.queue.id,
    isPools: (id) => Object.values(homes).some((home) => home.id() === id),
    rest,
    clock,
  });
  const marks = createPoolMarks({ rest, clock, random, log });
  const signs = createPoolSigns({ desk, memory, marks, clock, queueId: homes.queue.id });

  const intake = createPoolIntake({
    desk,
    settings,
    rest,
    memory,
    access,
    marks,
    signs,
    clock,
    random,
    guildId,
    queueId: homes.queue.id,
    me,
    tellPrivately: createPrivateWord({ rest, clock, sweep: "The pool", log }),
    audit: parts.audit,
    log,
  });

  function feedParts(place: PoolPlace, of: string) {
    return {
      desk,
      rest,
      memory,
      clock,
      random,
      channel: homes[place].find,
      onLost: () => lose(place),
      onTrouble: (why: string | undefined) => trouble(of, why),
      log,
    };
  }

  const mirror = createPoolMirror({ ...feedParts("queue", "mirror"), signs });
  const results = createPoolResults({
    ...feedParts("results", "results"),
    guildId,
    queueId: homes.queue.id,
    me,
  });
  const statuses = createPoolStatuses({
    ...feedParts("workers", "workers"),
    status: parts.workerStatus,
    me,
  });
  const interactions = createPoolInteractions({
    desk,
    status: parts.workerStatus,
    costText: parts.costText,
    mark: memory.read().mark,
    access,
    rest,
    clock,
    queueId: homes.queue.id,
    audit: parts.audit,
    log,
  });

  /** Before the bot knows who it is, its own posts look like anybody's: "ready" comes back to this. */
  function catchUp(): void {
    if (me() !== undefined && homes.queue.id() !== undefined) intake.catchUp();
  }

  function lose(place: PoolPlace): void {
    homes[place].lose();
    access.forget();
    wakeUp.resolve();
  }

  /** The queue's channel is listened to from the start, whether anything is posted there or not. */
  async function open(): Promise<void> {
    for (let tries = 0; !stop.signal.aborted;) {
      wakeUp = Promise.withResolvers();
      let wait: number | undefined;
      try {
        for (const home of Object.values(homes)) await home.find(stop.signal);
        tries = 0;
        trouble("channels", undefined);
      } catch (error) {
        if (stop.signal.aborted) return;
        if (!(error instanceof DiscordError)) throw error;
        trouble("channels", error.message);
        wait = Math.max(error.retryAfterMs ?? 0, patience(++tries, random));
      }
      await nap(clock, wait, wakeUp.promise, stop.signal);
    }
  }

  function wakeAll(): void {
    access.forget();
    wakeUp.resolve();
    marks.wake();
    for (const part of [mirror, results, statuses]) part.wake();
  }

  function handle(event: GatewayEvent): void {
    switch (event.type) {
      case "ready":
        self = event.me;
        catchUp();
        return wakeAll();
      case "resumed":
        catchUp();
        return wakeAll();
      case "message":
        if (event.message.channelId === homes.queue.id()) intake.hear(event.message);
        return;
      case "message-edited":
        if (event.message.channelId === homes.queue.id()) intake.edited(event.message);
        return;
      case "message-deleted":
        if (event.channelId === homes.queue.id()) intake.deleted(event.id);
        return;
      case "interaction":
        interactions.handle(event.interaction);
        return;
      case "channel-changed":
        for (const home of Object.values(homes)) {
          if (home.id() === event.channel.id) home.rename(event.channel.name);
        }
        return access.forget();
      case "channel-deleted":
        for (const place of Object.keys(homes) as PoolPlace[]) {
          if (homes[place].id() === event.id) lose(place);
        }
        return;
      case "permissions-changed":
      case "guild-here":
        if ("guildId" in event && event.guildId !== guildId) return;
        return wakeAll();
      default:
    }
  }

  /** Of an old pool's history only this life's part is news. */
  function beginAt(): void {
    const { told, mirrored, places } = memory.read();
    if (told > 0 || mirrored > 0 || Object.keys(places).length > 0) return;
    const seq = desk.events(0, Number.MAX_SAFE_INTEGER).at(-1)?.seq ?? 0;
    memory.write({ told: seq, mirrored: seq, ...(seq > 0 ? { guessed: true } : {}) });
  }

  return {
    channels: () => ({
      queue: homes.queue.id(),
      results: homes.results.id(),
      workers: homes.workers.id(),
    }),
    access,
    waiting: () => results.waiting() + mirror.waiting() + marks.waiting(),
    start() {
      if (running !== undefined) return;
      beginAt();
      running = open().catch((error) => {
        log("warn", "The pool's channels are looked for no more", {
          error: `${error?.stack ?? error}`,
        });
      });
      for (const part of [mirror, results, statuses]) part.start();
    },
    handle,
    handlePoolInteraction: interactions.handle,
    async [Symbol.asyncDispose]() {
      stop.abort();
      wakeUp.resolve();
      for (const part of [results, mirror, statuses, intake, signs, marks]) {
        await part[Symbol.asyncDispose]();
      }
      await running;
    },
  };
}
