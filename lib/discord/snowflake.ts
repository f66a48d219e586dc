import type { Id } from "./message.ts";

/** 2015-01-01, from which Discord counts. */
const DISCORD_EPOCH_MS = 1_420_070_400_000n;

/** When an id was given out, milliseconds since the epoch. */
export function timeOfId(id: Id): number {
  return Number((BigInt(id) >> 22n) + DISCORD_EPOCH_MS);
}
