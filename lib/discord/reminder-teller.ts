import type { Reminder } from "../chat/chat-event.ts";
import { lateWord, reminderHead } from "../chat/reminders.ts";
import type { Id, Outgoing } from "./message.ts";
import { LIMITS } from "./limits.ts";
import { nonceOf } from "./post-view.ts";
import type { DiscordRest } from "./rest.ts";
import { withoutMentions } from "./safe-text.ts";
import { wasSaid } from "./said-before.ts";
import { unlessGone } from "./unless-gone.ts";

export interface ReminderTellerParts {
  rest: Pick<DiscordRest, "send" | "messages">;
  mark(): string;
  me(): Id | undefined;
  now(): number;
}

/**
 * Tells a reminder where it was asked for, and pings those it is for. Where an earlier life may have
 * told it already the place is read first.
 */
export function createReminderTeller({ rest, mark, me, now }: ReminderTellerParts) {
  return async (reminder: Reminder, again: boolean, signal: AbortSignal): Promise<boolean> => {
    const { id, channelId, dueAt, targets } = reminder;
    const told = await unlessGone(async () => {
      const begin = reminderHead(reminder);
      if (again && await wasSaid(rest, { channelId, by: me(), since: dueAt, begin }, signal)) {
        return true;
      }
      await rest.send(channelId, {
        ...bodyOf(reminder, now()),
        pings: { users: targets },
        nonce: nonceOf(mark(), `reminder ${id}`, 0),
      }, signal);
      return true;
    });
    // Where the place is gone, or closed to the bot, nobody is there to be told.
    return told ?? false;
  };
}

function bodyOf(reminder: Reminder, now: number): Outgoing {
  const late = lateWord(reminder, now);
  const text = withoutMentions(reminder.text);
  const all = [reminderHead(reminder), text, ...(late === undefined ? [] : [late])].join("\n");
  if (all.length <= LIMITS.content) return { content: all };
  const around = [reminderHead(reminder), ...(late === undefined ? [] : [late])].join("\n");
  return { content: around, embeds: [{ description: text.slice(0, LIMITS.embedDescription) }] };
}
