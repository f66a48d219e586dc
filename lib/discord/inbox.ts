import type { Desk } from "../actions/desk.ts";
import type { Clock } from "../base/clock.ts";
import type { Access } from "./access.ts";
import { DiscordError } from "./discord-error.ts";
import type { ChannelMemory } from "./memory.ts";
import type { Id, Member, Message } from "./message.ts";
import { patience } from "./patience.ts";
import type { DiscordRest } from "./rest.ts";
import { createSerial } from "./serial.ts";

export interface InboxParts {
  desk: Pick<Desk, "receive">;
  rest: Pick<DiscordRest, "messages" | "react" | "member" | "send">;
  memory: ChannelMemory;
  access: Access;
  clock: Clock;
  random(): number;
  channelId(): Id | undefined;
  /** The channel's threads, oldest first. */
  threads(): readonly Id[];
  guildId: Id;
  /** What is said to the bot, without the address; undefined for what is not. */
  addressed(message: Message): { text: string } | undefined;
  /** A refused person is told privately; false when that is not possible. */
  tellPrivately(userId: Id, text: string): Promise<boolean>;
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

export interface Inbox extends AsyncDisposable {
  /** A message of the channel or of one of its threads, as the gateway tells it. */
  hear(message: Message): void;
  /** Reads what was said since the last message that was heard: after a start and after each gap. */
  catchUp(): void;
  /** Resolves when everything that was told so far was dealt with. */
  settled(): Promise<void>;
}

const PAGE = 100;
/** Only so many threads are read after a gap, the newest; each costs a request. */
const THREADS_READ = 20;
/** So many messages of threads are remembered with their thread. */
const ASIDES = 100;
/** How long after somebody spoke the channel is read, for what the gateway may have lost. */
const REREAD_MS = 60_000;
/** Messages and replies of people; others are Discord's own words. */
const SPOKEN_TYPES = [0, 19];

/** Hears what people say to the bot: stored first, 👀 after. */
export function createInbox(parts: InboxParts): Inbox {
  const { rest, memory } = parts;
  const serial = createSerial();
  const stop = new AbortController();
  const recent: Id[] = [];
  let hasGap = false;
  const rereads = new Set<Id>();
  /** What the next reading is of, beside the channel. */
  const unread = new Set<Id>();
  let emptyTold = false;

  async function take(message: Message): Promise<void> {
    if (recent.includes(message.id)) return;
    const said = isPersons(message) ? parts.addressed(message) : undefined;
    if (said !== undefined) await listen(message, said.text);
    else if (isPersons(message)) tellIfEmpty(message);
    recent.push(message.id);
    if (recent.length > 200) recent.shift();
  }

  async function listen(message: Message, text: string): Promise<void> {
    const member = await memberOf(message);
    const ruling = await parts.access.rule(member, "act");
    const from = `discord:${member.userId}`;
    const home = parts.channelId();
    if (message.channelId !== home) rememberAside(message);
    // A word can wait until it is known whose it is.
    if (!ruling.may && ruling.unsure) {
      throw new DiscordError(`Cannot hear a message: ${ruling.why}`, { kind: "unreachable" });
    }
    if (!ruling.may) {
      parts.audit("refused", { by: from, name: member.name, text, why: ruling.why });
      if (!await parts.tellPrivately(member.userId, ruling.why)) await react(message, "🚫");
      return;
    }
    const isNew = await parts.desk.receive({
      id: `discord:${message.id}`,
      from,
      name: member.name,
      text: withAttachments(text, message),
    });
    if (isNew) parts.audit("message", { by: from, name: member.name, message: message.id });
    await react(message, "👀");
  }

  async function memberOf({ member, author }: Message): Promise<Member> {
    if (member !== undefined) return member;
    const { roles, name } = await rest.member(parts.guildId, author.id, stop.signal);
    return { userId: author.id, name, roles, permissions: undefined };
  }

  async function react({ channelId, id }: Message, emoji: string): Promise<void> {
    try {
      await rest.react(channelId, id, emoji, stop.signal);
    } catch (error) {
      if (!(error instanceof DiscordError)) throw error;
      // Without the permission, or deleted meanwhile: it is stored, and that counts.
      parts.log("info", `Cannot react with ${emoji}`, { error: error.message });
    }
  }

  /** Discord strips what bots without the intent may not read; said once. */
  function tellIfEmpty({ content, attachments }: Message): void {
    if (content !== "" || attachments.length > 0 || emptyTold) return;
    emptyTold = true;
    parts.log(
      "warn",
      "A message came without its text: turn on MESSAGE CONTENT INTENT in the Developer Portal; " +
        "mentions and slash commands work without it",
    );
  }

  function rememberAside({ id, channelId }: Message): void {
    const known = Object.entries(memory.read().asides).filter(([one]) => one !== id);
    memory.write({ asides: Object.fromEntries([...known.slice(1 - ASIDES), [id, channelId]]) });
  }

  /** What came before a message may have been lost on the way: only a reading moves the mark. */
  async function rereadLater(channel: Id): Promise<void> {
    if (rereads.has(channel)) return;
    rereads.add(channel);
    try {
      await parts.clock.sleep(REREAD_MS, stop.signal);
      if (channel !== parts.channelId()) unread.add(channel);
      hasGap = true;
      guarded(fill);
    } catch {
      // The channel is closed.
    }
    rereads.delete(channel);
  }

  function catchUp(): void {
    hasGap = true;
    for (const thread of parts.threads().slice(-THREADS_READ)) unread.add(thread);
    guarded(fill);
  }

  async function fill(): Promise<void> {
    for (let tries = 0; hasGap && !stop.signal.aborted; tries++) {
      try {
        await readOn();
        for (const thread of unread) {
          await readThread(thread);
          unread.delete(thread);
        }
        hasGap = false;
      } catch (error) {
        if (!(error instanceof DiscordError)) throw error;
        if (error.kind === "missing" || error.kind === "forbidden") return;
        await parts.clock.sleep(patience(tries, parts.random), stop.signal).catch(() => {});
      }
    }
  }

  async function readOn(): Promise<void> {
    const channel = parts.channelId();
    if (channel === undefined) return;
    const { seen } = memory.read();
    if (seen === undefined) {
      // What was said before the bot came was said to nobody.
      const newest = (await rest.messages(channel, { limit: 1 }, stop.signal)).at(-1);
      memory.write({ seen: newest?.id ?? "0" });
      return;
    }
    await readFrom(channel, seen, (id) => memory.write({ seen: id }));
  }

  /** A thread's id is older than all that is in it. */
  async function readThread(thread: Id): Promise<void> {
    try {
      await readFrom(thread, memory.read().threadsSeen[thread] ?? thread, (id) => {
        memory.write({ threadsSeen: { ...memory.read().threadsSeen, [thread]: id } });
      });
    } catch (error) {
      // One thread that was deleted or closed to us keeps back nothing else.
      const isGone = error instanceof DiscordError &&
        (error.kind === "missing" || error.kind === "forbidden");
      if (!isGone) throw error;
    }
  }

  async function readFrom(channel: Id, seen: Id, mark: (id: Id) => void): Promise<void> {
    for (let after = seen;;) {
      const page = await rest.messages(channel, { after, limit: PAGE }, stop.signal);
      for (const message of page) {
        await take(message);
        mark(message.id);
      }
      if (page.length < PAGE) return;
      after = page.at(-1)!.id;
    }
  }

  function guarded(act: () => Promise<void>): void {
    void serial(async () => {
      if (stop.signal.aborted) return;
      try {
        await act();
      } catch (error) {
        if (stop.signal.aborted) return;
        // What could not be stored is heard again when the channel is read the next time.
        hasGap = true;
        parts.log("warn", "Cannot hear a message", { error: `${error}` });
      }
    });
  }

  return {
    hear(message) {
      guarded(async () => {
        if (hasGap) await fill();
        await take(message);
      });
      void rereadLater(message.channelId);
    },
    catchUp,
    settled: () => serial(() => Promise.resolve()),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await serial(() => Promise.resolve());
    },
  };
}

function isPersons({ author, type }: Message): boolean {
  return !author.bot && !author.webhook && SPOKEN_TYPES.includes(type);
}

/** What a sweep's agent cannot open is at least named. */
function withAttachments(text: string, { attachments }: Message): string {
  if (attachments.length === 0) return text;
  const names = attachments.map(({ name }) => `"${name}"`).join(", ");
  return `${text}\n(attached and not read: ${names})`.trim();
}
