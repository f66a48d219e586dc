/** In UTC, to the minute. */
export function timeText(at: number): string {
  return Number.isFinite(at) ? `${new Date(at).toISOString().slice(0, 16)}Z` : "unknown time";
}

export function ago(at: number, now: number): string {
  return `${span(Math.max(0, now - at))} ago`;
}

export function span(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return "under a minute";
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
