import type { Clock } from "../base/clock.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id, Member } from "./message.ts";
import { PERMISSION, permissionsIn } from "./permissions.ts";
import type { Channel, DiscordRest, Guild } from "./rest.ts";

export interface ChannelManagersParts {
  guildId: Id;
  /** Undefined while there is none. */
  channelId(): Id | undefined;
  rest: Pick<DiscordRest, "guild" | "channel">;
  clock: Pick<Clock, "now">;
}

/** How long what Discord said of roles and channels holds, unless it says that it changed. */
const HOLDS_MS = 60_000;

/** Who may manage a channel, as its server's roles and its own overwrites have it. */
export function createChannelManagers({ guildId, channelId, rest, clock }: ChannelManagersParts) {
  let known: { guild: Guild; channel: Channel; until: number } | undefined;

  async function facts(id: Id): Promise<{ guild: Guild; channel: Channel }> {
    if (known !== undefined && known.until > clock.now() && known.channel.id === id) return known;
    const [guild, channel] = await Promise.all([rest.guild(guildId), rest.channel(id)]);
    known = { guild, channel, until: clock.now() + HOLDS_MS };
    return known;
  }

  return {
    /** Undefined when Discord cannot be asked. */
    async has(member: Member): Promise<boolean | undefined> {
      const id = channelId();
      if (id === undefined) return undefined;
      try {
        const { guild, channel } = await facts(id);
        return mayManage(permissionsIn(guild, channel, member));
      } catch (error) {
        if (!(error instanceof DiscordError)) throw error;
        return undefined;
      }
    },
    /** Roles or channels have changed. */
    forget(): void {
      known = undefined;
    },
  };
}

export function mayManage(permissions: bigint): boolean {
  return (permissions & (PERMISSION.MANAGE_CHANNELS | PERMISSION.ADMINISTRATOR)) !== 0n;
}
