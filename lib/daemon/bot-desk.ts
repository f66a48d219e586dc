import { resolve } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Arrival } from "../chat/arrival.ts";
import type { Broker } from "../chat/broker.ts";
import type { AgentChoice, BotConfig } from "../chat/broker-config.ts";
import type { ChatHappening } from "../chat/chat-event.ts";
import type { ChatState, Conversation } from "../chat/chat-state.ts";
import { createReminders } from "../chat/create-reminders.ts";
import type { Permissions } from "../chat/permissions.ts";
import type { Sessions } from "../chat/sessions.ts";
import { brokerDefinitions, brokerDirectDefinitions } from "../discord/broker-commands.ts";
import {
  type BrokerInteractions,
  createBrokerInteractions,
} from "../discord/broker-interactions.ts";
import { createBrokerOrders } from "../discord/broker-orders.ts";
import type { BrokerDesk } from "../discord/broker-desk.ts";
import type { CommandDefinition } from "../discord/command-definition.ts";
import { createJobPoster } from "../discord/job-poster.ts";
import { createReminderTeller } from "../discord/reminder-teller.ts";
import type { DiscordRest } from "../discord/rest.ts";
import { agentOf } from "./bot-agents.ts";
import type { BotTranscripts } from "./bot-transcripts.ts";
import { createBrokerSchedules } from "./broker-schedules.ts";
import { createUserCron } from "./user-cron.ts";

export interface BotDeskParts {
  broker: Broker;
  permissions: Permissions;
  sessions: Sessions;
  waits: BrokerDesk["waits"];
  transcripts: BotTranscripts;
  state(): ChatState;
  append(whats: readonly ChatHappening[], by: string): unknown;
  config(): BotConfig;
  rest: DiscordRest;
  mark: string;
  me(): string | undefined;
  titleOf(conversation: Conversation): string;
  /** By which a hint for an agent's login is found. */
  programOf(agent: AgentChoice): string;
  /** Relative paths of the configuration begin there. */
  home: string;
  clock: Clock;
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** What people press, command and order, what reminds them, and what is asked by the clock. */
export interface BotDesk extends AsyncDisposable {
  interactions: BrokerInteractions;
  definitions(): readonly CommandDefinition[];
  directDefinitions(): readonly CommandDefinition[];
  order(arrival: Arrival, me: string): boolean;
  start(): void;
}

export function createBotDesk(parts: BotDeskParts): BotDesk {
  const { broker, permissions, config, state, append, rest, clock, log, me } = parts;
  const mark = () => parts.mark;
  const rules = () => config().rules;
  const reminders = createReminders({
    ...{ state, append, clock, log },
    tell: createReminderTeller({ rest, mark, me, now: clock.now }),
  });
  const userJobs = createUserCron({
    path() {
      const { userFile } = config().cron;
      return userFile === undefined ? undefined : resolve(parts.home, userFile);
    },
    onTrouble: (message) => log("warn", message),
  });
  const schedules = createBrokerSchedules({
    ...{ state, append, broker, rules, me, clock, log },
    jobs: () => [...config().cron.jobs, ...userJobs()],
    poster: createJobPoster({ rest, mark, me }),
  });
  const order = createBrokerOrders({
    ...{ broker, state, rules, rest, mark, log },
    forget: permissions.forget,
    words: () => config().dispatch.words,
    audit: parts.audit,
  });
  const interactions = createBrokerInteractions({
    ...{ broker, permissions, reminders, state, rules, mark, rest, clock, log },
    waits: parts.waits,
    approvers: () => config().permissions.approvers,
    agentOf: (one) => parts.programOf(one === undefined ? config().agent : agentOf(one, config())),
    hasAgent: (conversation) => parts.sessions.find(conversation) !== undefined,
    titleOf: parts.titleOf,
    transcript: (conversation) => Promise.resolve(parts.transcripts.said(state(), conversation)),
    audit: parts.audit,
  });
  return {
    interactions,
    definitions: brokerDefinitions,
    directDefinitions: brokerDirectDefinitions,
    order,
    start() {
      reminders.start();
      schedules.start();
    },
    async [Symbol.asyncDispose]() {
      await schedules[Symbol.asyncDispose]();
      await reminders[Symbol.asyncDispose]();
    },
  };
}
