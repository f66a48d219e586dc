// Takes the lease again and again, often "dying" with it, and proves each time that nobody else has it:
// the exclusive create fails when another holder is inside. Prints the number of breaches.
import { closeSync, openSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createSystemClock } from "../../lib/base/clock.ts";
import { requireLease } from "../../lib/store/lease.ts";

const [dir, inside, times] = process.argv.slice(2) as [string, string, string];
const clock = createSystemClock();
let breaches = 0;
for (let i = 0; i < Number(times); i++) {
  const lease = await requireLease({ dir, clock, waitMs: 120_000, purpose: "contend" });
  try {
    closeSync(openSync(inside, "wx"));
    lease.assertHeld();
    unlinkSync(inside);
  } catch (error) {
    breaches++;
    console.error(error);
  }
  if (i % 2 === 0) lease.release();
  else pretendDeath();
}
console.log(String(breaches));

/** Leaves a lease behind whose process is gone, for several waiters to see at the same moment. */
function pretendDeath(): void {
  const numbers = readdirSync(dir).flatMap((name) => Number(/^lease\.(\d+)$/.exec(name)?.[1] ?? 0));
  const path = join(dir, `lease.${Math.max(...numbers)}`);
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), start: "1" }));
}
