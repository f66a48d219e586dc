import type { Place } from "../chat/arrival.ts";
import type { BotRules } from "../chat/broker-config.ts";
import { isPersonAllowed, isPlaceAllowed } from "../chat/gate.ts";
import type { Interaction } from "./gateway-event.ts";
import type { Member } from "./message.ts";

/** A sentence for the person, without a period. */
export type BrokerRuling = { may: true } | { may: false; why: string };

/** Where something was commanded or pressed. Who began a thread is not told, and not needed. */
export function placeOfInteraction(
  { channelId, parentId, guildId }: Pick<Interaction, "channelId" | "parentId" | "guildId">,
): Place {
  return {
    channelId: parentId ?? channelId,
    threadId: parentId === undefined ? undefined : channelId,
    isDirect: guildId === undefined,
    threadOwner: undefined,
    guildId,
  };
}

/** The same for messages, commands and buttons. A.17.3. */
export function mayTalk(rules: BotRules, member: Member, place: Place): BrokerRuling {
  const placed = mayUsePlace(rules, place);
  if (!placed.may) return placed;
  return isPersonAllowed({ id: member.userId, roles: member.roles }, rules)
    ? { may: true }
    : no("You may not talk to this bot: whoever runs it lists who may");
}

/** Who may allow what an agent asks for: those who are listed, else whoever may talk. */
export function mayApprove(
  rules: BotRules,
  approvers: readonly string[] | undefined,
  member: Member,
  place: Place,
): BrokerRuling {
  if (approvers === undefined) return mayTalk(rules, member, place);
  const placed = mayUsePlace(rules, place);
  if (!placed.may) return placed;
  const isListed = approvers.includes(member.userId) ||
    member.roles.some((role) => approvers.includes(role));
  return isListed ? { may: true } : no(
    approvers.length === 0
      ? "Nobody may allow that: permissions.approvers is empty"
      : "Only those whom permissions.approvers lists may answer that",
  );
}

function mayUsePlace(rules: BotRules, place: Place): BrokerRuling {
  if (place.isDirect) {
    return rules.directMessages ? { may: true } : no("This bot takes no direct messages");
  }
  return isPlaceAllowed({ place }, rules)
    ? { may: true }
    : no("This bot does not work in this channel");
}

function no(why: string): BrokerRuling {
  return { may: false, why };
}
