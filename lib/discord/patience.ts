/** How long to wait before the next try, milliseconds: doubling from one second to five minutes, with full jitter. */
export function patience(tries: number, random: () => number): number {
  const most = Math.min(5 * 60_000, 1_000 * 2 ** Math.min(tries, 12));
  return Math.round(most / 2 + random() * most / 2);
}
