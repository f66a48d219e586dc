// Takes the lease, says so, and keeps it until it is killed.
import { createSystemClock } from "../../lib/base/clock.ts";
import { requireLease } from "../../lib/store/lease.ts";

const [dir] = process.argv.slice(2) as [string];
const clock = createSystemClock();
await requireLease({ dir, clock, waitMs: 0, purpose: "hold for ever" });
console.log("held");
await clock.sleep(600_000);
