import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";

/** What is wrong with the workers in SLURM, and how long the next one is waited with for that. */
export interface PoolJobTrouble {
  /** For people; undefined while all is well. */
  text(): string | undefined;
  /** Told once, until something else is wrong. */
  complain(text: string | undefined): void;
  /** One could not be submitted, or did not come up: each in a row doubles the wait. */
  setBack(why: string): void;
  /** One came up, or was taken. */
  worked(): void;
  /** Another order was given: what was refused before may be taken now. */
  forget(): void;
  mayTry(): boolean;
}

const FIRST_BACK_OFF_MS = 30_000;
const LONGEST_BACK_OFF_MS = 15 * 60_000;

export function createPoolJobTrouble(clock: Clock, log: Log): PoolJobTrouble {
  let failures = 0;
  let notBefore = -Infinity;
  let trouble: string | undefined;

  function complain(text: string | undefined): void {
    if (text !== undefined && text !== trouble) log.write("warn", text);
    trouble = text;
  }

  return {
    text: () => trouble,
    complain,
    setBack(why) {
      failures++;
      notBefore = clock.now() +
        Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** Math.min(failures - 1, 20));
      complain(why);
    },
    worked() {
      failures = 0;
    },
    forget() {
      failures = 0;
      notBefore = -Infinity;
    },
    mayTry: () => clock.now() >= notBefore,
  };
}
