import type { Clock } from "../base/clock.ts";
import type { WorkerOrders, WorkerReport } from "./exchange.ts";
import type { PoolDesk } from "./pool-desk.ts";
import { saysMore } from "./worker-link.ts";

/** No request is held longer, whatever its sender wishes. Milliseconds. */
const LONGEST_WAIT_MS = 60_000;

export interface HeldExchange {
  waitMs: number;
  /** Of the request: nobody waits for the answer any more. */
  signal: AbortSignal;
}

/**
 * Takes a report in and answers as soon as there is something for the worker to do, at the latest
 * after `waitMs`. Throws what the desk throws, and the signal's reason.
 */
export async function answerExchange(
  { desk, clock }: { desk: Pick<PoolDesk, "exchange" | "ordersFor" | "onChange">; clock: Clock },
  report: WorkerReport,
  { waitMs, signal }: HeldExchange,
): Promise<WorkerOrders> {
  const orders = desk.exchange(report);
  if (waitMs <= 0 || saysMore(orders, report)) return orders;
  const found = new AbortController();
  const stop = () => found.abort();
  signal.addEventListener("abort", stop, { once: true });
  const unlisten = desk.onChange(() => {
    if (saysMore(desk.ordersFor(report), report)) found.abort();
  });
  try {
    await clock.sleep(Math.min(waitMs, LONGEST_WAIT_MS), found.signal).catch(() => {});
  } finally {
    unlisten();
    signal.removeEventListener("abort", stop);
  }
  signal.throwIfAborted();
  return desk.ordersFor(report);
}
