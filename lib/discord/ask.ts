import type { Call } from "./call-discord.ts";

/** Makes a call and reads its answer; throws DiscordError when that is not what it has to be. */
export type Ask = <T>(call: Call, read: (answer: unknown) => T | undefined) => Promise<T>;

/** Makes a call whose answer says nothing. */
export type Tell = (call: Call) => Promise<void>;
