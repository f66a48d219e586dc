import type { Clock } from "../base/clock.ts";
import { readProcess } from "../base/process-tree.ts";

/** Tells a worker to finish what it has, to take nothing new, and to end. */
export const LEAVE_SIGNAL = "SIGUSR2";
/** The process id of a worker's supervisor, in the worker's environment. */
export const SUPERVISOR = "HERD_WORKER_SUPERVISOR";

const LOOK_MS = 2_000;

/**
 * Calls `leave` once when a worker is asked to leave, or when the supervisor that would start it
 * again is gone: a worker that nobody watches over must not stand in the way of the next one.
 */
export function listenForLeave(
  { env, clock, say, leave }: {
    env: Readonly<Record<string, string | undefined>>;
    clock: Clock;
    say(text: string): void;
    leave(): void;
  },
): Disposable {
  const over = new AbortController();
  let asked = false;
  const once = (why: string) => {
    if (asked) return;
    asked = true;
    say(why);
    leave();
  };
  const heard = () => once("It was asked to leave: what runs is finished, nothing new is taken");
  process.on(LEAVE_SIGNAL, heard);
  const supervisor = Number(env[SUPERVISOR]);
  async function watch(): Promise<void> {
    while (!over.signal.aborted) {
      if (readProcess(process.pid)?.parent !== supervisor) {
        return once("Its supervisor is gone: what runs is finished, nothing new is taken");
      }
      await clock.sleep(LOOK_MS, over.signal).catch(() => {});
    }
  }
  if (Number.isInteger(supervisor) && supervisor > 1) void watch();
  return {
    [Symbol.dispose]() {
      over.abort();
      process.removeListener(LEAVE_SIGNAL, heard);
    },
  };
}
