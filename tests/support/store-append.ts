// One of many writers: takes the lease for each append, gives it back, N times.
import { join } from "node:path";
import { createSystemClock } from "../../lib/base/clock.ts";
import { openJournal } from "../../lib/store/journal.ts";
import { requireLease } from "../../lib/store/lease.ts";
import { notes } from "./store-folder.ts";

const [folder, name, times] = process.argv.slice(2) as [string, string, string];
const clock = createSystemClock();
const journal = openJournal({
  path: join(folder, "journal.jsonl"),
  snapshot: join(folder, "snapshot.json"),
  fold: notes,
  clock,
});
for (let i = 0; i < Number(times); i++) {
  await using lease = await requireLease({
    dir: join(folder, "lease"),
    clock,
    waitMs: 120_000,
    purpose: `writer ${name}`,
  });
  journal.append([{ type: "noted", text: `${name}:${i}` }], { by: name, at: clock.now(), lease });
}
