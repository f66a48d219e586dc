import { wasSubmitted } from "../actions/plan-jobs.ts";
import { runSession } from "../base/session.ts";
import type { SessionEnd, SessionOptions } from "../base/session.ts";
import type { Config } from "../sweep/config.ts";
import { overrideString, overrideTokens } from "../sweep/overrides.ts";
import { effectiveResources } from "../sweep/resource-text.ts";
import type { SweepState } from "../sweep/state.ts";
import type { Trial } from "../sweep/trial.ts";
import { asksForTokens, readLauncher } from "./launcher-text.ts";
import type { Outside } from "./outside.ts";

export { wasSubmitted } from "../actions/plan-jobs.ts";
export { hasResults, putResultsAway } from "../store/put-away.ts";

/** A launcher's command line and surroundings, as the trial's job would have them. */
export interface TrialTest {
  argv: readonly string[];
  overrides: string;
  cwd: string;
  env: Readonly<Record<string, string>>;
}

export interface TestRequest {
  trial: Trial;
  config: Config;
  /** Hydra is to print the configuration and to run nothing. */
  cfgJob: boolean;
  /** Path of this program for trainers; empty when it is no single file. */
  herd: string;
  state: SweepState;
}

/** Under which name in `results` a test of this trial logs. */
export function resultsId(state: SweepState, index: number): string {
  return wasSubmitted(state, index) ? `test-${index}` : `${index}`;
}

/** What Hydra takes as: print the resolved configuration, run nothing. */
const CFG_JOB = ["--cfg", "job", "--resolve"];

/**
 * A trial that was submitted is only ever asked for its configuration. Should
 * its trainer know nothing of `--cfg` and train, then what it logs goes to
 * `results/test-<index>`, which no command reads, and not to the trial's own.
 */
export function prepareTest(outside: Outside, request: TestRequest): TrialTest {
  const { trial, config, cfgJob, herd, state } = request;
  const tokens = overrideTokens(trial, config.staticOverrides);
  if (cfgJob) tokens.push(...CFG_JOB);
  const overrides = overrideString(tokens);
  const { environment } = outside.compose({
    scheduler: "local",
    submission: "test",
    jobName: "test",
    config,
    batch: {
      resources: effectiveResources(config.slurm, trial.resources),
      base: 0,
      indices: [trial.index],
      throttle: undefined,
      after: undefined,
    },
    rows: [{ task: trial.index, trial: trial.index, attempt: 1, name: trial.name, tokens }],
  }).request;
  const launcher = config.launcher.startsWith("-") ? `./${config.launcher}` : config.launcher;
  const wantsTokens = asksForTokens(readLauncher(outside.paths.root, config.launcher));
  return {
    argv: ["bash", launcher, overrides, ...wantsTokens ? tokens : []],
    overrides,
    cwd: outside.paths.root,
    env: {
      ...environment,
      HYPERHERD_WORKSPACE: outside.paths.root,
      HYPERHERD_SWEEP_NAME: config.name,
      HYPERHERD_TRIAL_ID: resultsId(state, trial.index),
      HYPERHERD_TRIAL_NAME: trial.name,
      HYPERHERD_EXPERIMENT_NAME: trial.name,
      HERD_ATTEMPT: "0",
      HERD_RESTART: "0",
      HERD_BIN: herd,
    },
  };
}

export function runTest(
  test: TrialTest,
  options: Pick<SessionOptions, "timeoutMs" | "signal" | "onOutput">,
): Promise<SessionEnd> {
  return runSession(test.argv, { ...options, cwd: test.cwd, env: test.env });
}
