import { UserError } from "../base/errors.ts";
import type { Finding } from "../base/finding.ts";
import type { BotConfig, BrokerConfig } from "../chat/broker-config.ts";
import { checkBotPlaces } from "./bot-places-checkup.ts";
import { type BotToken, botToken } from "./bot-token.ts";
import { introduceConversing } from "./broker-setup.ts";
import { checkAgents } from "./check-agents.ts";
import { type DiscordAsked, withDiscord } from "./introduce-bot.ts";

/** Whether agents are there, and how Discord takes each bot; it changes nothing. */
export async function checkBots(
  { bots, agents }: BrokerConfig,
  { asksDiscord, ...asked }: DiscordAsked & { asksDiscord: boolean },
): Promise<Finding[]> {
  const found: Finding[] = checkAgents({ bots, agents }, asked.env);
  for (const bot of bots) {
    found.push(...checkRules(bot));
    const token = botToken(bot, bots, asked.env);
    if ("twin" in token) found.push(sameToken(bot.name, token.twin));
    else if (asksDiscord) found.push(...await checkOnDiscord(bot, token, asked));
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

/** Discord would hand each message to both, and both would answer. */
function sameToken(name: string, twin: string): Finding {
  return {
    area: "Discord",
    mark: "bad",
    message: `The bot "${name}" has the same token as "${twin}"`,
    mend: "Make an application of its own for it, and give it the token of that one",
  };
}

async function checkOnDiscord(
  bot: BotConfig,
  given: Exclude<BotToken, { twin: string }>,
  asked: DiscordAsked,
): Promise<Finding[]> {
  const area = "Discord";
  const { name } = bot;
  if ("unset" in given) {
    const message = `The token of the bot "${name}" is not here: ${given.unset} is not set`;
    return [{ area, mark: "bad", message }];
  }
  const token = given.text;
  try {
    const facts = await introduceConversing(token, asked);
    const places = await withDiscord(
      token,
      asked,
      (rest) => checkBotPlaces(bot, facts.id, rest, asked.signal),
    );
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
