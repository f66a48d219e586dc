import { REMINDER_LIMITS } from "../chat/reminders.ts";
import { LONGEST_STEERING } from "./broker-steering.ts";
import type { CommandDefinition, CommandOption } from "./command-definition.ts";

const NAMES: Readonly<Record<string, true>> = {
  models: true,
  agents: true,
  steer: true,
  cancel: true,
  "cancel-all": true,
  reset: true,
  session: true,
  remind: true,
  waits: true,
  cost: true,
  auth: true,
  whereami: true,
};

/**
 * Names of the commands that act on conversations. `models` and `cost` are also the pool's, `cancel`
 * is a sweep's: whose it is there, those decide who hand it on.
 */
export const BROKER_COMMANDS: readonly string[] = Object.keys(NAMES);

/** What a bot's conversations understand on a server. */
export function brokerDefinitions(): CommandDefinition[] {
  return COMMON.map((one) => ({ ...one }));
}

/** The same for direct messages with the bot, and what is for one person alone. */
export function brokerDirectDefinitions(): CommandDefinition[] {
  const auth = {
    name: "auth",
    description: "How the bot's agent is logged in on its machine; no secret goes through Discord",
    options: [],
  };
  return [...COMMON, auth].map((one) => ({ ...one, direct: true }));
}

const COMMON: readonly CommandDefinition[] = [
  { name: "models", description: "Which model this conversation's agent uses", options: [] },
  { name: "agents", description: "Which agent or mode this conversation uses", options: [] },
  {
    name: "steer",
    description:
      "Says something into the turn that runs; where the agent cannot hear it, that turn stops",
    options: [{
      ...text("text", "What it should do instead, or besides"),
      required: true,
      longest: LONGEST_STEERING,
    }],
  },
  {
    name: "cancel",
    description: "Ends the turn that runs in this conversation; what waits is done after it",
    options: [],
  },
  {
    name: "cancel-all",
    description: "Ends the turn that runs in this conversation, and drops what waits",
    options: [],
  },
  {
    name: "reset",
    description: "The agent forgets this conversation; asks first",
    options: [],
  },
  {
    name: "session",
    description: "Conversations with the bot",
    options: [],
    subcommands: [
      { name: "list", description: "Those of this channel, or yours", options: [] },
      {
        name: "attach",
        description: "Goes on here with what was said in another conversation; asks first",
        options: [{
          ...text("from", "Which: its thread, as #name, or its id"),
          required: true,
          autocomplete: true,
          longest: 100,
        }],
      },
      { name: "export", description: "This conversation as a file; only you see it", options: [] },
      {
        name: "permissions",
        description: "What the agent may always do in this conversation; buttons take it back",
        options: [],
      },
    ],
  },
  {
    name: "remind",
    description: "Reminds people here, once; without options your reminders are listed",
    options: [
      { ...text("when", "In how much time, 1 minute to 30 days: 10m, 2h30m, 3d"), longest: 50 },
      { ...text("text", "Of what"), longest: REMINDER_LIMITS.text },
      { ...text("who", "Mentions of up to 10 people; you when left out"), longest: 400 },
    ],
  },
  {
    name: "waits",
    description: "What the agent of this conversation waits for, with buttons to drop it",
    options: [],
  },
  {
    name: "cost",
    description: "What the bot's conversations have cost",
    options: [
      {
        ...text("by", "By what it is summed; by day when left out"),
        choices: ["day", "model"].map((name) => ({ name, value: name })),
      },
      {
        name: "days",
        description: "Of so many days up to today; 7 when left out",
        type: "whole",
        required: false,
        least: 1,
        most: 366,
      },
    ],
  },
  {
    name: "whereami",
    description: "Ids of this place and of you, and whether you may talk to the bot here",
    options: [],
  },
];

function text(name: string, description: string): CommandOption {
  return { name, description, type: "text", required: false };
}
