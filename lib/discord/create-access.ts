import type { Clock } from "../base/clock.ts";
import type { DiscordSettings } from "../sweep/config.ts";
import type { Access, Right, Ruling } from "./access.ts";
import { createChannelManagers, mayManage } from "./channel-managers.ts";
import type { Id, Member } from "./message.ts";
import type { DiscordRest } from "./rest.ts";

export interface AccessParts {
  settings(): Pick<DiscordSettings, "operators" | "viewers">;
  guildId: Id;
  channelId(): Id | undefined;
  rest: Pick<DiscordRest, "guild" | "channel">;
  clock: Pick<Clock, "now">;
}

/**
 * Operators may act and look, viewers may look. Without operators whoever may manage the channel
 * acts; without viewers everyone in the channel looks.
 */
export function createAccess(parts: AccessParts): Access & { forget(): void } {
  const managers = createChannelManagers(parts);

  async function rule(member: Member, right: Right): Promise<Ruling> {
    const { operators, viewers } = parts.settings();
    const isOne = (ids: readonly Id[]) =>
      ids.includes(member.userId) || member.roles.some((role) => ids.includes(role));
    if (operators !== undefined && isOne(operators)) return { may: true };
    if (right === "look") {
      if (viewers === undefined || isOne(viewers)) return { may: true };
      if (operators === undefined && await manages(member) === true) return { may: true };
      return no("Only the viewers and operators of this sweep may see that");
    }
    if (operators !== undefined) {
      return no(
        "Only the operators of this sweep may do that: discord.operators in its YAML lists them",
      );
    }
    const may = await manages(member);
    if (may === undefined) {
      const why = "Discord does not say now who may do that; try again in a minute";
      return { may: false, why, unsure: true };
    }
    return may ? { may: true } : no(
      "Only members who may manage this channel may do that; " +
        "discord.operators in the sweep's YAML can name others",
    );
  }

  /** Undefined when Discord cannot be asked. */
  async function manages(member: Member): Promise<boolean | undefined> {
    if (member.permissions !== undefined) return mayManage(member.permissions);
    return await managers.has(member);
  }

  return { rule, forget: managers.forget };
}

function no(why: string): Ruling {
  return { may: false, why };
}
