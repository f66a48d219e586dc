/** A worker that runs one attempt and can be killed: words on its output, specification in a file. */
import { readFileSync } from "node:fs";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { startAttempt } from "../../../lib/tasks/attempt-process.ts";
import type { AttemptSpec } from "../../../lib/tasks/attempt-spec.ts";

const [file = "", records = "", ...argv] = process.argv.slice(2);
const spec = JSON.parse(readFileSync(file, "utf8")) as AttemptSpec;
const attempt = startAttempt(spec, {
  argv,
  env: process.env,
  clock: createSystemClock(),
  records,
  onUse: () => console.log("use"),
  onProgress: (phase) => console.log(`progress ${phase}`),
});
console.log(`pid ${attempt.pid}`);
const renewing = setInterval(() => attempt.renew(spec.deadManMs), spec.deadManMs / 4);
const ended = await attempt.ended;
clearInterval(renewing);
console.log(`ended ${JSON.stringify(ended)}`);
process.exit(0);
