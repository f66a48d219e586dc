import type { Conversation } from "../chat/chat-state.ts";
import { isPlaceAllowed } from "../chat/gate.ts";
import type { BrokerDesk } from "./broker-desk.ts";
import { DiscordError } from "./discord-error.ts";
import type { Interaction } from "./gateway-event.ts";
import { may, permissionsIn } from "./permissions.ts";

const PRIVATE_THREAD = 12;
const UNKNOWN_CHANNEL = 10003;

/**
 * Whether somebody may see another conversation than the one they are in: what its channel shows
 * them on Discord, and what they began themselves. Undefined when Discord does not say now.
 */
export async function maySee(
  desk: Pick<BrokerDesk, "rest" | "rules">,
  { member, guildId: here }: Pick<Interaction, "member" | "guildId">,
  { place, first, where, id }: Conversation,
): Promise<boolean | undefined> {
  const isOwn = first.author.id === member.userId;
  if (place.isDirect) return isOwn;
  const { guildId, channelId } = place;
  if (guildId === undefined || !isPlaceAllowed({ place }, desk.rules())) return false;
  try {
    const thread = place.threadId ?? (where?.replies === true ? undefined : where?.channelId ?? id);
    const [guild, channel, roles, own] = await Promise.all([
      desk.rest.guild(guildId),
      desk.rest.channel(channelId),
      guildId === here
        ? member.roles
        : desk.rest.member(guildId, member.userId).then(({ roles }) => roles),
      thread === undefined || thread === channelId ? undefined : desk.rest.channel(thread),
    ]);
    const seen = permissionsIn(guild, channel, { userId: member.userId, roles });
    if (!may(seen, "VIEW_CHANNEL") || !may(seen, "READ_MESSAGE_HISTORY")) return false;
    // Who was let into a private thread is not told along with it.
    return own?.type !== PRIVATE_THREAD || isOwn;
  } catch (error) {
    if (!(error instanceof DiscordError)) throw error;
    // What was said in a thread that is gone is kept for who began it; who has left is no member.
    if (error.kind === "missing") return error.code === UNKNOWN_CHANNEL && isOwn;
    return error.kind === "forbidden" ? false : undefined;
  }
}
