import type { Clock } from "../base/clock.ts";
import { EXIT } from "../base/exit-codes.ts";
import { withoutBunSwitches } from "../base/detach.ts";
import { spawnInherited } from "../base/inherited-child.ts";
import { spanText } from "../words/duration-text.ts";

export interface SuperviseParts {
  /** The worker itself. */
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  signal: AbortSignal;
  say(text: string): void;
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
 * end. Resolves to the exit code.
 */
export async function superviseWorker(parts: SuperviseParts): Promise<number> {
  const { argv, env, clock, signal, say } = parts;
  for (let crashes = 0;;) {
    const begun = clock.now();
    const child = spawnInherited(argv, { env: withoutBunSwitches(env) });
    const pass = () => child.kill("SIGTERM");
    signal.addEventListener("abort", pass, { once: true });
    if (signal.aborted) pass();
    const { exitCode, signal: by } = await child.exited;
    signal.removeEventListener("abort", pass);
    if (signal.aborted) return exitCode ?? EXIT.done;
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
