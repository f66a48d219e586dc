const UNITS = [["d", 86_400], ["h", 3600], ["m", 60], ["s", 1]] as const;

/** A limit in its shortest form: "1h30m", "2d", "45s"; null is "UNLIMITED". */
export function limitText(seconds: number | null): string {
  if (seconds === null) return "UNLIMITED";
  let rest = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const n = Math.floor(rest / size);
    rest -= n * size;
    if (n > 0) parts.push(`${n}${unit}`);
  }
  return parts.length === 0 ? "0s" : parts.join("");
}

/** A span of time as one says it: "40 s", "30 min", "1 h 30 min", "2 days". Two units at most. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 24 * 60) return two(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(minutes / 60);
  const days = Math.floor(hours / 24);
  return two(days, days === 1 ? "day" : "days", hours % 24, "h");
}

function two(much: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${much} ${unit}` : `${much} ${unit} ${rest} ${restUnit}`;
}
