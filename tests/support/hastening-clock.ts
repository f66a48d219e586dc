import type { Clock } from "../../lib/base/clock.ts";
import { createSystemClock } from "../../lib/base/clock.ts";

/** The machine's clock, but a sleep takes `times` less than it says, and that much time has passed after it. */
export function createHasteningClock(times: number): Clock {
  const real = createSystemClock();
  let ahead = 0;
  return {
    now: () => real.now() + ahead,
    async sleep(ms, signal) {
      await real.sleep(ms / times, signal);
      ahead += ms - ms / times;
    },
  };
}
