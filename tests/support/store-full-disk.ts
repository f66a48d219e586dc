// Appends until the file may not grow any more (ulimit -f), with SIGXFSZ ignored as the runtime does.
import { spawnSync } from "node:child_process";
import { createSystemClock } from "../../lib/base/clock.ts";
import { openJournal } from "../../lib/store/journal.ts";
import { alwaysHeld, notes } from "./store-folder.ts";

const [path, limited] = process.argv.slice(2) as [string, string | undefined];
if (limited === undefined) {
  const { status } = spawnSync("bash", [
    "-c",
    'trap "" XFSZ; ulimit -f 64; exec "$@"',
    "bash",
    process.execPath,
    ...["run", "-A", "--quiet", "--no-check", import.meta.url, path, "limited"],
  ], { stdio: "inherit" });
  process.exitCode = status ?? 1;
} else {
  const clock = createSystemClock();
  const journal = openJournal({ path, fold: notes, clock });
  const how = { by: "test", at: 0, lease: alwaysHeld };
  journal.append([{ type: "noted", text: "before" }], how);
  const batch = Array.from(
    { length: 50 },
    () => ({ type: "noted" as const, text: "x".repeat(9999) }),
  );
  try {
    journal.append(batch, how);
    console.log("not refused");
  } catch (error) {
    const { name, message } = error as Error;
    console.log(`refused ${name} ${message.slice(0, 15)}`);
  }
  journal.append([{ type: "noted", text: "small" }], how);
  console.log(`state ${journal.state.join(",")}`);
}
