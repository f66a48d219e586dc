/**
 * Seconds of SLURM's `[D-]HH:MM:SS`, `MM:SS.mmm` or `HH:MM:SS`; null for
 * UNLIMITED, undefined for what is no time (`NONE`, `N/A`, empty).
 */
export function parseDuration(text: string): number | null | undefined {
  if (/^(UNLIMITED|INFINITE)$/i.test(text)) return null;
  const match = /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)$/.exec(text);
  if (match === null) return undefined;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return ((days! * 24 + hours!) * 60 + minutes!) * 60 + seconds!;
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
  P: 2 ** 50,
};

/** Bytes of `27316224`, `26676K` or `1.5G`; undefined for what is no size. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([KMGTP]?)$/.exec(text);
  const bytes = match === null ? NaN : Math.round(Number(match[1]) * UNITS[match[2]!]!);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/**
 * Bytes of a ReqMem field: `8000M`, and before 21.08 `8Gn` per node or `4Gc`
 * per processor, which are multiplied out.
 */
export function parseRequestedMemory(
  text: string,
  nodes: number,
  cpus: number,
): number | undefined {
  const bytes = parseBytes(text.replace(/[nc]$/, ""));
  if (bytes === undefined) return undefined;
  const per = text.endsWith("n") ? nodes : text.endsWith("c") ? cpus : 1;
  return bytes * Math.max(1, per);
}

/** Milliseconds of an epoch in seconds (`SLURM_TIME_FORMAT=%s`); undefined for `N/A`, `Unknown`, 0. */
export function parseEpoch(text: string): number | undefined {
  return /^[1-9]\d*$/.test(text) ? Number(text) * 1000 : undefined;
}
