/** Submits the JobRequest on standard input to the spool that is the last argument, prints the id, ends. */
import { readFileSync } from "node:fs";
import { createSystemClock } from "../../lib/base/clock.ts";
import { createLocalScheduler } from "../../lib/schedulers/local/scheduler.ts";
import { localSupervisor } from "./local-scheduler.ts";

const spool = process.argv.at(-1)!;
const scheduler = createLocalScheduler({
  spool,
  supervisor: localSupervisor(),
  clock: createSystemClock(),
});
const { jobId } = await scheduler.submit(JSON.parse(readFileSync(0, "utf8")));
process.stdout.write(`${jobId}\n`);
