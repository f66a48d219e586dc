import type { Clock } from "../base/clock.ts";
import type { Said } from "../chat/agent-session.ts";
import type { Broker } from "../chat/broker.ts";
import type { BotRules } from "../chat/broker-config.ts";
import type { ChatState, Conversation } from "../chat/chat-state.ts";
import type { Reminders } from "../chat/create-reminders.ts";
import type { Waits } from "../chat/create-waits.ts";
import type { Permissions } from "../chat/permissions.ts";
import type { Interaction } from "./gateway-event.ts";
import { LIMITS } from "./limits.ts";
import type { Member, Outgoing } from "./message.ts";
import type { DiscordRest } from "./rest.ts";

/** What a bot's commands and buttons act on. */
export interface BrokerDesk {
  broker: Pick<
    Broker,
    | "cancel"
    | "cancelAll"
    | "reset"
    | "attach"
    | "extend"
    | "options"
    | "choose"
    | "revoke"
    | "steer"
    | "accept"
    | "turns"
  >;
  permissions: Pick<Permissions, "answer" | "open" | "forget">;
  reminders: Pick<Reminders, "set" | "drop" | "of">;
  waits: Pick<Waits, "drop" | "of">;
  state(): ChatState;
  rules(): BotRules;
  /** Ids of users and roles; undefined: whoever may talk. */
  approvers(): readonly string[] | undefined;
  /** Name or program of a conversation's agent, by which a hint for its login is found. */
  agentOf(conversation: Conversation | undefined): string | undefined;
  hasAgent(conversation: string): boolean;
  titleOf(conversation: Conversation): string;
  /** All that was said in it that its agent may know of, those that it goes on with included. */
  transcript(conversation: string): Promise<readonly Said[]>;
  /** Of the bot's buttons and nonces. */
  mark(): string;
  rest: Pick<
    DiscordRest,
    "respond" | "editResponse" | "send" | "channel" | "guild" | "member"
  >;
  clock: Clock;
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

export type Command = Extract<Interaction, { kind: "command" }>;
export type Press = Extract<Interaction, { kind: "button" }>;

export function byOf({ userId }: Pick<Member, "userId">): string {
  return `discord:${userId}`;
}

/** Only the person who asked sees it. */
export function privately(content: string): Outgoing {
  return { content: content.slice(0, LIMITS.content), ephemeral: true };
}
