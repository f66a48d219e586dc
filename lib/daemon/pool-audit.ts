import { appendFileSync } from "node:fs";

/** One line of who did what to the pool. An audit that cannot be written stops nothing. */
export function appendAudit(
  path: string,
  at: number,
  event: string,
  fields: Readonly<Record<string, unknown>>,
): void {
  const line = JSON.stringify({ time: new Date(at).toISOString(), event, ...fields });
  try {
    appendFileSync(path, `${line}\n`, { mode: 0o600 });
  } catch {
    // The journal has what happened; this file has who tried what in vain, too.
  }
}
