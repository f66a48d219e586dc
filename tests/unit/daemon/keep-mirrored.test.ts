import assert from "node:assert/strict";
import { test } from "node:test";
import { keepMirrored } from "../../../lib/daemon/keep-mirrored.ts";
import type { Mirror } from "../../../lib/mirror/mirror.ts";
import { createHeldTime } from "../../support/held-time.ts";

const MINUTE = 60_000;

interface Day {
  jobs?: "running" | "waiting" | "none";
  /** Files that come with a pull at that time. */
  news?: (at: number) => number;
  isWhole?: (pulls: number) => boolean;
  /** How long a pull takes. */
  tookMs?: number;
  fails?: boolean;
  /** A look at the scheduler fetched then. */
  pulledAt?: (at: number) => number | undefined;
}

/** When the host is asked within so many minutes. */
async function asked(minutes: number, day: Day): Promise<number[]> {
  const time = createHeldTime(0);
  const over = new AbortController();
  const times: number[] = [];
  const mirror = {
    isWhole: () => day.isWhole?.(times.length) ?? true,
    pulledAt: () => day.pulledAt?.(time.clock.now()),
    async pull() {
      const at = time.clock.now();
      times.push(at);
      if (day.fails === true) throw new Error("away");
      await time.clock.sleep(day.tookMs ?? 100);
      return { files: day.news?.(at) ?? 0, isWhole: mirror.isWhole() };
    },
  } as unknown as Mirror;
  time.at(minutes * MINUTE, () => over.abort());
  await keepMirrored({
    ...{ mirror: () => mirror, jobs: () => day.jobs ?? "running", clock: time.clock },
    ...{ signal: over.signal, onNews: () => {} },
  });
  return times;
}

const between = (times: readonly number[]) => times.slice(1).map((at, i) => at - times[i]!);

test("while something comes the host is asked every few seconds, while nothing does more seldom", async () => {
  const busy = await asked(5, { news: () => 1 });
  assert.ok(Math.max(...between(busy)) < 5_500, `${between(busy)}`);
  const quiet = between(await asked(10, {}));
  assert.ok(quiet.at(-1)! >= 15_000 && Math.max(...quiet) < 16_000, `${quiet}`);
  const waiting = between(await asked(30, { jobs: "waiting" }));
  assert.ok(waiting.at(-1)! >= 60_000 && Math.max(...waiting) < 61_000, `${waiting}`);
});

test("after a quiet hour the first news make it quick again", async () => {
  const times = await asked(70, { news: (at) => at >= 60 * MINUTE ? 1 : 0 });
  const gaps = between(times.filter((at) => at >= 61 * MINUTE));
  assert.ok(Math.max(...gaps) < 5_500, `${gaps}`);
});

test("a slow file system is asked a twentieth of the time at the most", async () => {
  const times = await asked(60, { tookMs: 30_000, news: () => 1 });
  assert.ok(times.length <= 6, `${times.length} times`);
});

test("with no jobs the host is left alone, once everything is here", async () => {
  assert.deepEqual(await asked(60, { jobs: "none" }), []);
  const rest = await asked(60, { jobs: "none", isWhole: (pulls) => pulls >= 5 });
  assert.equal(rest.length, 5);
  assert.ok(Math.max(...between(rest)) < 1_500, `${between(rest)}`);
});

test("what a look at the scheduler has just fetched is not fetched again", async () => {
  assert.deepEqual(await asked(30, { pulledAt: (at) => at - 1_000 }), []);
});

test("while the host is away it is tried now and then", async () => {
  const times = await asked(60, { fails: true });
  assert.ok(times.length <= 121 && times.length >= 110, `${times.length}`);
});
