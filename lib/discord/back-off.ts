/**
 * How long to wait before try number `tries` (from 0): at random within a window that doubles
 * from `firstMs` up to `mostMs`, so that many who lost the same server do not return together.
 */
export function backOff(
  tries: number,
  { firstMs, mostMs, random }: { firstMs: number; mostMs: number; random: () => number },
): number {
  // 2 ** 30 is beyond every `mostMs`; without the bound a long outage ends in Infinity.
  return Math.round(random() * Math.min(mostMs, firstMs * 2 ** Math.min(tries, 30)));
}
