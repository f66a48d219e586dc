import type { Clock } from "../base/clock.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id } from "./message.ts";
import type { DiscordRest } from "./rest.ts";
import { plainText } from "./safe-text.ts";

export interface PrivateWordParts {
  rest: Pick<DiscordRest, "openDirect" | "send">;
  clock: Clock;
  sweep: string;
  log(level: "info", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** Who goes on after a refusal gets a sign, not a letter each time. */
const AGAIN_MS = 60 * 60_000;

/**
 * Tells one person why they were refused, by direct message, at most once an hour each.
 * Resolves to false when they were not told now: it is too soon, or they take no such messages.
 */
export function createPrivateWord(
  { rest, clock, sweep, log }: PrivateWordParts,
): (user: Id, why: string) => Promise<boolean> {
  const told = new Map<Id, number>();

  return async (user, why) => {
    const now = clock.now();
    for (const [id, at] of told) if (now - at >= AGAIN_MS) told.delete(id);
    if (told.has(user)) return false;
    told.set(user, now);
    try {
      const channel = await rest.openDirect(user);
      await rest.send(channel, { content: `${plainText(sweep)}: ${why}` });
      return true;
    } catch (error) {
      if (!(error instanceof DiscordError)) throw error;
      log("info", "Cannot write to a refused person", { error: error.message });
      return false;
    }
  };
}
