import assert from "node:assert/strict";
import { test } from "node:test";
import { startPulse } from "../../../lib/daemon/pulse.ts";

/** A clock whose every wait takes as long as it is told to. */
async function after(waits: readonly number[]): Promise<(number | undefined)[]> {
  let now = 0;
  const left = [...waits];
  const over = new AbortController();
  const done = Promise.withResolvers<void>();
  const pulse = startPulse({
    signal: over.signal,
    clock: {
      now: () => now,
      sleep: () => {
        const next = left.shift();
        if (next === undefined) {
          over.abort();
          done.resolve();
        } else now += next;
        return Promise.resolve();
      },
    },
  });
  await done.promise;
  return [pulse.stoppedSince(), pulse.stoppedSince()];
}

test("a process that was stopped knows since when, and says so once", async () => {
  assert.deepEqual(await after([5_000, 5_100, 3_600_000, 5_000]), [10_100, undefined]);
  assert.deepEqual(await after([100_000, 200_000]), [0, undefined]);
});

test("a busy machine is no sleep", async () => {
  assert.deepEqual(await after([5_000, 20_000, 24_000, 5_000]), [undefined, undefined]);
});
