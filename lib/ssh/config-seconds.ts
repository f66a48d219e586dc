const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  s: 1,
  m: 60,
  h: 3600,
  d: 86400,
  w: 604800,
};

/** Seconds of a time as OpenSSH writes it, such as `90`, `1m30s` or `2h`; undefined when it is none. */
export function readSeconds(text: string): number | undefined {
  if (!/^(\d{1,9}[smhdw]?)+$/i.test(text)) return undefined;
  let seconds = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+)([smhdw]?)/gi)) {
    seconds += Number(digits) * UNITS[unit!.toLowerCase()]!;
  }
  return seconds;
}
