import { randomBytes } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import type { Letter, Mailbox, MailedFile } from "../tasks/mailbox.ts";
import { DiscordError } from "./discord-error.ts";
import type { FetchAttachment } from "./fetch-attachment.ts";
import { LIMITS } from "./limits.ts";
import { bearsMark, findLetter, isKnock, writeLetter } from "./mailbox-letter.ts";
import type { Id, Message } from "./message.ts";
import type { DiscordRest } from "./rest.ts";
import { createSerial } from "./serial.ts";

export interface MailboxParts {
  rest: Pick<DiscordRest, "message" | "messages" | "send" | "edit" | "serverNow">;
  /** The thread. */
  channel: Id;
  /** This side's bot, and the other side's: nobody else's words count. */
  me: Id;
  peer: Id;
  clock: Clock;
  fetchFile: FetchAttachment;
  /** Whether the gateway is connected. */
  isLive(): boolean;
  /** Whether this side's letter of an earlier life is gone on with; otherwise a new one is posted. */
  goesOn: boolean;
}

export interface DiscordMailbox extends Mailbox {
  /** Messages of the gateway, new or edited, of whatever channel. */
  hear(message: Message): void;
}

/**
 * Edits of messages that are older than an hour are limited (30046), and only a new message keeps
 * a thread from being archived.
 */
const ROTATE_MS = 45 * 60_000;
/** So long Discord knows a nonce again: "the past few minutes". */
const NONCE_MS = 2 * 60_000;
/** It is gone; it is somebody else's; it is too old; its thread is archived, and a post opens that. */
const REPLACED = [10008, 50005, 30046, 50083];
const LETTER_BYTES = 4 * 1024 * 1024;
const MOST_PAGES = 20;
/** Messages that are turned over for a letter whose id is not known. */
const SEARCH_PAGES = 5;

export function createMailbox(parts: MailboxParts): DiscordMailbox {
  const { rest, channel, me, peer, clock } = parts;
  const listeners = new Set<(letter: Letter) => void>();
  const serial = createSerial();
  let own: { id: Id; at: number; mark: string } | undefined;
  /** A post of which nobody knows whether it is there. */
  let unclear: { mark: string; at: number; after: Id } | undefined;
  let theirs: { id: Id; at: number } | undefined;
  let searched = false;

  const now = () => rest.serverNow?.() ?? clock.now();

  function isTheirs({ author, channelId }: Message): boolean {
    return channelId === channel && author.id === peer && !author.webhook;
  }

  function letterOf(message: Message): Letter {
    return {
      id: message.id,
      at: writtenAt(message),
      async text(signal) {
        const found = findLetter(message);
        if (found === undefined || "text" in found) return found?.text;
        if (found.file.bytes > LETTER_BYTES) return undefined;
        const bytes = await parts.fetchFile(found.file.url, LETTER_BYTES, signal);
        return new TextDecoder().decode(bytes);
      },
    };
  }

  async function look(signal?: AbortSignal) {
    let found = theirs === undefined ? await search(signal) : await since(theirs.id, signal);
    // Somebody deleted it: there may be an older one.
    if (found === undefined && theirs !== undefined) {
      theirs = undefined;
      found = await search(signal);
    }
    if (found !== undefined) theirs = { id: found.id, at: writtenAt(found) };
    return { letter: found && letterOf(found), now: now() };
  }

  async function since(id: Id, signal?: AbortSignal): Promise<Message | undefined> {
    let newest: Message | undefined;
    let after = `${BigInt(id) - 1n}`;
    for (let page = 0; page < MOST_PAGES; page++) {
      const messages = await rest.messages(channel, { after, limit: 100 }, signal);
      newest = messages.findLast(isTheirLetter) ?? newest;
      if (messages.length < 100) break;
      after = messages.at(-1)!.id;
    }
    return newest;
  }

  async function search(signal?: AbortSignal): Promise<Message | undefined> {
    let before: Id | undefined;
    for (let page = 0; page < SEARCH_PAGES; page++) {
      const query = before === undefined ? { limit: 100 } : { before, limit: 100 };
      const messages = await rest.messages(channel, query, signal);
      goOnWith(messages);
      const found = messages.findLast(isTheirLetter);
      if (found !== undefined || messages.length < 100) return found;
      before = messages[0]!.id;
    }
    return undefined;
  }

  function goOnWith(messages: readonly Message[]): void {
    if (searched || !parts.goesOn) return;
    searched = true;
    const mine = messages.findLast((one) =>
      one.author.id === me && findLetter(one) !== undefined && !isKnock(one)
    );
    if (mine !== undefined) own ??= { id: mine.id, at: mine.at, mark: newMark() };
  }

  function isTheirLetter(message: Message): boolean {
    return isTheirs(message) && findLetter(message) !== undefined && !isKnock(message);
  }

  async function put(letter: { line: string; json: Readonly<Record<string, unknown>> }) {
    const write = (mark: string) => writeLetter({ ...letter, to: peer, mark });
    if (own !== undefined && now() - own.at < ROTATE_MS) {
      try {
        await rest.edit(channel, own.id, write(own.mark));
        return;
      } catch (error) {
        if (!isReplaced(error)) throw error;
        own = undefined;
      }
    }
    if (unclear !== undefined && clock.now() - unclear.at > NONCE_MS) {
      own = await findUnclear(unclear);
      unclear = undefined;
      if (own !== undefined) return await put(letter);
    }
    await post(write);
  }

  async function post(write: (mark: string) => ReturnType<typeof writeLetter>): Promise<void> {
    const mark = unclear?.mark ?? newMark();
    const message = write(mark);
    unclear ??= { mark, at: clock.now(), after: own?.id ?? theirs?.id ?? "0" };
    let made: Message;
    try {
      made = await rest.send(channel, { ...message, nonce: mark });
    } catch (error) {
      // What Discord refused is certainly not there.
      const isNo = error instanceof DiscordError && error.kind !== "unreachable";
      if (isNo) unclear = undefined;
      throw error;
    }
    unclear = undefined;
    own = { id: made.id, at: made.at, mark };
    // By its nonce Discord answers with the first message, which says what was so then.
    if (made.content !== message.content) await rest.edit(channel, made.id, message);
  }

  async function findUnclear({ mark, after }: { mark: string; after: Id }) {
    const messages = await rest.messages(channel, after === "0" ? {} : { after, limit: 100 });
    const found = messages.find((one) => one.author.id === me && bearsMark(one, mark));
    return found && { id: found.id, at: found.at, mark };
  }

  return {
    look,
    put: (letter) => serial(() => put(letter)),
    async attach(line, files) {
      const outgoing = files.map(({ name, bytes }) => ({
        name: name.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(-80),
        bytes,
        contentType: "application/octet-stream",
      }));
      const { id } = await rest.send(channel, {
        content: line.slice(0, LIMITS.content),
        files: outgoing,
        nonce: newMark(),
        silent: true,
      });
      return id;
    },
    async files(id, signal) {
      // Read anew: addresses of attached files hold for a day only.
      const message = await rest.message(channel, id, signal);
      if (!isTheirs(message)) return [];
      const found: MailedFile[] = [];
      for (const { name, url, bytes } of message.attachments.slice(0, LIMITS.files)) {
        if (bytes > LIMITS.fileBytes) continue;
        found.push({ name, bytes: await parts.fetchFile(url, LIMITS.fileBytes, signal) });
      }
      return found;
    },
    now,
    isLive: parts.isLive,
    onLetter(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    hear(message) {
      if (!isTheirLetter(message)) return;
      const at = writtenAt(message);
      if (theirs !== undefined) {
        const [told, known] = [BigInt(message.id), BigInt(theirs.id)];
        // An event may be late, or come again.
        if (told < known || (told === known && at < theirs.at)) return;
      }
      theirs = { id: message.id, at };
      for (const listener of listeners) listener(letterOf(message));
    },
  };
}

function writtenAt({ at, editedAt }: Pick<Message, "at" | "editedAt">): number {
  return Math.max(at, editedAt ?? 0);
}

function isReplaced(error: unknown): boolean {
  return error instanceof DiscordError && REPLACED.includes(error.code ?? 0);
}

/** 25 letters and digits. */
function newMark(): string {
  return randomBytes(16).toString("hex").slice(0, 25);
}
