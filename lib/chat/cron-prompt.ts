import { createHash } from "node:crypto";
import { escapeMarkdown } from "../base/markdown.ts";
import type { Arrival } from "./arrival.ts";
import type { CronJob } from "./broker-config.ts";
import type { JobPrompt } from "./chat-event.ts";
import type { ChatState } from "./chat-state.ts";

/** Jobs have no names: whoever changes one has a new one, and the same one twice is one. */
export function jobKey(job: CronJob): string {
  const { schedule, timeZone, channelId, threadId, message, sender } = job;
  const facts = [schedule, timeZone, channelId, threadId ?? "", message, sender];
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 16);
}

/** Whether what a job asked last is still waiting or worked on. */
export function isStillAt(
  { conversations }: Pick<ChatState, "conversations">,
  prompt: JobPrompt | undefined,
): boolean {
  const one = prompt === undefined ? undefined : conversations.get(prompt.conversation);
  const all = [...one?.waiting ?? [], ...one?.turn?.messages ?? []];
  return all.some(({ arrival }) => arrival.id === prompt?.message);
}

/** How its message begins. */
export function jobHead({ sender }: CronJob): string {
  return `🕐 [${escapeMarkdown(sender.replace(/\s+/g, " ").trim())}]: `;
}

/**
 * The job's message as if somebody had typed it, in its thread or in the channel from where it gets
 * one. It counts as a person's: those who wrote the configuration let it speak.
 */
export function jobArrival(
  { channelId, threadId, message, sender }: CronJob,
  posted: { id: string; at: number; guildId: string | undefined },
  me: string,
): { arrival: Arrival; conversation: string } {
  const { id, at, guildId } = posted;
  const arrival: Arrival = {
    id,
    at,
    editedAt: undefined,
    place: { channelId, threadId, isDirect: false, threadOwner: undefined, guildId },
    author: { id: me, name: sender, displayName: sender, isBot: false, roles: [] },
    content: message,
    mentions: { users: [], roles: [], everyone: false },
    quoted: undefined,
    attachments: [],
    extras: [],
    kind: "spoken",
  };
  // A thread that is made from a message has its id.
  return { arrival, conversation: threadId ?? id };
}
