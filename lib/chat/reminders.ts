import { escapeMarkdown } from "../base/markdown.ts";
import { parseSpan } from "../sweep/span.ts";
import { spanText } from "../words/duration-text.ts";
import type { Reminder } from "./chat-event.ts";

export const REMINDER_LIMITS = {
  leastMs: 60_000,
  mostMs: 30 * 86_400_000,
  perPerson: 5,
  targets: 10,
  /** UTF-16 units. */
  text: 1_800,
} as const;

/** Told so much later nobody is late: a look at the clock is seconds apart. */
const LATE_MS = 120_000;

/** As a person gives it. */
export interface ReminderWish {
  id: string;
  by: string;
  /** "10m", "2h30m", "3d"; also "in 10 minutes". */
  when: string;
  text: string;
  /** Mentions or ids of whom to tell, whatever stands between them; empty: who asks. */
  who: string;
  channelId: string;
}

/** A reminder, or why there is none, a sentence without a period. */
export function makeReminder(
  { id, by, when, text, who, channelId }: ReminderWish,
  others: readonly Reminder[],
  now: number,
): { reminder: Reminder } | { refused: string } {
  const { leastMs, mostMs, perPerson, targets: mostTargets, text: longest } = REMINDER_LIMITS;
  const delay = readDelay(when);
  if (delay === undefined) {
    return { refused: `Cannot read "${when.slice(0, 50)}": write "10m", "2h30m" or "3d"` };
  }
  if (delay < leastMs || delay > mostMs) {
    return { refused: `Cannot remind in ${spanText(delay)}: 1 minute to 30 days can be` };
  }
  const words = text.trim();
  if (words === "") return { refused: "Cannot remind of nothing: say of what" };
  if (words.length > longest) {
    return { refused: `The text has ${words.length} characters; ${longest} have room` };
  }
  const targets = readTargets(who, by);
  if ("refused" in targets) return targets;
  if (targets.ids.length > mostTargets) {
    return { refused: `That is for ${targets.ids.length} people; ${mostTargets} can be told` };
  }
  const own = others.filter((one) => one.by === by);
  if (own.length >= perPerson) {
    return {
      refused: `You have ${own.length} reminders, and can have ${perPerson}: drop one first`,
    };
  }
  const dueAt = now + delay;
  return {
    reminder: { id, by, targets: targets.ids, channelId, text: words, setAt: now, dueAt },
  };
}

/** Of one person, the next one first. */
export function remindersOf(
  reminders: Readonly<Record<string, Reminder>>,
  by: string,
): readonly Reminder[] {
  return Object.values(reminders).filter((one) => one.by === by).sort(byDue);
}

/** In the order in which they are due. */
export function dueReminders(
  reminders: Readonly<Record<string, Reminder>>,
  now: number,
): readonly Reminder[] {
  return Object.values(reminders).filter(({ dueAt }) => dueAt <= now).sort(byDue);
}

/** How a message begins that tells it: always the same, so that it is known again. */
export function reminderHead({ by, targets, setAt }: Reminder): string {
  const asked = `<t:${Math.floor(setAt / 1000)}:f>`;
  const isOwn = targets.length === 1 && targets[0] === by;
  const who = targets.map((id) => `<@${id}>`).join(" ");
  return `⏰ ${who} · ${isOwn ? "you" : `<@${by}>`} asked for this at ${asked}`;
}

/** What people are told of its being late; undefined: it is not. */
export function lateWord({ dueAt }: Reminder, now: number): string | undefined {
  const late = now - dueAt;
  return late < LATE_MS ? undefined : `-# ${spanText(late)} late: herd was not there`;
}

/** A line of a list, for the person who asked. */
export function reminderLine({ text, dueAt, channelId }: Reminder): string {
  const words = text.replace(/\s+/g, " ");
  const shown = words.length > 80 ? `${words.slice(0, 79)}…` : words;
  return `<t:${Math.floor(dueAt / 1000)}:R> in <#${channelId}>: ${escapeMarkdown(shown)}`;
}

function byDue(a: Reminder, b: Reminder): number {
  return a.dueAt - b.dueAt || a.setAt - b.setAt;
}

/** Milliseconds. A number without a unit may be minutes to one and seconds to another: undefined. */
function readDelay(text: string): number | undefined {
  const plain = text.trim().toLowerCase().replace(/^in\s+/, "")
    .replace(/(\d)\s*(?:minutes?|mins?)\b/g, "$1m").replace(/(\d)\s*(?:hours?|hrs?)\b/g, "$1h")
    .replace(/(\d)\s*days?\b/g, "$1d").replace(/(\d)\s*weeks?\b/g, "$1w")
    .replace(/^(\d{1,3})w$/, (_, weeks) => `${Number(weeks) * 7}d`)
    .replace(/\s*(?:,|and)\s*/g, " ").replace(/(\d)\s+(?=[dhms]\b)/g, "$1");
  if (/^\d+$/.test(plain)) return undefined;
  const seconds = parseSpan(plain);
  return seconds === undefined ? undefined : seconds * 1000;
}

function readTargets(who: string, by: string): { ids: readonly string[] } | { refused: string } {
  if (who.trim() === "") return { ids: [by] };
  if (/<@&\d+>|@everyone|@here/i.test(who)) {
    return { refused: "Only people can be reminded, no roles: mention them one by one" };
  }
  const left = who.replace(/<@!?\d{1,20}>|\b\d{15,20}\b|[\s,;]+|\band\b/g, "");
  if (left !== "") {
    return { refused: `Cannot read "${left.slice(0, 50)}": mention people, as @name` };
  }
  return { ids: [...new Set([...who.matchAll(/\d{1,20}/g)].map(([id]) => id))] };
}
