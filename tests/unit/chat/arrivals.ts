import type { Arrival, Place } from "../../../lib/chat/arrival.ts";
import type { BotRules } from "../../../lib/chat/broker-config.ts";
import { RULE_DEFAULTS } from "../../../lib/chat/broker-defaults.ts";

export const ME = "900";
export const OTHER_BOT = "901";
export const ADA = "100";
export const CHANNEL = "500";
export const THREAD = "600";

type Wish = Partial<Omit<Arrival, "place" | "author">> & {
  place?: Partial<Place>;
  author?: Partial<Arrival["author"]>;
};

/** A person's message in a channel, unless told otherwise. */
export function arrival({ place, author, ...rest }: Wish = {}): Arrival {
  return {
    id: "700",
    at: 1_700_000_000_000,
    editedAt: undefined,
    content: "hello",
    mentions: { users: [], roles: [], everyone: false },
    quoted: undefined,
    attachments: [],
    extras: [],
    kind: "spoken",
    ...rest,
    place: {
      channelId: CHANNEL,
      threadId: undefined,
      isDirect: false,
      threadOwner: undefined,
      guildId: "1",
      ...place,
    },
    author: { id: ADA, name: "ada", displayName: "Ada", isBot: false, roles: [], ...author },
  };
}

/** Everybody may talk everywhere, unless told otherwise. */
export function rules(wish: Partial<BotRules> = {}): BotRules {
  return { ...RULE_DEFAULTS, channels: "all", users: "all", ...wish };
}
