import assert from "node:assert/strict";
import { herd, makeSweep, untilStatus } from "./herd.ts";

/** Every point between intent and record at which `herd run` can be killed (lib/daemon/fault.ts). */
export const FAULT_POINTS = [
  "before-files",
  "before-intent",
  "after-intent",
  "after-submit",
  "after-record",
] as const;

/** What a number generator with a seed gives: the same campaign for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface KillCase {
  scheduler: "local" | "slurm";
  /** A fault point, or undefined to kill after a random time. */
  point: string | undefined;
  /** The how many-th array of the run it strikes. */
  times: number;
  killAfterMs: number;
}

export function killCases(scheduler: "local" | "slurm", count: number, seed: number): KillCase[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, i) => ({
    scheduler,
    // Every sixth run is killed at a moment that nobody chose.
    point: i % 6 === 5 ? undefined : FAULT_POINTS[i % 6],
    times: 1 + Math.floor(random() * 2),
    killAfterMs: 20 + Math.floor(random() * 250),
  }));
}

/**
 * Runs a sweep of two arrays, kills `herd run` with SIGKILL, runs it again to
 * the end, and holds the trials' own ledger against what must be: each trial ran
 * exactly once, and all are completed.
 */
export async function killAndRecover(one: KillCase): Promise<void> {
  const sweep = makeSweep({
    yaml: `
name: kill
launcher: ./launch.sh
scheduler: ${one.scheduler}
grid: all
slurm: {partition: ${process.env["HERD_TEST_PARTITION"] ?? "short"}, time: 5, mem: 50M}
parameters:
  x: {type: discrete, values: [1, 2, 3, 4]}
conditions:
  - {name: bigger, when: {x: [3, 4]}, slurm: {mem: 60M}}
`,
    launcher: `#!/bin/bash
echo "$HYPERHERD_TRIAL_ID" >> ledger.txt
`,
  }, "herd-kill-");
  try {
    const what = JSON.stringify(one);
    const fault = one.point === undefined ? {} : { HERD_FAULT: `${one.point}:${one.times}` };
    const killed = await herd(["run", sweep.path], {
      env: fault,
      ...(one.point === undefined ? { timeoutMs: one.killAfterMs } : {}),
    });
    if (one.point !== undefined) assert.equal(killed.signal, "SIGKILL", what + killed.stderr);
    const again = await herd(["run", sweep.path, "--wait"], { timeoutMs: 180_000 });
    assert.equal(again.code, 0, `${what}\n${again.stdout}\n${again.stderr}`);
    // Trials that the killed run had submitted are not watched by the second one.
    await untilStatus(sweep.path, ({ totals }) => totals["completed"] === 4);
    const ledger = sweep.read("ledger.txt").trim().split("\n").sort();
    assert.deepEqual(ledger, ["0", "1", "2", "3"], what);
  } finally {
    sweep.remove();
  }
}

/** Runs cases a few at a time: most of a case is waiting. */
export async function abreast<T>(
  cases: readonly T[],
  width: number,
  run: (one: T) => Promise<void>,
): Promise<void> {
  const left = [...cases];
  await Promise.all(Array.from({ length: width }, async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await run(one);
  }));
}
