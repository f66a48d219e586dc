import type { Clock } from "../base/clock.ts";
import type { PoolDiscord } from "../tasks/pool-config.ts";
import { createChannelManagers } from "./channel-managers.ts";
import type { Id, Member } from "./message.ts";
import type { DiscordRest } from "./rest.ts";

/** `submit`: give tasks and change one's own; `operate`: whatever else changes something; `look`: read. */
export type PoolRight = "submit" | "operate" | "look";

/** `unsure`: Discord does not say now; asked again later it may. */
export type PoolRuling = { may: true } | { may: false; why: string; unsure: boolean };

export interface PoolAccess {
  /** `at` is the channel where it is asked for. */
  rule(member: Member, right: PoolRight, at?: Id): Promise<PoolRuling>;
  /** Roles or channels have changed. */
  forget(): void;
}

export interface PoolAccessParts {
  settings(): Pick<PoolDiscord, "authors" | "operators">;
  guildId: Id;
  queueId(): Id | undefined;
  /** Whether a channel is one of the pool's: who sees it may see the pool. */
  isPools(channel: Id): boolean;
  rest: Pick<DiscordRest, "guild" | "channel">;
  clock: Pick<Clock, "now">;
}

const LOOK = "Only who sees the pool's channels may see that; ask there";
const WHY = {
  submit: "Only the authors of this pool may give it tasks",
  operate: "Only the operators of this pool may do that",
} as const;

/**
 * Who may do what: authors and operators as the configuration lists them, else whoever may manage
 * the queue's channel, wherever they ask. D.11.15.
 */
export function createPoolAccess(parts: PoolAccessParts): PoolAccess {
  // What an interaction says of permissions is of its own channel, which may be anybody's.
  const managers = createChannelManagers({ ...parts, channelId: parts.queueId });

  async function rule(member: Member, right: PoolRight, at?: Id): Promise<PoolRuling> {
    if (right === "look") {
      if (at !== undefined && parts.isPools(at)) return { may: true };
      const other = await rule(member, "submit");
      return other.may || (await rule(member, "operate")).may ? { may: true } : no(LOOK);
    }
    const key = right === "submit" ? "authors" : "operators";
    const listed = parts.settings()[key];
    if (listed !== undefined) {
      const isListed = listed.includes(member.userId) ||
        member.roles.some((role) => listed.includes(role));
      return isListed ? { may: true } : no(`${WHY[right]}: pool.discord.${key} lists them`);
    }
    const manages = await managers.has(member);
    if (manages === undefined) {
      return no("Discord does not say now who may do that; try again in a minute", true);
    }
    return manages ? { may: true } : no(
      "Only members who may manage the queue's channel may do that; " +
        `pool.discord.${key} can name others`,
    );
  }

  return { rule, forget: managers.forget };
}

function no(why: string, unsure = false): PoolRuling {
  return { may: false, why, unsure };
}
