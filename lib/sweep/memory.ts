import { UserError } from "../base/errors.ts";

/** What the reader below takes, for messages. */
export const MEMORY_FORMS =
  '8000 (mebibytes), "512000K", "1500M", "8G", "2T", or 0 for all of a node';
const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  K: 1 / 1024,
  M: 1,
  G: 1024,
  T: 1024 ** 2,
  P: 1024 ** 3,
};
/** SLURM keeps memory in 64 bits with flags on top; nothing near this exists. */
const MOST_MIB = 2 ** 40;

/**
 * Memory as SLURM writes it, in mebibytes, rounded up. A number without a unit
 * is mebibytes, zero asks for all of a node's memory. `MB`, `MiB` and decimals
 * such as `1.5G`, which SLURM refuses, are read as well.
 * Throws UserError with the allowed forms.
 */
export function parseMemory(value: string | number): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*([KMGTP]?)(I?B)?$/i.exec(String(value).trim());
  const [, digits = "", unit = "", bytes] = match ?? [];
  // "8B" would be eight bytes; nobody means that.
  const wrong = match === null || (unit === "" && bytes !== undefined);
  const mib = wrong ? NaN : Math.ceil(Number(digits) * UNITS[unit.toUpperCase()]!);
  if (!(mib <= MOST_MIB)) {
    const found = typeof value === "number" ? String(value) : JSON.stringify(value);
    throw new UserError(`Cannot read the memory: found ${found}, expected ${MEMORY_FORMS}`);
  }
  return mib;
}

/** Mebibytes as SLURM reads them: a whole number with the largest unit that is exact. */
export function formatMemory(mib: number): string {
  const whole = Math.ceil(mib);
  if (whole <= 0) return "0";
  if (whole % 1024 ** 2 === 0) return `${whole / 1024 ** 2}T`;
  if (whole % 1024 === 0) return `${whole / 1024}G`;
  return `${whole}M`;
}
