/**
 * When a signed address ends, milliseconds since the epoch: its `ex` is that time in seconds, in
 * hexadecimal digits. Undefined for one that says nothing.
 */
export function expiryOf(url: string): number | undefined {
  const ex = URL.parse(url)?.searchParams.get("ex");
  return ex !== null && ex !== undefined && /^[0-9a-f]{6,12}$/i.test(ex)
    ? parseInt(ex, 16) * 1_000
    : undefined;
}

/** An address that ends so soon would end while the agent works. */
const SOON_MS = 10 * 60_000;

export function endsSoon(url: string, now: number): boolean {
  return (expiryOf(url) ?? Infinity) < now + SOON_MS;
}
