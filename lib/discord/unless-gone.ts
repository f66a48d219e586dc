import { DiscordError } from "./discord-error.ts";

/** Undefined when the place is gone or closed to the bot for good; throws what may pass. */
export async function unlessGone<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    const isGone = error instanceof DiscordError &&
      (error.kind === "missing" || error.kind === "forbidden" || error.kind === "rejected");
    if (isGone) return undefined;
    throw error;
  }
}
