import { UserError } from "../base/errors.ts";

/** What the reader below takes, for messages. */
export const DURATION_FORMS =
  '90 (minutes), "MM:SS", "HH:MM:SS", "D-HH", "D-HH:MM", "D-HH:MM:SS" or UNLIMITED';
/** SLURM counts minutes in 32 bits; the topmost values mean "none" and "infinite". */
const MOST_MINUTES = 0xffff_fff0;

/**
 * A time limit as SLURM writes it, in seconds: a whole number of minutes,
 * rounded up as SLURM does. Null is no limit; SLURM reads zero so, too.
 * Throws UserError with the allowed forms.
 */
export function parseDuration(value: string | number): number | null {
  const text = String(value).trim();
  if (/^(unlimited|infinite)$/i.test(text)) return null;
  const seconds = dayForm(text) ?? clockForm(text);
  if (seconds === undefined || seconds > MOST_MINUTES * 60) {
    throw new UserError(
      `Cannot read the time limit: found ${show(value)}, expected ${DURATION_FORMS}`,
    );
  }
  const minutes = Math.ceil(seconds / 60);
  return minutes === 0 ? null : minutes * 60;
}

/** Seconds as `HH:MM:SS`, from a day on as `D-HH:MM:SS`; null as `UNLIMITED`. */
export function formatDuration(seconds: number | null): string {
  if (seconds === null) return "UNLIMITED";
  const whole = Math.max(0, Math.ceil(seconds));
  const days = Math.floor(whole / 86_400);
  const clock = [Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60]
    .map((part) => String(part).padStart(2, "0")).join(":");
  return days === 0 ? clock : `${days}-${clock}`;
}

function dayForm(text: string): number | undefined {
  const match = /^(\d+)-(\d+)(?::(\d+)(?::(\d+))?)?$/.exec(text);
  if (match === null) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) =>
    Number(part ?? 0)
  );
  return days * 86_400 + hours * 3600 + minutes * 60 + seconds;
}

/** Without days the first number is minutes, unless there are three: one of the traps of SLURM's notation. */
function clockForm(text: string): number | undefined {
  if (!/^\d+(:\d+){0,2}$/.test(text)) return undefined;
  const [a = 0, b = 0, c] = text.split(":").map(Number);
  return c === undefined ? a * 60 + b : a * 3600 + b * 60 + c;
}

function show(value: string | number): string {
  return typeof value === "number" ? String(value) : JSON.stringify(value);
}
