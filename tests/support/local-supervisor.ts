/** The supervisor as a program of its own: `<idle ms> <spool>`. */
import { createSystemClock } from "../../lib/base/clock.ts";
import { runSupervisor } from "../../lib/schedulers/local/supervisor.ts";

const stop = new AbortController();
process.on("SIGTERM", () => stop.abort());
await runSupervisor({
  spool: process.argv.at(-1)!,
  clock: createSystemClock(),
  signal: stop.signal,
  graceMs: 1_000,
  idleMs: Number(process.argv.at(-2)),
  report: (error) => process.stderr.write(`${error instanceof Error ? error.stack : error}\n`),
});
