/** Old addresses of files to new ones; what cannot be refreshed is left out. Never throws. */
export type RefreshUrls = (urls: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/** An address that ends so soon would end while the agent works. */
const SOON_MS = 60 * 60_000;
/** The service takes so many at once. */
const AT_ONCE = 50;

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

/**
 * A text with each address of the given origins that has ended, or will soon, replaced by a fresh one.
 * For what is said to an agent again, such as a transcript that names a video.
 */
export async function withFreshUrls(
  text: string,
  { origins, now, refresh }: { origins: readonly string[]; now: number; refresh: RefreshUrls },
): Promise<string> {
  const stale = staleUrls(text, origins, now);
  let fresh = text;
  for (let at = 0; at < stale.length; at += AT_ONCE) {
    for (const [old, url] of await refresh(stale.slice(at, at + AT_ONCE))) {
      if (isOf(url, origins)) fresh = fresh.replaceAll(old, url);
    }
  }
  return fresh;
}

function staleUrls(text: string, origins: readonly string[], now: number): string[] {
  const found = text.match(/https?:\/\/[^\s<>"'`)\]]+/g) ?? [];
  const stale = found.filter((url) => {
    const ends = expiryOf(url);
    return isOf(url, origins) && ends !== undefined && ends < now + SOON_MS;
  });
  // The longest first: one that is the beginning of another must not eat it.
  return [...new Set(stale)].sort((a, b) => b.length - a.length);
}

function isOf(url: string, origins: readonly string[]): boolean {
  return origins.includes(URL.parse(url)?.origin ?? "");
}
