import type { Clock } from "../base/clock.ts";
import type { Arrival } from "../chat/arrival.ts";
import type { Broker } from "../chat/broker.ts";
import type { BotRules } from "../chat/broker-config.ts";
import { turnWarningText } from "../chat/bot-turns.ts";
import { judge } from "../chat/gate.ts";
import { arrivalOf } from "./broker-arrival.ts";
import type { BrokerMemory } from "./broker-memory.ts";
import type { BrokerPlaces } from "./broker-places.ts";
import { createBrokerReading } from "./broker-reading.ts";
import type { BrokerRoom } from "./broker-room.ts";
import { createBrokerUnstored } from "./broker-unstored.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id, Member, Message } from "./message.ts";
import { nonceOf } from "./post-view.ts";
import type { Reactions } from "./reactions.ts";
import type { DiscordRest } from "./rest.ts";
import { createSerial } from "./serial.ts";

export interface BrokerIntakeParts {
  broker: Pick<Broker, "accept" | "revise" | "withdraw">;
  rules(): BotRules;
  emojis(): { queued: string | undefined; denied: string | undefined };
  rest: Pick<DiscordRest, "message" | "messages" | "activeThreads" | "member" | "send">;
  places: BrokerPlaces;
  room: BrokerRoom;
  memory: BrokerMemory;
  reactions: Pick<Reactions, "add">;
  clock: Clock;
  random(): number;
  /** Whether it was an order, such as "stop", and no message for the agent; then it is done. */
  order?(arrival: Arrival, me: Id): boolean;
  /** The bot's own user; undefined before it was connected once. */
  me(): Id | undefined;
  /**
   * A channel where a sweep of this daemon talks by this very bot: what is said there is the sweep's,
   * what is said in threads below it is for this bot's conversations.
   */
  isSweeps(channelId: Id): boolean;
  hasConversation(threadId: Id): boolean;
  /** Servers in which the bot is. */
  guilds(): readonly Id[];
  /** Threads of conversations that are spoken in of late, the newest last; `since`: with what they began. */
  threads(): readonly { id: Id; since: Id }[];
  /** Messages that no turn has yet, with what they said when they were heard. */
  queued(): readonly Arrival[];
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** Hears what is said: each message stored before it is acknowledged, in order, each once. */
export interface BrokerIntake extends AsyncDisposable {
  hear(message: Message): void;
  edited(message: Message): void;
  deleted(id: Id): void;
  /** A thread is known from now on; what was said in it before that was heard by nobody. */
  placed(thread: Id): void;
  /** Reads what was said since: after a start and after each gap. */
  catchUp(): void;
  /** Resolves when what waited from before was looked at: it may have been changed or deleted. */
  reviewed: Promise<void>;
  settled(): Promise<void>;
}

/** How long after somebody spoke the channel is read, for what the gateway may have lost. */
const REREAD_MS = 60_000;
/** Of the messages that wait so many are looked at after a gap; each costs a request. */
const MOST_REVIEWED = 25;

export function createBrokerIntake(parts: BrokerIntakeParts): BrokerIntake {
  const { broker, rest, memory, clock } = parts;
  const serial = createSerial();
  const stop = new AbortController();
  const reviewed = Promise.withResolvers<void>();
  const noted = new Set<Id>();
  const recent = new Set<Id>();
  const rereads = new Set<Id>();
  const gone = new Set<Id>();
  const unstored = createBrokerUnstored({
    ...parts,
    mark: () => memory.read().mark,
    signal: stop.signal,
  });
  const reading = createBrokerReading({ ...parts, take, serial, signal: stop.signal });

  async function take(message: Message): Promise<void> {
    const me = parts.me();
    if (me === undefined) throw new Error("The bot does not know yet who it is");
    if (recent.has(message.id) || gone.has(message.id)) return;
    const place = await parts.places.of(message.channelId, stop.signal);
    const isSweeps = parts.isSweeps(place.channelId);
    if (isSweeps && place.threadId === undefined) return;
    const arrival = await withRoles(arrivalOf(message, place), message);
    if (!noted.has(message.id)) {
      remember(noted, message.id);
      const warning = parts.room.note(arrival, me);
      if (warning !== undefined) await warn(arrival, warning);
    }
    const isSilent = isSweeps && !parts.hasConversation(place.threadId ?? "");
    const judgement = judge(
      isSilent ? withoutOwner(arrival) : arrival,
      parts.rules(),
      { ...parts.room.facts(arrival, me), ...isSilent ? { tookPart: false } : {} },
    );
    const isOrder = judgement.kind !== "deny" && parts.order?.(arrival, me) === true;
    if (judgement.kind === "answer" && !isOrder) {
      try {
        accept(arrival);
      } catch (error) {
        await unstored.tell(place.threadId ?? place.channelId);
        throw error;
      }
    }
    if (judgement.kind === "deny") deny(arrival);
    // Only now: what could not be stored is taken again.
    remember(recent, message.id);
  }

  /** In one go: whoever shows its turn is to know of its first sign. Throws when it cannot be stored. */
  function accept(arrival: Arrival): void {
    const conversation = arrival.place.threadId ?? (arrival.place.isDirect
      ? arrival.place.channelId
      // A thread that is made from a message has its id.
      : arrival.id);
    if (!broker.accept(arrival, conversation)) return;
    unstored.over();
    parts.audit("message", { by: `discord:${arrival.author.id}`, message: arrival.id });
    const { queued } = parts.emojis();
    if (queued !== undefined) mark(arrival, queued);
  }

  function deny(arrival: Arrival): void {
    parts.audit("refused", { by: `discord:${arrival.author.id}`, message: arrival.id });
    const { denied } = parts.emojis();
    if (denied !== undefined) mark(arrival, denied);
  }

  function mark({ place, id }: Arrival, emoji: string): void {
    const channelId = place.threadId ?? place.channelId;
    parts.reactions.add({ channelId, messageId: id }, emoji, "first");
  }

  async function warn(arrival: Arrival, warning: "soft" | "window" | "hard"): Promise<void> {
    const { channelId, threadId } = arrival.place;
    try {
      await rest.send(threadId ?? channelId, {
        content: turnWarningText(warning, parts.rules().botTurns),
        nonce: nonceOf(memory.read().mark, `warn ${warning} ${arrival.id}`, 0),
      }, stop.signal);
    } catch (error) {
      if (!(error instanceof DiscordError)) throw error;
      parts.log("warn", "Cannot warn of bots that talk without a person", { error: `${error}` });
    }
  }

  /** What REST gives of a message does not say what roles its author has. */
  async function withRoles(arrival: Arrival, { member }: Message): Promise<Arrival> {
    const { guildId } = arrival.place;
    if (member !== undefined || guildId === undefined || arrival.author.isBot) return arrival;
    if (parts.rules().userRoles.length === 0) return arrival;
    const known = await memberOf(guildId, arrival.author.id);
    return { ...arrival, author: { ...arrival.author, roles: known?.roles ?? [] } };
  }

  async function memberOf(guild: Id, user: Id): Promise<Pick<Member, "roles"> | undefined> {
    try {
      return await rest.member(guild, user, stop.signal);
    } catch (error) {
      // Who has left the server has no roles there.
      if (error instanceof DiscordError && error.kind === "missing") return undefined;
      throw error;
    }
  }

  /** What waits may have been changed or deleted while nobody heard it. */
  async function review(): Promise<void> {
    for (const { id, place, content } of parts.queued().slice(0, MOST_REVIEWED)) {
      try {
        const now = await rest.message(place.threadId ?? place.channelId, id, stop.signal);
        if (!isOwn(now) && now.content !== content) broker.revise(id, now.content);
      } catch (error) {
        if (!(error instanceof DiscordError)) throw error;
        if (error.kind === "missing") broker.withdraw(id, "discord");
        else {parts.log("info", "Cannot see whether a message was changed", {
            error: error.message,
          });}
      }
    }
  }

  /** What stands for somebody's words, such as a prompt by the clock, reads otherwise than they do. */
  function isOwn({ author }: Message): boolean {
    return author.id === parts.me();
  }

  function guarded(act: () => Promise<void>): void {
    void serial(async () => {
      if (stop.signal.aborted) return;
      try {
        await act();
      } catch (error) {
        if (stop.signal.aborted) return;
        parts.log("warn", "Cannot hear a message now", { error: `${error}` });
        void reading.again();
      }
    });
  }

  async function rereadLater(channel: Id): Promise<void> {
    if (rereads.has(channel)) return;
    rereads.add(channel);
    await clock.sleep(REREAD_MS, stop.signal).catch(() => {});
    rereads.delete(channel);
    if (stop.signal.aborted) return;
    reading.miss(channel);
    guarded(reading.all);
  }

  return {
    hear(message) {
      const { channelId } = message;
      // At once: what waits behind others in this process is found again by the next one.
      reading.begin(channelId, message.id);
      guarded(() => reading.attempt(channelId, () => take(message)));
      void rereadLater(channelId);
    },
    edited(message) {
      if (isOwn(message)) return;
      guarded(() => Promise.resolve(broker.revise(message.id, message.content)));
    },
    deleted(id) {
      remember(gone, id);
      guarded(() => Promise.resolve(broker.withdraw(id, "discord")));
    },
    placed(thread) {
      reading.miss(thread);
      guarded(reading.all);
    },
    catchUp() {
      const { channels } = parts.rules();
      reading.missAll(channels === "all" ? [] : channels);
      guarded(async () => {
        await review();
        reviewed.resolve();
      });
      guarded(reading.all);
    },
    reviewed: reviewed.promise,
    settled: () => serial(() => Promise.resolve()),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await serial(() => Promise.resolve());
    },
  };
}

/** herd made it and writes there, such as a trial's log: only a mention makes a conversation of it. */
function withoutOwner(arrival: Arrival): Arrival {
  return { ...arrival, place: { ...arrival.place, threadOwner: undefined } };
}

function remember(known: Set<Id>, id: Id): void {
  known.add(id);
  if (known.size > 2_000) known.delete(known.values().next().value!);
}
