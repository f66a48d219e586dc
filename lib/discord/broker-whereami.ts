import type { BotRules } from "../chat/broker-config.ts";
import { mayTalk, placeOfInteraction } from "./broker-access.ts";
import type { Command } from "./broker-desk.ts";
import { LIMITS } from "./limits.ts";
import { ruleText } from "./safe-text.ts";

/**
 * The ids of a place and of whoever asks, as herd's configuration wants them, and whether the bot
 * talks to them there. It is for the time before anybody is allowed: it tells a person what Discord
 * shows them as well, and nothing of conversations.
 */
export function whereamiText(rules: BotRules, asked: Omit<Command, "kind" | "name">): string {
  const { channelId, guildId, member } = asked;
  const place = placeOfInteraction(asked);
  const ruling = mayTalk(rules, member, place);
  const roles = member.roles.map((id) => `<@&${id}> \`${id}\``);
  const lines = [
    guildId === undefined
      ? `Direct messages with the bot: ${
        rules.directMessages ? "they are on" : "`allow_dm: true` switches them on"
      }`
      : `Server: \`${guildId}\``,
    ...(guildId === undefined
      ? []
      : [`Channel: <#${place.channelId}> \`${place.channelId}\`, for \`allowed_channels\``]),
    ...(place.threadId === undefined
      ? []
      : [`Thread: \`${channelId}\`; it has its channel's permission`]),
    `You: \`${member.userId}\`, for \`allowed_users\``,
    ...(roles.length === 0 ? [] : [`Your roles, for \`allowed_user_roles\`: ${roles.join(", ")}`]),
    ruling.may ? "✅ You may talk to this bot here" : `🚫 ${ruleText(ruling.why)}`,
  ];
  return cutAtLines(lines, LIMITS.content);
}

/** Somebody may have hundreds of roles: that line gives way, the verdict stays. */
function cutAtLines(lines: readonly string[], most: number): string {
  const whole = lines.join("\n");
  if (whole.length <= most) return whole;
  const [longest] = lines.toSorted((a, b) => b.length - a.length);
  const room = longest!.length - (whole.length - most) - 1;
  const kept = longest!.slice(0, Math.max(room, 0));
  const fair = kept.slice(0, Math.max(kept.lastIndexOf(", "), 0));
  return lines.map((line) => line === longest ? `${fair}…` : line).join("\n");
}
