import type { Arrival } from "./arrival.ts";

/** `<@1>`, the older `<@!1>` of the same user, `<@&1>` of a role; with the blank behind it. */
const MENTION = /<@([!&]?)(\d{1,20})>([ \t]?)/g;

/** How a message names the bot. Everybody being named is nobody in particular. */
export function mentionIn(
  { content, mentions }: Pick<Arrival, "content" | "mentions">,
  me: string,
  triggerRoles: readonly string[],
): "user" | "role" | undefined {
  const written = [...content.matchAll(MENTION)].some(([, sign, id]) => sign !== "&" && id === me);
  if (written || mentions.users.some(({ id }) => id === me)) return "user";
  return mentions.roles.some(({ id }) => triggerRoles.includes(id)) ? "role" : undefined;
}

/**
 * The words for the agent: what called it is taken out, other users stay as `<@id>` so that it can
 * mention them in turn, other roles become `@(role)`.
 */
export function rewriteMentions(
  content: string,
  me: string,
  triggerRoles: readonly string[],
): string {
  return content.replace(MENTION, (_, sign: string, id: string, blank: string) => {
    if (sign === "&") return triggerRoles.includes(id) ? "" : `@(role)${blank}`;
    return id === me ? "" : `<@${id}>${blank}`;
  }).trim();
}
