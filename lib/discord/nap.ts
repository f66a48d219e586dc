import type { Clock } from "../base/clock.ts";

/** Resolves after `ms` (never, when undefined), when woken, or when aborted; leaves no timer. */
export async function nap(
  clock: Clock,
  ms: number | undefined,
  woken: Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const both = AbortSignal.any([over.signal, signal]);
  const timer = ms === undefined
    ? new Promise<void>((resolve) => {
      both.addEventListener("abort", () => resolve(), { once: true });
      if (both.aborted) resolve();
    })
    : clock.sleep(ms, both).catch(() => {});
  await Promise.race([woken, timer]);
  over.abort();
}
