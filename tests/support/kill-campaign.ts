import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { herd, makeSweep, untilStatus } from "./herd.ts";
import { until } from "./private-cluster.ts";

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

/** Where a case runs: SLURM's configuration and the partition, by default the machine's. */
export interface Place {
  env: Record<string, string>;
  partition: string;
}

const HERE: Place = { env: {}, partition: process.env["HERD_TEST_PARTITION"] ?? "short" };

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

type Sweep = ReturnType<typeof makeSweep>;

function yaml(scheduler: string, { partition }: Place, more = ""): string {
  return `
name: kill
launcher: ./launch.sh
scheduler: ${scheduler}
grid: all
slurm: {partition: ${partition}, time: 5, mem: 50M${more}}
parameters:
  x: {type: discrete, values: [1, 2, 3, 4]}
conditions:
  - {name: bigger, when: {x: [3, 4]}, slurm: {mem: 60M}}
`;
}

const LAUNCHER = `#!/bin/bash
echo "$HYPERHERD_TRIAL_ID" >> ledger.txt
`;

function ledger(sweep: Sweep): string[] {
  if (!existsSync(join(sweep.path, "ledger.txt"))) return [];
  return sweep.read("ledger.txt").trim().split("\n").sort();
}

/**
 * Runs a sweep of two arrays, kills `herd run` with SIGKILL, runs it again to
 * the end, and holds the trials' own ledger against what must be: each trial ran
 * exactly once, and all are completed.
 */
export async function killAndRecover(one: KillCase, place: Place = HERE): Promise<void> {
  const sweep = makeSweep(
    { yaml: yaml(one.scheduler, place), launcher: LAUNCHER },
    "herd-kill-",
  );
  try {
    const what = JSON.stringify(one);
    const fault = one.point === undefined ? {} : { HERD_FAULT: `${one.point}:${one.times}` };
    const killed = await herd(["run", sweep.path], {
      env: { ...place.env, ...fault },
      ...(one.point === undefined ? { timeoutMs: one.killAfterMs } : {}),
    });
    if (one.point !== undefined) assert.equal(killed.signal, "SIGKILL", what + killed.stderr);
    await finishOnce(sweep, what, place);
  } finally {
    sweep.remove();
  }
}

/** Runs the sweep to its end: each trial must have run exactly once. */
async function finishOnce(sweep: Sweep, what: string, { env }: Place): Promise<void> {
  const again = await herd(["run", sweep.path, "--wait"], { env, timeoutMs: 180_000 });
  assert.equal(again.code, 0, `${what}\n${again.stdout}\n${again.stderr}`);
  // Trials that the killed run had submitted are not watched by the second one.
  await untilStatus(sweep.path, ({ totals }) => totals["completed"] === 4, 90_000, env);
  assert.deepEqual(ledger(sweep), ["0", "1", "2", "3"], what);
}

/** The command that finds out what became of a killed one is killed in turn, at its mark or any time. */
export async function killRecovery(
  { scheduler, delayMs }: { scheduler: "local" | "slurm"; delayMs: number | undefined },
  place: Place = HERE,
): Promise<void> {
  const sweep = makeSweep({ yaml: yaml(scheduler, place), launcher: LAUNCHER }, "herd-kill-");
  const { env } = place;
  try {
    const first = await herd(["run", sweep.path], { env: { ...env, HERD_FAULT: "after-intent" } });
    assert.equal(first.signal, "SIGKILL", first.stderr);
    const second = await herd(["run", sweep.path], {
      env: { ...env, ...(delayMs === undefined ? { HERD_FAULT: "voided" } : {}) },
      ...(delayMs === undefined ? {} : { timeoutMs: delayMs }),
    });
    if (delayMs === undefined) assert.equal(second.signal, "SIGKILL", second.stderr);
    await finishOnce(sweep, `recovery killed ${delayMs ?? "at voided"}`, place);
  } finally {
    sweep.remove();
  }
}

/** sbatch itself dies, before, while or after it speaks with the controller. */
export async function killSbatch(
  { delayMs, times }: { delayMs: number; times: number },
  place: Place = HERE,
): Promise<void> {
  const sweep = makeSweep({ yaml: yaml("slurm", place), launcher: LAUNCHER }, "herd-kill-");
  try {
    const bin = join(sweep.path, "bin");
    mkdirSync(bin);
    writeFileSync(
      join(bin, "sbatch"),
      `#!/bin/bash
echo >> ${bin}/calls
if [ "$(wc -l < ${bin}/calls)" = ${times} ]; then
  (sleep ${(delayMs / 1000).toFixed(4)}; kill -KILL $$) >/dev/null 2>&1 &
fi
exec /usr/bin/sbatch "$@"
`,
    );
    chmodSync(join(bin, "sbatch"), 0o755);
    const env = { ...place.env, PATH: `${bin}:${process.env["PATH"]}` };
    const struck = await herd(["run", sweep.path], { env });
    // Too late to strike, or nobody knows: never a word of which herd would be sure and wrong.
    assert.ok(struck.code === 0 || struck.code === 4, `${struck.code} ${struck.stderr}`);
    await finishOnce(sweep, `sbatch ${times} killed after ${delayMs} ms`, place);
  } finally {
    sweep.remove();
  }
}

/** Runs until it is told to pause or stop, or for ever when there is no file "go". */
const PATIENT = `#!/bin/bash
echo "$HYPERHERD_TRIAL_ID" >> ledger.txt
until [ -e go ] || [ -e ".hyperherd/results/$HYPERHERD_TRIAL_ID/_signal" ]; do sleep 0.1; done
`;

/** A wish that was written down and not carried out is carried out by whatever command comes next. */
export async function killWish(
  { scheduler, verb, delayMs }: {
    scheduler: "local" | "slurm";
    verb: "stop" | "pause";
    delayMs: number | undefined;
  },
  place: Place = HERE,
): Promise<void> {
  const sweep = makeSweep({
    yaml: `${yaml(scheduler, place, ", max_concurrent: 2")}local: {slots: 2}\n`,
    launcher: PATIENT,
  }, "herd-kill-");
  const { env } = place;
  const chosen = verb === "stop" ? ["--all"] : ["-i", "0-3"];
  try {
    const what = `${verb} killed ${delayMs ?? "at its fault point"}`;
    const begun = await herd(["run", sweep.path], { env });
    assert.equal(begun.code, 0, what + begun.stderr);
    await untilStatus(sweep.path, ({ totals }) => totals["running"] === 2, 90_000, env);
    await until(() => Promise.resolve(ledger(sweep).length === 2), "two trials to begin");
    const point = `${verb === "stop" ? "stop" : "mark"}-intended`;
    const killed = await herd([verb, sweep.path, ...chosen], {
      env: { ...env, ...(delayMs === undefined ? { HERD_FAULT: point } : {}) },
      ...(delayMs === undefined ? {} : { timeoutMs: delayMs }),
    });
    if (delayMs === undefined) assert.equal(killed.signal, "SIGKILL", what + killed.stderr);
    else if (!sweep.read(".hyperherd/journal.jsonl").includes('"intent-set"')) {
      // Killed before anybody could know of the wish: then it is made again.
      const wished = await herd([verb, sweep.path, ...chosen], { env });
      assert.ok(wished.code === 0 || wished.code === 4, what + wished.stderr);
    }
    const aside = verb === "stop" ? "cancelled" : "paused";
    await untilStatus(sweep.path, ({ totals }) => totals[aside] === 4, 90_000, env);
    const ran = ledger(sweep);
    assert.deepEqual(ran, [...new Set(ran)], `${what}: nothing ran twice`);
    sweep.write("go", "");
    const on = verb === "stop"
      ? await herd(["run", sweep.path], { env })
      : await herd(["resume", sweep.path, "-i", "0-3"], { env });
    assert.equal(on.code, 0, what + on.stdout + on.stderr);
    await untilStatus(sweep.path, ({ totals }) => totals["completed"] === 4, 90_000, env);
    assert.deepEqual(ledger(sweep), [...ran, "0", "1", "2", "3"].sort(), what);
  } finally {
    await herd(["stop", sweep.path, "--all"], { env });
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
