import { DiscordError } from "../../lib/discord/discord-error.ts";
import type { MailboxParts } from "../../lib/discord/create-mailbox.ts";
import type { Message, Outgoing } from "../../lib/discord/message.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** What may go wrong with a request or an event; all 0 when faults have ceased. */
export interface MailFaults {
  /** No answer, and nothing done. */
  lose: number;
  /** Done, and answered with a 5xx, or not at all. */
  loseAnswer: number;
  /** A read shows what was there up to 5 s ago. */
  stale: number;
  eventLost: number;
  eventTwice: number;
  /** Longest usual delay, milliseconds. */
  delayMs: number;
}

export const NO_FAULTS: MailFaults = {
  lose: 0,
  loseAnswer: 0,
  stale: 0,
  eventLost: 0,
  eventTwice: 0,
  delayMs: 50,
};

interface Kept {
  message: Message;
  /** Versions by time, the oldest first. */
  versions: { at: number; message: Message }[];
  deletedAt: number;
}

/** Who asks: one process with a bot's token. */
export interface MailClient {
  bot: string;
  /** What reaches the process: nothing after its death, late while it is stopped. */
  reach(act: () => void): void;
  /** Whether the network lets it through. */
  isCut(): boolean;
  clock: { now(): number };
}

/** Mailboxes as Discord would have them, in virtual time, with its faults. Its clock is its own. */
export interface MailDiscord {
  faults: MailFaults;
  rest(client: MailClient): MailboxParts["rest"];
  /** Hears of messages as by the gateway. */
  listen(client: MailClient, hear: (message: Message) => void): void;
  /** Somebody else says something. */
  say(author: string, channel: string, content: string): void;
  messages(channel: string): readonly Message[];
  deleteOne(channel: string, author?: string): void;
  deleteChannel(channel: string): void;
  /** Requests by bot. */
  requests: Map<string, number>;
  now(): number;
}

const SKEW_MS = 3_723_456;
const NONCE_MS = 180_000;
const OLD_MS = 3_600_000;
const TRY_MS = 20_000;

export function createMailDiscord(time: VirtualTime, random: () => number): MailDiscord {
  const channels = new Map<string, Kept[]>();
  const listeners: { client: MailClient; hear: (message: Message) => void }[] = [];
  const gone = new Set<string>();
  const faults = { ...NO_FAULTS };
  const requests = new Map<string, number>();
  let ids = 1_000_000n;
  const now = () => time.now() + SKEW_MS;
  const happens = (likely: number) => likely > 0 && random() < likely;
  const delay = () => random() * (happens(faults.lose / 5) ? 90_000 : faults.delayMs);

  function keptIn(channel: string): Kept[] {
    const all = channels.get(channel) ?? [];
    channels.set(channel, all);
    return all;
  }

  function fail(kind: "missing" | "rejected" | "unreachable", code?: number): DiscordError {
    return new DiscordError(`Discord said ${code ?? kind}`, {
      kind,
      ...(code === undefined ? {} : { code }),
    });
  }

  function open(channel: string): Kept[] {
    if (gone.has(channel)) throw fail("missing", 10003);
    return keptIn(channel);
  }

  function tell(message: Message): void {
    for (const { client, hear } of listeners) {
      if (happens(faults.eventLost) || client.isCut()) continue;
      const times = happens(faults.eventTwice) ? 2 : 1;
      for (let i = 0; i < times; i++) {
        time.at(time.now() + delay(), () => client.reach(() => hear(message)));
      }
    }
  }

  function messageOf(author: string, channelId: string, outgoing: Outgoing): Message {
    return {
      id: `${ids += 10n}`,
      channelId,
      guildId: undefined,
      author: { id: author, name: author, bot: true, webhook: false },
      member: undefined,
      content: outgoing.content ?? "",
      mentions: { users: [], roles: [], everyone: false },
      replyTo: undefined,
      at: now(),
      editedAt: undefined,
      pinned: false,
      // Discord need not tell it again.
      nonce: undefined,
      type: 0,
      attachments: attached(outgoing),
      title: undefined,
    };
  }

  const stored = new Map<string, Uint8Array>();
  function attached({ files = [] }: Outgoing): Message["attachments"] {
    return files.map(({ name, bytes, contentType }) => {
      const url = `mem://${stored.size}`;
      stored.set(url, bytes);
      return { id: `${stored.size}`, name, url, bytes: bytes.length, contentType };
    });
  }

  const nonces = new Map<string, { kept: Kept; at: number }>();

  function send(author: string, channel: string, outgoing: Outgoing): Message {
    const all = open(channel);
    const key = `${author} ${channel} ${outgoing.nonce}`;
    const same = outgoing.nonce === undefined ? undefined : nonces.get(key);
    if (same !== undefined && now() - same.at < NONCE_MS) return same.kept.message;
    const message = messageOf(author, channel, outgoing);
    const kept = { message, versions: [{ at: now(), message }], deletedAt: Infinity };
    all.push(kept);
    if (outgoing.nonce !== undefined) nonces.set(key, { kept, at: now() });
    tell(message);
    return message;
  }

  function edit(author: string, channel: string, id: string, outgoing: Outgoing): Message {
    const kept = open(channel).find(({ message }) => message.id === id);
    if (kept === undefined || kept.deletedAt <= now()) throw fail("missing", 10008);
    if (kept.message.author.id !== author) throw fail("rejected", 50005);
    if (now() - kept.message.at > OLD_MS) throw fail("rejected", 30046);
    const files = attached(outgoing);
    kept.message = {
      ...kept.message,
      content: outgoing.content ?? "",
      editedAt: now(),
      ...(files.length === 0 ? {} : { attachments: files }),
    };
    kept.versions.push({ at: now(), message: kept.message });
    tell(kept.message);
    return kept.message;
  }

  function read(channel: string): Message[] {
    const at = now() - (happens(faults.stale) ? random() * 5_000 : 0);
    return open(channel).flatMap(({ versions, deletedAt }) => {
      const seen = versions.findLast((one) => one.at <= at)?.message;
      return seen === undefined || deletedAt <= at ? [] : [seen];
    });
  }

  return {
    faults,
    requests,
    now,
    rest(client) {
      let ahead = 0;
      const ask = <T>(act: () => T, signal?: AbortSignal) =>
        new Promise<T>((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason);
          const finish = (what: () => void) => client.reach(what);
          signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
          requests.set(client.bot, (requests.get(client.bot) ?? 0) + 1);
          const late = () =>
            time.at(time.now() + TRY_MS, () => finish(() => reject(fail("unreachable"))));
          if (client.isCut() || happens(faults.lose)) return void late();
          time.at(time.now() + delay(), () => {
            let answer: { value: T } | { error: unknown };
            try {
              answer = { value: act() };
            } catch (error) {
              answer = { error };
            }
            if (client.isCut() || happens(faults.loseAnswer)) {
              late();
              return;
            }
            // The Date header has whole seconds.
            const date = Math.floor(now() / 1_000) * 1_000;
            time.at(time.now() + delay(), () =>
              finish(() => {
                ahead = date - client.clock.now();
                if ("value" in answer) resolve(answer.value);
                else reject(answer.error);
              }));
          });
        });
      return {
        serverNow: () => client.clock.now() + ahead,
        message: (channel, id, signal) =>
          ask(() => {
            const found = read(channel).find((one) => one.id === id);
            if (found === undefined) throw fail("missing", 10008);
            return found;
          }, signal),
        messages: (channel, { after, before, limit = 100 }, signal) =>
          ask(() => {
            const all = read(channel);
            if (after !== undefined) {
              return all.filter(({ id }) => BigInt(id) > BigInt(after)).slice(0, limit);
            }
            return all.filter(({ id }) => before === undefined || BigInt(id) < BigInt(before))
              .slice(-limit);
          }, signal),
        send: (channel, outgoing, signal) => ask(() => send(client.bot, channel, outgoing), signal),
        edit: (channel, id, outgoing, signal) =>
          ask(() => edit(client.bot, channel, id, outgoing), signal),
      };
    },
    listen: (client, hear) => void listeners.push({ client, hear }),
    say: (author, channel, content) => void send(author, channel, { content }),
    messages: (channel) => keptIn(channel).filter((k) => k.deletedAt > now()).map((k) => k.message),
    deleteOne(channel, author) {
      const all = keptIn(channel).filter(({ deletedAt, message }) =>
        deletedAt > now() && (author === undefined || message.author.id === author)
      );
      const one = all[Math.floor(random() * all.length)];
      if (one !== undefined) one.deletedAt = now();
    },
    deleteChannel: (channel) => void gone.add(channel),
  };
}
