import type { Clock } from "../base/clock.ts";
import type { Access, Right, Ruling } from "./access.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id, Member } from "./message.ts";
import type { DiscordRest } from "./rest.ts";

export interface UserAccessParts {
  access: Access;
  rest: Pick<DiscordRest, "member">;
  guildId: Id;
  clock: Pick<Clock, "now">;
}

/** How long what Discord said of a person's roles holds. */
const HOLDS_MS = 60_000;
const MOST_KNOWN = 200;

/** The rights of somebody of whom only the id is known, such as the author of a message of yesterday. */
export function createUserAccess({ access, rest, guildId, clock }: UserAccessParts) {
  const known = new Map<Id, { member: Member; until: number }>();

  async function memberOf(userId: Id): Promise<Member> {
    const before = known.get(userId);
    if (before !== undefined && before.until > clock.now()) return before.member;
    const { name, roles } = await rest.member(guildId, userId);
    const member = { userId, name, roles, permissions: undefined };
    known.delete(userId);
    known.set(userId, { member, until: clock.now() + HOLDS_MS });
    if (known.size > MOST_KNOWN) known.delete(known.keys().next().value!);
    return member;
  }

  return async (userId: Id, right: Right): Promise<Ruling> => {
    try {
      return await access.rule(await memberOf(userId), right);
    } catch (error) {
      if (!(error instanceof DiscordError)) throw error;
      return error.kind === "missing"
        ? { may: false, why: "Who asked is not in the server of this sweep any more" }
        : { may: false, why: "Discord does not say now who may do that", unsure: true };
    }
  };
}
