import { existsSync } from "node:fs";
import { RefusedError, UserError } from "../lib/base/errors.ts";
import { compactRanges, shellQuote } from "../lib/base/text.ts";
import type { Outside } from "../lib/daemon/outside.ts";
import type { SweepFile } from "../lib/daemon/sweep-file.ts";
import type { SweepState } from "../lib/sweep/state.ts";
import type { Trial } from "../lib/sweep/trial.ts";
import { defineCommand } from "./command.ts";
import { openWorkspace, ownCommandLine, say } from "./open.ts";
import { remember } from "./remembered.ts";
import { smartWorkspace } from "./smart-workspace.ts";
import { testAll } from "./test-all.ts";
import { createKeeper, endingFields, endingText, exitCodeOf } from "./test-ending.ts";
import { TEST_OPTIONS } from "./test-options.ts";
import type { TestContext } from "./test-options.ts";

/** What `--json` keeps of each stream. */
const KEPT_BYTES = 64 * 1024;

export const command = defineCommand({
  name: "test",
  summary: "Run a trial's launcher here, as its job would",
  details:
    'Runs `bash LAUNCHER "OVERRIDES"` in the workspace with the environment that the job would\n' +
    'get, without SLURM, and exits with the launcher\'s own code; a launcher that uses "${@:2}"\n' +
    "gets each override by itself as well. A trial that was ever submitted is refused, since a\n" +
    "test would write into its outputs; --cfg-job, for trainers that use Hydra, runs nothing\n" +
    "and may be used on every trial. What the test logs is put away to .hyperherd/tests/INDEX/\n" +
    "afterwards and never counts as the trial's result; files that the trainer writes elsewhere,\n" +
    "such as checkpoints, stay where they are.",
  arguments: [
    { name: "WORKSPACE", optional: true, description: "Folder or YAML file; default ." },
    { name: "INDEX", optional: true, description: "The trial's index; default the first trial" },
  ],
  options: TEST_OPTIONS,
  examples: [
    { line: "herd test", meaning: "run the first trial on this machine" },
    { line: "herd test 3 --timeout 60", meaning: "see whether trial 3 gets under way" },
    { line: "herd test --cfg-job --all", meaning: "let Hydra check every trial's overrides" },
  ],
  async run(context) {
    const { positionals, cwd, values, out, clock } = context;
    const { workspace, index } = smartWorkspace(positionals, cwd);
    refuseMixes(context, index);
    // Ctrl-C ends the launcher; what it has logged is put away after that all the same.
    const unhurried = { ...context, signal: new AbortController().signal };
    const outside = await openWorkspace(unhurried, workspace);
    const { preflight } = await import("../lib/daemon/preflight.ts");
    const sweep = outside.sweep();
    for (const warning of preflight(outside, "local")) say(out, warning);
    const host = outside.host();
    if (host !== undefined) say(out, `The launcher runs here; jobs run it on "${host}"`);
    const { state } = remember(outside, clock.now());
    const trials = [...state.trials.values()].filter(({ dropped }) => dropped !== true)
      .sort((a, b) => a.index - b.index);
    const chosen = values.all ? trials : [trialOf(state, trials, index)];
    await prepareWorkspace(context, outside, { chosen, state });
    try {
      return values.all
        ? await testAll(context, outside, { sweep, state, trials, herd: herdPath() })
        : await testOne(context, outside, { sweep, state, trial: chosen[0]! });
    } finally {
      await putAway(context, outside, { chosen, state });
    }
  },
});

function refuseMixes({ values }: TestContext, index: number | undefined): void {
  if (values.all && !values["cfg-job"]) {
    throw new UserError("Cannot test every trial here: --all needs --cfg-job", {
      hint: "`herd run --local` runs all of them on this machine",
    });
  }
  if (values.all && index !== undefined) {
    throw new UserError(`Cannot test trial ${index} and all trials: leave out one of both`);
  }
  if (!values.all && values.jobs !== undefined) {
    throw new UserError("Cannot use --jobs without --all");
  }
}

/** By the trial's own index, which is no position in a list: indices have gaps once trials were dropped. */
function trialOf(
  state: SweepState,
  trials: readonly Trial[],
  index: number | undefined,
): Trial {
  const trial = index === undefined ? trials[0] : trials.find((one) => one.index === index);
  if (trial !== undefined) return trial;
  const known = compactRanges(trials.map((one) => one.index));
  const gone = index !== undefined && state.trials.has(index);
  throw new UserError(
    `Cannot test trial ${index}: ${
      gone ? "the YAML no longer contains it" : "the sweep has no such trial"
    }`,
    { hint: `Its trials are ${known}` },
  );
}

async function testOne(
  context: TestContext,
  outside: Outside,
  { sweep, state, trial }: { sweep: SweepFile; state: SweepState; trial: Trial },
): Promise<number> {
  const { values, out, json, signal } = context;
  const { prepareTest, runTest, wasSubmitted } = await import("../lib/daemon/trial-test.ts");
  const cfgJob = values["cfg-job"];
  if (wasSubmitted(state, trial.index) && !cfgJob) {
    throw new RefusedError(
      `Cannot test trial ${trial.index}: it was submitted before, and a test would write into its outputs`,
      {
        hint: "Test one that never ran, or use --cfg-job, which runs nothing",
        facts: { refused: "submitted", index: trial.index },
      },
    );
  }
  const test = prepareTest(outside, {
    trial,
    config: sweep.config,
    cfgJob,
    herd: herdPath(),
    state,
  });
  const kept = { stdout: createKeeper(KEPT_BYTES), stderr: createKeeper(KEPT_BYTES) };
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  const write = { stdout: out.write, stderr: out.writeError };
  if (!json) {
    const line = test.argv.slice(0, 3).map(shellQuote).join(" ");
    out.printError(out.errorPaint.dim(`Trial ${trial.index} (${trial.name}): ${line} …`));
  }
  const end = await runTest(test, {
    timeoutMs: milliseconds(values.timeout),
    signal,
    onOutput(stream, bytes) {
      if (json) kept[stream].add(bytes);
      else write[stream](decoders[stream].decode(bytes, { stream: true }));
    },
  });
  signal.throwIfAborted();
  const code = exitCodeOf(end);
  if (!json) {
    out.printError(out.errorPaint.dim(`Trial ${trial.index}: ${endingText(end)}`));
    return code;
  }
  out.json({
    index: trial.index,
    experiment_name: trial.name,
    overrides: test.overrides,
    command: test.argv,
    ...endingFields(end),
    stdout: kept.stdout.text(),
    stderr: kept.stderr.text(),
  });
  return code;
}

interface Chosen {
  chosen: readonly Trial[];
  state: SweepState;
}

/**
 * Trainers refuse to log where there is no manifest. The journal begins with
 * it, so that the manifest is never taken for one that HyperHerd left. What an
 * earlier test that was killed has logged is put away.
 */
async function prepareWorkspace(
  { clock, out }: TestContext,
  outside: Outside,
  { chosen, state }: Chosen,
): Promise<void> {
  const { hasResults, putResultsAway, resultsId } = await import("../lib/daemon/trial-test.ts");
  const ids = chosen.map(({ index }) => resultsId(state, index));
  const stale = ids.filter((id) => hasResults(outside.paths, id));
  const { manifest, journal } = outside.paths;
  const fresh = !existsSync(manifest) || !existsSync(journal);
  if (!fresh && stale.length === 0) return;
  await outside.change("test", (_perform, parts) => {
    if (fresh) parts.append([{ type: "noted", text: "test of a trial on this machine" }]);
    for (const id of stale) {
      const folder = putResultsAway(outside.paths, id, `before-${stamp(clock.now())}`);
      say(out, `Results that were there before trial ${id} ever ran are now in ${folder}`);
    }
    return Promise.resolve();
  }, { here: true });
}

async function putAway(
  { clock, out, json }: TestContext,
  outside: Outside,
  { chosen, state }: Chosen,
): Promise<void> {
  const { hasResults, putResultsAway, resultsId, wasSubmitted } = await import(
    "../lib/daemon/trial-test.ts"
  );
  const ids = new Map(chosen.map(({ index }) => [index, resultsId(state, index)]));
  const left = [...ids].filter(([, id]) => hasResults(outside.paths, id));
  if (left.length === 0) return;
  await outside.change("test", (_perform, parts) => {
    for (const [index, id] of left) {
      if (id === `${index}` && wasSubmitted(parts.state(), index)) {
        // Somebody submitted it meanwhile: what is there may be the job's.
        say(out, `Trial ${index} was submitted during the test: their results may be mixed`);
        continue;
      }
      const folder = putResultsAway(outside.paths, id, stamp(clock.now()));
      if (json) continue;
      say(
        out,
        `What the test of trial ${index} logged is in ${folder}; checkpoints that the trainer ` +
          "wrote elsewhere are still there and may be found by its real run",
      );
    }
    return Promise.resolve();
  }, { here: true });
}

/** Safe in a file's name. */
function stamp(at: number): string {
  return new Date(at).toISOString().replaceAll(":", "-");
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.ceil(seconds * 1000);
}

/** For trainers that call `herd log`; empty when this is no single file. */
function herdPath(): string {
  const line = ownCommandLine();
  return line.length === 1 ? line[0]! : "";
}
