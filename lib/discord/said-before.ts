import type { Id, Message } from "./message.ts";
import type { DiscordRest } from "./rest.ts";
import { idOfTime } from "./snowflake.ts";

/** Discord's clock and ours may differ. */
const SLACK_MS = 60_000;
const PAGE = 100;
const MOST_PAGES = 5;

export interface SaidBefore {
  channelId: Id;
  /** The bot itself. */
  by: Id | undefined;
  /** Milliseconds since the epoch. */
  since: number;
  begin: string;
  /** This one is not meant, although it begins so. */
  not?: Id | undefined;
}

/**
 * The bot's own message that begins so, if it was sent since: a nonce is forgotten after minutes,
 * and this program may be away for days. Throws DiscordError.
 */
export async function wasSaid(
  rest: Pick<DiscordRest, "messages">,
  { channelId, by, since, begin, not }: SaidBefore,
  signal?: AbortSignal,
): Promise<Message | undefined> {
  let after = idOfTime(since - SLACK_MS);
  for (let page = 0; page < MOST_PAGES; page++) {
    const found = await rest.messages(channelId, { after, limit: PAGE }, signal);
    const own = found.find(({ id, author, content }) =>
      author.id === by && id !== not && content.startsWith(begin)
    );
    if (own !== undefined || found.length < PAGE) return own;
    after = found.at(-1)!.id;
  }
  return undefined;
}
