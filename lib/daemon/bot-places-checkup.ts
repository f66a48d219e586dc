import type { Finding } from "../base/finding.ts";
import type { Log } from "../base/log.ts";
import type { BotConfig } from "../chat/broker-config.ts";
import { lackingRights } from "../discord/broker-rights.ts";
import { DiscordError } from "../discord/discord-error.ts";
import { permissionsIn } from "../discord/permissions.ts";
import type { LinkState } from "../discord/link.ts";
import type { DiscordRest } from "../discord/rest.ts";

type Rest = Pick<DiscordRest, "channel" | "guild" | "member">;

/**
 * Tells, when a bot is connected for the first time, what it lacks: people need not have asked.
 * `herd broker check` tells the same at any time.
 */
export function surveyOnce({ config, rest, signal, onWarning, log }: {
  config(): BotConfig;
  rest: Rest;
  signal: AbortSignal;
  onWarning(message: string): void;
  log: Log;
}): (state: LinkState) => void {
  let isDone = false;

  async function survey(me: string): Promise<void> {
    try {
      for (const { mark, message } of await checkBotPlaces(config(), me, rest, signal)) {
        if (mark === "good") continue;
        onWarning(message);
        log.write("warn", message, { bot: config().name });
      }
    } catch (error) {
      if (signal.aborted) return;
      log.write("info", "Cannot look at a bot's channels", { error: `${error}` });
    }
  }

  return (state) => {
    if (state.phase !== "connected" || isDone) return;
    isDone = true;
    void survey(state.me.id);
  };
}

/** Whether a bot may do in each channel that is allowed what it does there; it changes nothing. */
export async function checkBotPlaces(
  { name, rules: { channels } }: Pick<BotConfig, "name" | "rules">,
  me: string,
  rest: Rest,
  signal: AbortSignal,
): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const channelId of channels === "all" ? [] : channels) {
    try {
      found.push(...await checkPlace(name, me, channelId, rest, signal));
    } catch (error) {
      if (!(error instanceof DiscordError)) throw error;
      found.push({
        area: "Discord",
        mark: error.kind === "unreachable" || error.kind === "limited" ? "doubt" : "bad",
        message: `${name}: channel ${channelId}: ${error.message}`,
        mend: "Is the id right, and may the bot see the channel",
      });
    }
  }
  return found;
}

async function checkPlace(
  name: string,
  me: string,
  channelId: string,
  rest: Rest,
  signal: AbortSignal,
): Promise<Finding[]> {
  const area = "Discord";
  const channel = await rest.channel(channelId, signal);
  if (channel.guildId === undefined) {
    return [{ area, mark: "doubt", message: `${name}: channel ${channelId} is of no server` }];
  }
  const guild = await rest.guild(channel.guildId, signal);
  const { roles } = await rest.member(guild.id, me, signal);
  const rights = permissionsIn(guild, channel, { userId: me, roles });
  const lacking = lackingRights(rights);
  if (lacking.length === 0) {
    return [{ area, mark: "good", message: `${name}: #${channel.name} has all that it needs` }];
  }
  return lacking.map(({ name: right, label, without }) => ({
    area,
    mark: right === "VIEW_CHANNEL" ? "bad" : "doubt",
    message: `${name}: #${channel.name}: the right "${label}" is missing: ${without}`,
    mend: "Server settings → Roles, or the channel's permissions",
  }));
}
