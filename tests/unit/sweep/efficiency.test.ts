import assert from "node:assert/strict";
import test from "node:test";
import type { UsageRow } from "../../../lib/sweep/efficiency.ts";
import { adviceOf, efficiencyOf, memoryText } from "../../../lib/sweep/efficiency.ts";

const GIB = 1024 ** 3;

function row(change: Partial<UsageRow> & { rss?: number; asked?: number; cpu?: number } = {}) {
  const { rss = 1 * GIB, asked = 8 * GIB, cpu = 100, ...rest } = change;
  return {
    usage: {
      elapsedSeconds: 100,
      maxRssBytes: rss,
      aveRssBytes: undefined,
      requestedMemoryBytes: asked,
      cpuSeconds: cpu,
      allocatedCpus: 1,
    },
    elapsedSeconds: 100,
    limitSeconds: 3600,
    cause: "completed" as const,
    ...rest,
  } satisfies UsageRow;
}

test("shares are of what was asked for, and null where one side is not known", () => {
  assert.deepEqual(efficiencyOf(row()), { memory: 0.125, time: 0.0278, cpu: 1 });
  assert.deepEqual(efficiencyOf(row({ limitSeconds: null })).time, null);
  assert.deepEqual(efficiencyOf({ ...row(), usage: undefined, limitSeconds: undefined }), {
    memory: null,
    time: null,
    cpu: null,
  });
});

test("less is suggested only when every trial used little and one ran to its end", () => {
  const [memory] = adviceOf([row(), row({ rss: 1.5 * GIB })]);
  assert.equal(memory, "Memory: at most 1.5G used of 8G; slurm.mem: 2G would do");
  assert.equal(adviceOf([row(), row({ rss: 5 * GIB })])[0], "Memory: at most 5G used of 8G");
  assert.equal(adviceOf([row({ cause: "cancelled" })])[0], "Memory: at most 1G used of 8G");
  assert.equal(adviceOf([row({ elapsedSeconds: 3 })])[0], "Memory: at most 1G used of 8G");
});

test("trials that needed more are told instead, and never met with less", () => {
  const advice = adviceOf([row(), row({ cause: "out-of-memory" }), row({ cause: "timeout" })]);
  assert.match(
    advice[0]!,
    /^1 trial ran out of memory, having reached its limit of 8G: raise slurm\.mem$/,
  );
  assert.match(advice[1]!, /^1 trial ran out of time at 01:00:00: raise slurm\.time/);
  assert.equal(advice.join().includes("would do"), false);
});

test("trials that asked for different amounts are not mixed", () => {
  const advice = adviceOf([
    row({ limitSeconds: null }),
    row({ limitSeconds: null, asked: 2 * GIB }),
  ]);
  assert.deepEqual(advice, [
    "Memory: at most 1G used of 8G; slurm.mem: 1280M would do",
    "Memory: at most 1G used of 2G",
  ]);
});

test("sizes are short enough to compare by", () => {
  assert.deepEqual([0, 1023, 1536, 312 * 1024 ** 2, 1.25 * GIB, 8 * GIB].map(memoryText), [
    "0B",
    "1023B",
    "1.5K",
    "312M",
    "1.3G",
    "8G",
  ]);
});
