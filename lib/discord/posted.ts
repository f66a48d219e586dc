import type { Posting } from "./broker-memory.ts";
import type { Id, Message } from "./message.ts";
import type { DiscordRest } from "./rest.ts";

const PAGE = 100;
const MOST_PAGES = 5;

export interface Posted {
  channelId: Id;
  posting: Posting;
  /** The bot itself. */
  by: Id | undefined;
  /** A message that came before it for certain. */
  after: Id;
  /** Known to be something else. */
  not: readonly Id[];
}

/**
 * What was about to be sent when this program ended or lost the answer, if it was sent: Discord
 * forgets a nonce after minutes, and this program may be away for days. Throws DiscordError.
 */
export async function findPosted(
  rest: Pick<DiscordRest, "messages">,
  { channelId, posting, by, after, not }: Posted,
  signal?: AbortSignal,
): Promise<Message | undefined> {
  for (let page = 0; page < MOST_PAGES; page++) {
    const found = await rest.messages(channelId, { after, limit: PAGE }, signal);
    const own = found.find((one) =>
      one.author.id === by && !not.includes(one.id) && isIt(one, posting)
    );
    if (own !== undefined || found.length < PAGE) return own;
    after = found.at(-1)!.id;
  }
  return undefined;
}

function isIt({ content, attachments }: Message, wanted: Posting): boolean {
  return content.trim() === wanted.content.trim() && attachments.length === wanted.files.length;
}
