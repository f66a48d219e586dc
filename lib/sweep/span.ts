/** What the reader below takes, for messages. */
export const SPAN_FORMS =
  '1800 or "1800s" (seconds), "30m", "1h30m", "2d", "HH:MM:SS" or "D-HH:MM:SS"';

const UNITS: Readonly<Record<string, number>> = { d: 86_400, h: 3600, m: 60, s: 1 };

/**
 * A stretch of time for herd itself, in seconds: a number without a unit is seconds.
 * Not SLURM's notation, in which it would be minutes; `HH:MM:SS` means the same in both.
 * Two numbers with one colon are hours to some and minutes to others: undefined, like
 * all else that is not in SPAN_FORMS.
 */
export function parseSpan(text: string): number | undefined {
  const clock = /^(?:(\d{1,5})-)?(\d{1,5}):([0-5]?\d):([0-5]?\d)$/.exec(text.trim());
  if (clock !== null) {
    const [days = 0, hours = 0, minutes = 0, seconds = 0] = clock.slice(1).map((part) =>
      Number(part ?? 0)
    );
    return days * 86_400 + hours * 3600 + minutes * 60 + seconds;
  }
  const plain = text.trim().toLowerCase();
  if (/^\d{1,9}$/.test(plain)) return Number(plain);
  // Each unit once, the largest first.
  if (!/^(\d{1,9}d ?)?(\d{1,9}h ?)?(\d{1,9}m ?)?(\d{1,9}s)?$/.test(plain) || plain === "") {
    return undefined;
  }
  const parts = [...plain.matchAll(/(\d+)([dhms])/g)];
  return parts.reduce((sum, [, digits, unit]) => sum + Number(digits) * UNITS[unit!]!, 0);
}
