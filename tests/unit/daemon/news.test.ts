import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { createNews } from "../../../lib/daemon/news.ts";
import type { Outside } from "../../../lib/daemon/outside.ts";

test("thousands of changes within a second are looked at some times, and only what changed", async () => {
  const events = mkdtempSync(join(tmpdir(), "herd-news-"));
  mkdirSync(join(events, "s1"));
  const asked: number[] = [];
  const attempts = new Map(
    Array.from({ length: 10_000 }, (_, task) => [
      `s1/${task}`,
      { submission: "s1", task, phase: "queued", jobId: "1", restarts: 0, trial: task },
    ]),
  );
  const outside = {
    paths: { events },
    state: () => ({ attempts }),
    onEvent: () => () => {},
    refresh: () => {},
    readRecords(tasks: readonly unknown[]) {
      asked.push(tasks.length);
      return new Map();
    },
  } as unknown as Outside;
  const stop = new AbortController();
  using news = createNews({ outside, clock: createSystemClock() });
  const waiting = news.wait(60_000, stop.signal);
  for (let i = 0; i < 2_000; i++) {
    writeFileSync(join(events, "s1", `${i}.tsv`), "x");
    if (i % 100 === 0) await new Promise((next) => setImmediate(next));
  }
  await new Promise((next) => setTimeout(next, 400));
  stop.abort();
  await waiting;
  assert.ok(asked.length > 0, "the changes were seen");
  assert.ok(asked.length < 60, `${asked.length} looks`);
  const whole = asked.filter((count) => count === 10_000).length;
  assert.ok(whole <= 2, `${whole} looks at everything`);
  rmSync(events, { recursive: true });
});
