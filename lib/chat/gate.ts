import type { Arrival } from "./arrival.ts";
import type { BotRules, UserMode } from "./broker-config.ts";
import { mentionIn, rewriteMentions } from "./mentions.ts";

/** What the gate knows beside the message. Other bots were noted and turns counted before. */
export interface GateFacts {
  /** The bot's own id. */
  me: string;
  /** It has spoken in this conversation. That it started the thread is in the arrival. */
  tookPart: boolean;
  /** Other bots have spoken in this conversation, the author of this message included. */
  hasOtherBots: boolean;
  /** The conversation began with a mention of a role, which called several bots at once. */
  calledByRole: boolean;
  /** Bots have talked long enough here: a person is needed (see bot-turns.ts). */
  botsStopped: boolean;
}

export type Judgement =
  | { kind: "answer"; because: "direct" | "user-mention" | "role-mention" | "involved" }
  /** The person gets a sign and no text. */
  | { kind: "deny" }
  /** Without a word; the reason is for the log. */
  | { kind: "drop"; because: DropReason };

export type DropReason =
  | "own message"
  | "the surface's own words"
  | "bots are not answered"
  | "bot did not mention"
  | "bot is not trusted"
  | "bots have talked long enough"
  | "direct messages are off"
  | "channel is not allowed"
  | "a channel needs a mention"
  | "not involved in the thread"
  | "a mention is always needed"
  | "a mention is needed among bots"
  | "nothing was said";

/** Whether a message is answered. The order of the steps decides what a person sees. */
export function judge(arrival: Arrival, rules: BotRules, facts: GateFacts): Judgement {
  const { author, place } = arrival;
  if (author.id === facts.me) return drop("own message");
  if (arrival.kind === "system") return drop("the surface's own words");
  const mention = mentionIn(arrival, facts.me, rules.triggerRoles);
  if (author.isBot) {
    const closed = judgeBot(author.id, mention !== undefined, rules, facts);
    if (closed !== undefined) return drop(closed);
  }
  if (place.isDirect) {
    if (!rules.directMessages) return drop("direct messages are off");
  } else {
    if (!isPlaceAllowed(arrival, rules)) return drop("channel is not allowed");
    const unasked = mention === undefined
      ? judgeUnasked(arrival, rules.userMessages, facts)
      : undefined;
    if (unasked !== undefined) return drop(unasked);
  }
  if (!author.isBot && !isPersonAllowed(author, rules)) return { kind: "deny" };
  if (isEmpty(arrival, rules, facts)) return drop("nothing was said");
  if (place.isDirect) return { kind: "answer", because: "direct" };
  return { kind: "answer", because: mention === undefined ? "involved" : `${mention}-mention` };
}

/** By its own id or its parent's. */
export function isPlaceAllowed(
  { place: { channelId, threadId } }: Pick<Arrival, "place">,
  { channels }: Pick<BotRules, "channels">,
): boolean {
  return channels === "all" || channels.includes(channelId) ||
    (threadId !== undefined && channels.includes(threadId));
}

/** The same for messages, commands and buttons. */
export function isPersonAllowed(
  { id, roles }: { id: string; roles: readonly string[] },
  { users, userRoles }: Pick<BotRules, "users" | "userRoles">,
): boolean {
  return users === "all" || users.includes(id) || roles.some((role) => userRoles.includes(role));
}

/** A person whom this bot hears, in a place where it does: only they end a talk among bots. */
export function isHeard(arrival: Arrival, rules: BotRules): boolean {
  const { author, place, kind } = arrival;
  const placed = place.isDirect ? rules.directMessages : isPlaceAllowed(arrival, rules);
  return kind === "spoken" && !author.isBot && placed && isPersonAllowed(author, rules);
}

function judgeBot(
  author: string,
  mentioned: boolean,
  { botMessages, trustedBots }: BotRules,
  { botsStopped }: GateFacts,
): DropReason | undefined {
  if (botMessages === "off") return "bots are not answered";
  if (botMessages === "mentions" && !mentioned) return "bot did not mention";
  if (trustedBots.length > 0 && !trustedBots.includes(author)) return "bot is not trusted";
  // Without names `all` would answer whatever is invited to the server.
  if (botMessages === "all" && trustedBots.length === 0) return "bot is not trusted";
  return botsStopped ? "bots have talked long enough" : undefined;
}

/** Nobody mentioned the bot. */
function judgeUnasked(
  { place }: Arrival,
  mode: UserMode,
  { me, tookPart, hasOtherBots, calledByRole }: GateFacts,
): DropReason | undefined {
  if (place.threadId === undefined) return "a channel needs a mention";
  if (mode === "mentions") return "a mention is always needed";
  if (place.threadOwner !== me && !tookPart) return "not involved in the thread";
  if (mode !== "multibot-mentions" || !hasOtherBots) return undefined;
  // Of the bots that a role has called, the one whose thread it became goes on.
  return calledByRole && place.threadOwner === me ? undefined : "a mention is needed among bots";
}

/** A bare mention below somebody's message means that message. */
function isEmpty(arrival: Arrival, { triggerRoles }: BotRules, { me }: GateFacts): boolean {
  const { content, attachments, extras, quoted } = arrival;
  return attachments.length === 0 && extras.length === 0 && quoted === undefined &&
    rewriteMentions(content, me, triggerRoles) === "";
}

function drop(because: DropReason): Judgement {
  return { kind: "drop", because };
}
