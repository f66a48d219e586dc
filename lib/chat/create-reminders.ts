import type { Clock } from "../base/clock.ts";
import type { ChatHappening, Reminder } from "./chat-event.ts";
import type { ChatState } from "./chat-state.ts";
import { dueReminders, makeReminder, remindersOf, type ReminderWish } from "./reminders.ts";

export interface RemindersParts {
  state(): Pick<ChatState, "reminders">;
  /** On disk when it returns; throws when the disk refuses. */
  append(whats: readonly ChatHappening[], by: string): unknown;
  clock: Clock;
  /**
   * Tells it, once: `again` when an earlier try may have done so. False when there is nowhere to
   * tell it any more; throws when it cannot be told now.
   */
  tell(reminder: Reminder, again: boolean, signal: AbortSignal): Promise<boolean>;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** Reminders of people: kept in the journal, told once, also after a restart. */
export interface Reminders extends AsyncDisposable {
  set(wish: ReminderWish): { reminder: Reminder } | { refused: string };
  /** Whether it was theirs and is no more. */
  drop(id: string, by: string): boolean;
  of(by: string): readonly Reminder[];
  start(): void;
}

/** The clock of a machine that slept may leap: it is looked at so often. */
const LOOK_MS = 15_000;

export function createReminders(parts: RemindersParts): Reminders {
  const { clock } = parts;
  const startedAt = clock.now();
  const stop = new AbortController();
  const tried = new Set<string>();
  let nap = new AbortController();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      let isStuck = false;
      for (const one of dueReminders(parts.state().reminders, clock.now())) {
        if (stop.signal.aborted) return;
        isStuck = !await fire(one) || isStuck;
      }
      nap = new AbortController();
      const wait = isStuck ? LOOK_MS : Math.min(LOOK_MS, untilNext());
      await clock.sleep(wait, AbortSignal.any([stop.signal, nap.signal])).catch(() => {});
    }
  }

  function untilNext(): number {
    const next = Math.min(...Object.values(parts.state().reminders).map(({ dueAt }) => dueAt));
    return Math.max(0, next - clock.now());
  }

  /** False when it is to be tried again. */
  async function fire(one: Reminder): Promise<boolean> {
    // Dropped while another was told.
    if (parts.state().reminders[one.id] === undefined) return true;
    try {
      const again = one.dueAt < startedAt || tried.has(one.id);
      tried.add(one.id);
      const isTold = await parts.tell(one, again, stop.signal);
      const how = isTold ? "told" : "failed";
      parts.append([{ type: "reminder-over", id: one.id, how }], "broker");
      tried.delete(one.id);
      return true;
    } catch (error) {
      if (stop.signal.aborted) return false;
      parts.log("info", "Cannot tell a reminder now", { reminder: one.id, error: `${error}` });
      return false;
    }
  }

  return {
    set(wish) {
      const known = parts.state().reminders[wish.id];
      // An interaction that is told twice is one reminder.
      if (known !== undefined) return { reminder: known };
      const made = makeReminder(wish, Object.values(parts.state().reminders), clock.now());
      if ("refused" in made) return made;
      parts.append([{ type: "reminder-set", reminder: made.reminder }], `discord:${wish.by}`);
      nap.abort();
      return made;
    },
    drop(id, by) {
      if (parts.state().reminders[id]?.by !== by) return false;
      parts.append([{ type: "reminder-over", id, how: "dropped" }], `discord:${by}`);
      return true;
    },
    of: (by) => remindersOf(parts.state().reminders, by),
    start() {
      running ??= run();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
