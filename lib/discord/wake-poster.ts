import type { OpenWait } from "../chat/chat-state.ts";
import { wakeHead, wakeText } from "../chat/waits.ts";
import type { Id, Message } from "./message.ts";
import { LIMITS } from "./limits.ts";
import { nonceOf } from "./post-view.ts";
import type { DiscordRest } from "./rest.ts";
import { withoutMentions } from "./safe-text.ts";
import { wasSaid } from "./said-before.ts";
import { unlessGone } from "./unless-gone.ts";

/**
 * Posts what a conversation waited for, once: `again` when an earlier try, perhaps of an earlier
 * life, may have done so. Undefined when there is nowhere to post it any more; throws DiscordError
 * when it cannot be posted now.
 */
export type WakePoster = (
  wait: OpenWait,
  channelId: Id,
  again: boolean,
  signal: AbortSignal,
) => Promise<Message | undefined>;

export function createWakePoster({ rest, mark, me, now }: {
  rest: Pick<DiscordRest, "send" | "messages">;
  mark(): string;
  me(): Id | undefined;
  now(): number;
}): WakePoster {
  return (wait, channelId, again, signal) =>
    unlessGone(async () => {
      const since = wait.due?.at ?? wait.setAt;
      const before = again
        ? await wasSaid(rest, { channelId, by: me(), since, begin: wakeHead(wait) }, signal)
        : undefined;
      if (before !== undefined) return before;
      return await rest.send(channelId, {
        content: withoutMentions(wakeText(wait, now())).slice(0, LIMITS.content),
        nonce: nonceOf(mark(), `wait ${wait.id}`, 0),
      }, signal);
    });
}
