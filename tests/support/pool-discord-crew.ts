import type { WorkerReport } from "../../lib/tasks/exchange.ts";
import type { AttemptReport } from "../../lib/tasks/task.ts";
import type { PoolProcess } from "./pool-discord-life.ts";
import { reportOf } from "./scripted-pool-desk.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** Three workers that end what they have after a while, and lose some of their exchanges. */
export function startCrew(
  { time, random, process, loses, slots = 2, fails = 0.2, longestMs = 120_000 }: {
    time: VirtualTime;
    random(): number;
    process: PoolProcess;
    /** The share of exchanges whose answer is lost. */
    loses(): number;
    slots?: number;
    fails?: number;
    longestMs?: number;
  },
): void {
  const later = (ms: number, act: () => void) => void time.at(time.now() + random() * ms, act);
  for (const name of ["w1", "w2", "w3"]) {
    const has = new Map<string, { epoch: number; endsAt: number; report?: AttemptReport }>();
    const startedAt = time.now();
    let number = 0;
    process.desk()!.coordinator.enrol({ name, labels: [], proof: "", via: "http" }, "test");
    const beat = () => {
      for (const [task, one] of has) {
        if (one.report !== undefined || time.now() < one.endsAt) continue;
        const failed = random() < fails;
        one.report = reportOf({
          end: failed ? "failed" : "done",
          cause: failed ? "the model said no" : "",
          passing: failed && random() < 0.5,
          result: `did ${task} @everyone`,
          startedAt: one.endsAt - 30_000,
          endedAt: one.endsAt,
        });
      }
      const report: WorkerReport = {
        worker: name,
        incarnation: `${name}-1`,
        startedAt,
        number: ++number,
        version: "1.0.0",
        host: "node1",
        slots,
        labels: [],
        sandboxes: ["none", "workspace", "read-only"],
        leaving: false,
        attempts: [...has].map(([task, { epoch, report }]) => ({
          task,
          epoch,
          phase: "",
          use: report?.use ?? [],
          report,
        })),
      };
      const isLost = random() < loses();
      const orders = process.exchange(report);
      if (orders !== undefined && !isLost) {
        for (const { task, epoch } of orders.settled) {
          if (has.get(task)?.epoch === epoch) has.delete(task);
        }
        for (const { task } of orders.cancel) {
          const one = has.get(task);
          if (one !== undefined && one.report === undefined) {
            one.report = reportOf({ end: "cancelled", result: "" });
          }
        }
        for (const { task, epoch } of orders.assign) {
          if (has.has(task)) continue;
          has.set(task, { epoch, endsAt: time.now() + 5_000 + random() * longestMs });
        }
      }
      later(16_000, beat);
    };
    later(5_000, beat);
  }
}
