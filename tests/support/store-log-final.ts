// A trainer that logs final values of one trial while others do, too.
import { createSystemClock } from "../../lib/base/clock.ts";
import { createResultLog } from "../../lib/store/result-log.ts";

const [dir, name, times] = process.argv.slice(2) as [string, string, string];
const log = createResultLog({ dir, clock: createSystemClock() });
for (let i = 0; i < Number(times); i++) {
  await log.logFinal(7, `${name}/${i}`, i);
  log.logStep(7, "shared/loss", i, name);
}
