import type { Clock } from "../base/clock.ts";
import { EXIT } from "../base/exit-codes.ts";
import { withoutBunSwitches } from "../base/detach.ts";
import { spawnInherited } from "../base/inherited-child.ts";
import { LEAVE_SIGNAL, SUPERVISOR } from "./worker-leave.ts";
import { spanText } from "../words/duration-text.ts";

export interface SuperviseParts {
  /** The worker itself. */
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  signal: AbortSignal;
  say(text: string): void;
  /** Resolves when another executable lies where this one did and has proven that it starts. */
  upgraded?: (signal: AbortSignal) => Promise<void>;
  /** Becomes the new executable; returns where a process cannot, and then only the worker is new. */
  becomeNew?: () => void;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 5 * 60_000;
/** One that lived for so long had come up well. */
const WELL_MS = 60_000;
/** So often in a row without coming up well, and it is left to people. */
const MOST_CRASHES = 20;

/** Ends by themselves that another start would not change. */
const ORDERLY: readonly number[] = [EXIT.done, EXIT.mistake, EXIT.refused];

/**
 * Starts a worker again whenever it crashes, with more patience each time; an orderly end is the
 * end, but for one that makes room for a new executable. Resolves to the exit code.
 */
export async function superviseWorker(parts: SuperviseParts): Promise<number> {
  const { clock, signal, say } = parts;
  for (let crashes = 0;;) {
    const begun = clock.now();
    const { exitCode, by, isUpgrade } = await oneLife(parts);
    if (signal.aborted) return exitCode ?? EXIT.done;
    if (isUpgrade && (exitCode === undefined || exitCode === EXIT.done)) {
      parts.becomeNew?.();
      crashes = 0;
      continue;
    }
    if (exitCode !== undefined && ORDERLY.includes(exitCode)) return exitCode;
    crashes = clock.now() - begun > WELL_MS ? 1 : crashes + 1;
    const how = by === undefined ? `with code ${exitCode}` : `by ${by}`;
    if (crashes >= MOST_CRASHES) {
      say(`The worker ended ${how}, ${crashes} times in a row: it is given up`);
      return exitCode ?? EXIT.unexpected;
    }
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (crashes - 1));
    say(`RESTARTING: the worker ended ${how}; it starts again in ${spanText(wait)}`);
    await clock.sleep(wait, signal).catch(() => {});
    if (signal.aborted) return EXIT.done;
  }
}

async function oneLife({ argv, env, signal, say, upgraded }: SuperviseParts) {
  const variables = { ...env, [SUPERVISOR]: `${process.pid}` };
  const child = spawnInherited(argv, { env: withoutBunSwitches(variables) });
  const pass = () => child.kill("SIGTERM");
  signal.addEventListener("abort", pass, { once: true });
  if (signal.aborted) pass();
  const over = new AbortController();
  let isUpgrade = false;
  const watching = upgraded?.(over.signal).then(() => {
    if (over.signal.aborted) return;
    isUpgrade = true;
    say("A new herd is installed: the worker finishes what it has, and the new one takes over");
    child.kill(LEAVE_SIGNAL);
  }).catch(() => {});
  const { exitCode, signal: by } = await child.exited;
  over.abort();
  await watching;
  signal.removeEventListener("abort", pass);
  return { exitCode, by, isUpgrade };
}
