import type { Arrival } from "../chat/arrival.ts";
import { endsSoon } from "../chat/fresh-url.ts";
import type { EarlierText } from "../chat/prompt.ts";
import { arrivalOf } from "./broker-arrival.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id, Message } from "./message.ts";
import type { DiscordRest } from "./rest.ts";

export interface BrokerHistoryParts {
  rest: Pick<DiscordRest, "message" | "messages">;
  now(): number;
  log(level: "info", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** What is read of Discord for a turn, beside its messages; what cannot be read is left out. */
export interface BrokerHistory {
  /** The newest texts of a place before a message, oldest first. */
  before(channelId: Id, message: Id, signal: AbortSignal): Promise<EarlierText[]>;
  /** What others said in a place since the bot's own last word there, up to a message. */
  since(channelId: Id, message: Id, me: Id, signal: AbortSignal): Promise<EarlierText[]>;
  /**
   * With what its author, a bot, says right after it: a long answer comes in several messages, of
   * which one has the mention. `isApart`: it is a message of its own.
   */
  whole(arrival: Arrival, isApart: (id: Id) => boolean, signal: AbortSignal): Promise<Arrival>;
  /** With the words of what it quotes, and with addresses of files that have not ended. */
  complete(arrival: Arrival, signal: AbortSignal): Promise<Arrival>;
  /** Where a message's file is now. */
  address(
    where: { channelId: Id; message: Id; attachment: Id },
    signal: AbortSignal,
  ): Promise<string | undefined>;
}

const MOST_EARLIER = 50;
const MOST_PIECES = 10;
const PIECES_WITHIN_MS = 15_000;

export function createBrokerHistory(parts: BrokerHistoryParts): BrokerHistory {
  const { rest } = parts;

  async function read<T>(
    what: string,
    act: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof DiscordError)) throw error;
      parts.log("info", `Cannot read ${what}`, { error: error.message });
      return undefined;
    }
  }

  async function quoted(
    channelId: Id,
    arrival: Arrival,
    signal: AbortSignal,
  ): Promise<Arrival["quoted"]> {
    const { quoted } = arrival;
    if (quoted === undefined || quoted.text !== "") return quoted;
    const found = await read(
      "what a message answers",
      () => rest.message(channelId, quoted.id, signal),
      signal,
    );
    if (found === undefined) return quoted;
    const { author: { id, name } } = found;
    return { id: quoted.id, author: { id, name }, text: textOf(found) };
  }

  async function attachments(
    channelId: Id,
    { id, attachments }: Arrival,
    signal: AbortSignal,
  ): Promise<Arrival["attachments"]> {
    if (!attachments.some(({ url }) => endsSoon(url, parts.now()))) return attachments;
    const found = await read("a message again", () => rest.message(channelId, id, signal), signal);
    return attachments.map((one) => ({
      ...one,
      url: found?.attachments.find((other) => other.id === one.id)?.url ?? one.url,
    }));
  }

  async function pageBefore(
    channelId: Id,
    message: Id,
    signal: AbortSignal,
  ): Promise<readonly Message[]> {
    const page = await read(
      "what was said before",
      () => rest.messages(channelId, { before: message, limit: MOST_EARLIER }, signal),
      signal,
    );
    return page ?? [];
  }

  return {
    async before(channelId, message, signal) {
      return earlierTexts(await pageBefore(channelId, message, signal));
    },
    async since(channelId, message, me, signal) {
      const page = await pageBefore(channelId, message, signal);
      return earlierTexts(page.slice(page.findLastIndex(({ author }) => author.id === me) + 1));
    },
    async whole(arrival, isApart, signal) {
      const { id, at, author, place } = arrival;
      const page = await read(
        "what follows a message",
        () =>
          rest.messages(
            place.threadId ?? place.channelId,
            { after: id, limit: MOST_PIECES },
            signal,
          ),
        signal,
      ) ?? [];
      const other = page.findIndex((one) =>
        one.author.id !== author.id || one.at - at > PIECES_WITHIN_MS
      );
      const pieces = page.slice(0, other < 0 ? page.length : other)
        .filter((one) => !isApart(one.id))
        .map((one) => arrivalOf(one, place));
      const all = [arrival, ...pieces];
      return {
        ...arrival,
        content: all.map(({ content }) => content).filter((text) => text !== "").join("\n"),
        attachments: all.flatMap(({ attachments }) => attachments),
      };
    },
    async address({ channelId, message, attachment }, signal) {
      const found = await read(
        "a message again",
        () => rest.message(channelId, message, signal),
        signal,
      );
      return found?.attachments.find(({ id }) => id === attachment)?.url;
    },
    async complete(arrival, signal) {
      const { threadId, channelId } = arrival.place;
      const place = threadId ?? channelId;
      return {
        ...arrival,
        quoted: await quoted(place, arrival, signal),
        attachments: await attachments(place, arrival, signal),
      };
    },
  };
}

function earlierTexts(messages: readonly Message[]): EarlierText[] {
  return messages.flatMap((one) => {
    const text = textOf(one);
    const { id, author } = one;
    return text === "" ? [] : [{ id, author: { id: author.id, name: author.name }, text }];
  });
}

/** Words and the names of files. */
function textOf({ content, attachments, extras = [] }: Message): string {
  return [
    content,
    ...extras.map(({ text }) => text),
    ...attachments.map(({ name }) => `[attached: ${name}]`),
  ].filter((text) => text !== "").join("\n");
}
