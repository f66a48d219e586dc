import { UserError } from "../base/errors.ts";
import { parseDuration } from "../sweep/duration.ts";
import { parseMemory } from "../sweep/memory.ts";

const SECONDS: readonly [RegExp, number][] = [
  [/^(?:s|secs?|seconds?)$/, 1],
  [/^(?:m|mins?|minutes?)$/, 60],
  [/^(?:h|hrs?|hours?)$/, 3600],
  [/^(?:d|days?)$/, 86_400],
];

/** Seconds of "2h", "90 minutes", "1h30m", "1 hour and 30 minutes"; a unit must be there. Undefined for anything else. */
export function readSpan(text: string): number | undefined {
  const said = text.trim().toLowerCase().replace(/\b(?:an|a|one) (?=hour|minute|day)/g, "1 ");
  if (!/^(?:\d+(?:\.\d+)? ?[a-z]+(?:,? (?:and )?|$)?)+$/.test(said)) return undefined;
  let total = 0;
  for (const [, number, unit] of said.matchAll(/(\d+(?:\.\d+)?) ?([a-z]+)/g)) {
    if (unit === "and") return undefined;
    const factor = SECONDS.find(([pattern]) => pattern.test(unit!))?.[1];
    if (factor === undefined) return undefined;
    total += Number(number) * factor;
  }
  return total > 0 && Number.isFinite(total) ? Math.round(total) : undefined;
}

/** A time limit in people's words or in SLURM's ("4:00:00"), in seconds; "ambiguous" for a bare number. */
export function readTimeLimit(text: string): number | "ambiguous" | undefined {
  const span = readSpan(text);
  if (span !== undefined) return span;
  if (/^\d+(?:\.\d+)?$/.test(text.trim())) return Number(text) > 0 ? "ambiguous" : undefined;
  // "1:30" is minutes and seconds to SLURM, and an hour and a half to most people.
  if (/^\d+:\d+$/.test(text.trim())) return "ambiguous";
  return tried(() => parseDuration(text) ?? undefined);
}

/** Memory in MiB; "ambiguous" for a bare number, which SLURM takes for mebibytes and people do not. */
export function readMemory(text: string): number | "ambiguous" | undefined {
  const said = text.trim().replace(/\s+/g, "").replace(/gigs?$|gigabytes?$/i, "G");
  if (/^\d+(?:\.\d+)?$/.test(said)) return Number(said) > 0 ? "ambiguous" : undefined;
  const mib = tried(() => parseMemory(said));
  return mib === undefined || mib <= 0 ? undefined : mib;
}

function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
