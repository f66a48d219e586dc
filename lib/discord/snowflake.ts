import type { Id } from "./message.ts";

/** 2015-01-01, from which Discord counts. */
const DISCORD_EPOCH_MS = 1_420_070_400_000n;

/** The first id of a moment, for `after`. */
export function idOfTime(ms: number): Id {
  const since = BigInt(Math.floor(ms)) - DISCORD_EPOCH_MS;
  return `${since < 0n ? 0n : since << 22n}`;
}

/** When an id was given out, milliseconds since the epoch. */
export function timeOfId(id: Id): number {
  return Number((BigInt(id) >> 22n) + DISCORD_EPOCH_MS);
}
