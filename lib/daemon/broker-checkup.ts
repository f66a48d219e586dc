import { UserError } from "../base/errors.ts";
import type { Finding } from "../base/finding.ts";
import type { BotConfig, BrokerConfig } from "../chat/broker-config.ts";
import { DiscordError } from "../discord/discord-error.ts";
import { PERMISSION, type PermissionName, permissionsIn } from "../discord/permissions.ts";
import type { DiscordRest } from "../discord/rest.ts";
import { checkAgents } from "./check-agents.ts";
import { type BotFacts, type DiscordAsked, introduceBot, withDiscord } from "./introduce-bot.ts";

/** What a bot does in a channel, with the words of Discord's own pages. */
const NEEDS: readonly { name: PermissionName; label: string; without: string }[] = [
  { name: "VIEW_CHANNEL", label: "View Channels", without: "it hears nothing there" },
  { name: "SEND_MESSAGES", label: "Send Messages", without: "it cannot answer outside of threads" },
  {
    name: "SEND_MESSAGES_IN_THREADS",
    label: "Send Messages in Threads",
    without: "it cannot answer in threads",
  },
  {
    name: "CREATE_PUBLIC_THREADS",
    label: "Create Public Threads",
    without: "answers come in the channel",
  },
  {
    name: "READ_MESSAGE_HISTORY",
    label: "Read Message History",
    without: "what is said while herd is away is missed",
  },
  { name: "ADD_REACTIONS", label: "Add Reactions", without: "there are no signs on messages" },
  { name: "ATTACH_FILES", label: "Attach Files", without: "long answers and files cannot be sent" },
];

/** Whether agents are there, and how Discord takes each bot; it changes nothing. */
export async function checkBots(
  { bots, agents }: BrokerConfig,
  { asksDiscord, ...asked }: DiscordAsked & { asksDiscord: boolean },
): Promise<Finding[]> {
  const found: Finding[] = checkAgents({ bots, agents }, asked.env);
  for (const bot of bots) {
    found.push(...checkRules(bot));
    if (asksDiscord) found.push(...await checkOnDiscord(bot, asked));
  }
  return found;
}

/** A file that is right and lets nobody in is the most usual mistake. */
function checkRules({ name, rules }: BotConfig): Finding[] {
  const area = "Rules";
  const isNowhere = rules.channels !== "all" && rules.channels.length === 0 &&
    !rules.directMessages;
  const isNobodys = rules.users !== "all" && rules.users.length + rules.userRoles.length === 0;
  return [
    ...(isNowhere
      ? [
        {
          area,
          mark: "doubt",
          message: `The bot "${name}" answers nowhere: allowed_channels is empty`,
          mend: "Name channels, or set allow_all_channels",
        } as const,
      ]
      : []),
    ...(isNobodys
      ? [
        {
          area,
          mark: "doubt",
          message: `The bot "${name}" answers no person: allowed_users is empty`,
          mend: "Name people or roles, or set allow_all_users",
        } as const,
      ]
      : []),
  ];
}

async function checkOnDiscord(bot: BotConfig, asked: DiscordAsked): Promise<Finding[]> {
  const area = "Discord";
  const { name } = bot;
  const token = "env" in bot.token ? asked.env[bot.token.env]?.trim() ?? "" : bot.token.text;
  if (token === "") {
    const from = "env" in bot.token ? bot.token.env : "bot_token";
    const message = `The token of the bot "${name}" is not here: ${from} is not set`;
    return [{ area, mark: "bad", message }];
  }
  try {
    const facts = await introduceBot(token, asked);
    const places = await withDiscord(token, asked, (rest) => checkPlaces(bot, facts, rest, asked));
    return [
      ...(facts.guilds.length === 0
        ? [
          {
            area,
            mark: "bad",
            message: `The bot "${name}" (${facts.name}) is in no server`,
            mend: `Invite it by ${facts.invite}`,
          } as const,
        ]
        : [
          {
            area,
            mark: "good",
            message: `The bot "${name}" is ${facts.name}, in ${
              facts.guilds.map((guild) => `"${guild.name}"`).join(", ")
            }`,
          } as const,
        ]),
      facts.messageContent
        ? { area, mark: "good", message: `${name}: MESSAGE CONTENT INTENT is on` }
        : {
          area,
          mark: "bad",
          message: `${name}: MESSAGE CONTENT INTENT is off: messages come without their words`,
          mend: "discord.com/developers/applications → Bot → Privileged Gateway Intents",
        },
      ...places,
    ];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message, hint } = error;
    const mend = hint === undefined ? {} : { mend: hint };
    return [{ area, mark: "bad", message: `${name}: ${message}`, ...mend }];
  }
}

async function checkPlaces(
  { name, rules: { channels } }: BotConfig,
  { id }: BotFacts,
  rest: DiscordRest,
  { signal }: DiscordAsked,
): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const channelId of channels === "all" ? [] : channels) {
    try {
      found.push(...await checkPlace(name, id, channelId, rest, signal));
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
  rest: DiscordRest,
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
  const lacking = NEEDS.filter((one) => (rights & PERMISSION[one.name]) === 0n);
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
