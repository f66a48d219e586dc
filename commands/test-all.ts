import { EXIT } from "../lib/base/exit-codes.ts";
import { processors } from "../lib/base/machine.ts";
import type { SessionEnd } from "../lib/base/session.ts";
import { shownText } from "../lib/base/shown.ts";
import { count } from "../lib/base/text.ts";
import type { Outside } from "../lib/daemon/outside.ts";
import type { SweepFile } from "../lib/daemon/sweep-file.ts";
import type { SweepState } from "../lib/sweep/state.ts";
import type { Trial } from "../lib/sweep/trial.ts";
import { createKeeper, endingFields, endingText, exitCodeOf } from "./test-ending.ts";
import type { TestContext } from "./test-options.ts";

/** What is shown of a failed launcher's standard error. */
const STDERR_BYTES = 1000;

interface All {
  sweep: SweepFile;
  state: SweepState;
  trials: readonly Trial[];
  herd: string;
}

interface Outcome {
  trial: Trial;
  overrides: string;
  end: SessionEnd;
  stderr: string;
}

/** Checks every trial's configuration, several at once; the failed ones are told at the end. */
export async function testAll(
  context: TestContext,
  outside: Outside,
  { sweep, state, trials, herd }: All,
): Promise<number> {
  const { values, out, json, signal } = context;
  const { prepareTest, runTest } = await import("../lib/daemon/trial-test.ts");
  const timeoutMs = values.timeout === undefined ? undefined : Math.ceil(values.timeout * 1000);
  const outcomes: Outcome[] = [];
  const region = json ? undefined : out.live();
  const waiting = trials.values();

  async function work(): Promise<void> {
    for (const trial of waiting) {
      signal.throwIfAborted();
      const request = { trial, config: sweep.config, cfgJob: true, herd, state };
      const { overrides, ...test } = prepareTest(outside, request);
      const stderr = createKeeper(STDERR_BYTES);
      const end = await runTest({ overrides, ...test }, {
        timeoutMs,
        signal,
        onOutput: (stream, bytes) => stream === "stderr" && stderr.add(bytes),
      });
      signal.throwIfAborted();
      outcomes.push({ trial, overrides, end, stderr: stderr.text() });
      region?.draw([`Checked ${outcomes.length} of ${trials.length}`]);
    }
  }

  try {
    const abreast = Math.min(values.jobs ?? processors(), trials.length);
    await settled(Array.from({ length: abreast }, work));
  } finally {
    region?.end();
  }
  outcomes.sort((a, b) => a.trial.index - b.trial.index);
  const failed = outcomes.filter(({ end }) => exitCodeOf(end) !== 0);
  if (json) out.json(document(outcomes, failed.length));
  else print(context, failed, trials.length);
  return failed.length === 0 ? EXIT.done : EXIT.negative;
}

/** Waits for all, so that nothing is left running, then throws the first failure. */
async function settled(works: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(works)) {
    if (result.status === "rejected") throw result.reason;
  }
}

function document(outcomes: readonly Outcome[], failed: number): unknown {
  return {
    failed,
    tests: outcomes.map(({ trial, overrides, end, stderr }) => ({
      index: trial.index,
      experiment_name: trial.name,
      overrides,
      ...endingFields(end),
      stderr_tail: stderr,
    })),
  };
}

function print({ out }: TestContext, failed: readonly Outcome[], total: number): void {
  for (const { trial, end, stderr } of failed) {
    out.print(`${out.paint.red("✗")} ${trial.index}  ${trial.name}  ${endingText(end)}`);
    const text = shownText(stderr).trimEnd();
    for (const line of text === "" ? [] : text.split("\n")) out.print(`    ${line}`);
  }
  out.print(
    failed.length === 0
      ? `All ${count(total, "trial")} have a configuration that Hydra accepts`
      : `${failed.length} of ${count(total, "trial")} failed`,
  );
}
