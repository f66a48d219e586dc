import type { Context } from "../command.ts";
import { SETUP_OPTIONS } from "../setup-options.ts";

export const BROKER_OPTIONS = [
  { name: "detach", short: "d", description: "start: in the background" },
  { name: "connected", description: "status: exit 1 unless every bot is on Discord" },
  { name: "no-discord", description: "check: do not ask Discord" },
  {
    name: "token-env",
    value: "NAME",
    description: "setup, invite: variable that holds the bot's token (default DISCORD_BOT_TOKEN)",
  },
  {
    name: "channel",
    value: "CHANNEL",
    repeatable: true,
    description: "setup: name or id of a channel in which the bot answers, or all",
  },
  {
    name: "user",
    value: "ID",
    repeatable: true,
    description: "setup: user or role who may talk to the bot, or all",
  },
  ...SETUP_OPTIONS,
] as const;

export type BrokerContext = Context<typeof BROKER_OPTIONS>;
