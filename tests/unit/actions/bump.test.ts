import assert from "node:assert/strict";
import { test } from "node:test";
import { bump } from "../../../lib/actions/bump.ts";
import type { BumpResult } from "../../../lib/actions/bump.ts";
import { planJobs, resourcesOf } from "../../../lib/actions/plan-jobs.ts";
import { expand } from "../../../lib/sweep/expand.ts";
import type { Bump } from "../../../lib/sweep/monitor-event.ts";
import { readConfig } from "../../../lib/sweep/read-config.ts";
import { planRun } from "../../../lib/sweep/run-plan.ts";
import type { RunPlan } from "../../../lib/sweep/run-plan.ts";
import type { SweepState } from "../../../lib/sweep/state.ts";
import { createActing, LIMITS } from "../../support/acting.ts";
import type { Acting } from "../../support/acting.ts";
import { add, stateOf, submittedSweep } from "../../support/journal-of.ts";
import { sampleConfig } from "../../support/sample-config.ts";

const YAML = `# my sweep
name: sweep
launcher: ./train.sh
grid: all
slurm:
  mem: 8G      # per node
  time: "60"
parameters:
  lr: {type: discrete, abbrev: lr, values: [1, 2]}
`;

const MEMORY: Bump = {
  id: "b1",
  what: "memory",
  failure: "out-of-memory",
  from: 8192,
  to: 12_288,
  trials: "sweep",
};
const TIME: Bump = { ...MEMORY, id: "b2", what: "time", failure: "timeout", from: 3600, to: 5400 };

interface Bumping extends Acting {
  state: SweepState;
  bump(bump: Bump): BumpResult;
  refused(bump: Bump): string;
}

function bumping(yaml = YAML): Bumping {
  const state = stateOf(submittedSweep(3));
  const acting = createActing(state);
  acting.parts.files.replaceConfigText(yaml);
  return {
    ...acting,
    state,
    bump(wanted) {
      const result = bump(acting.parts, { bump: wanted });
      assert.ok(result.done, "reason" in result ? result.reason : "");
      return result;
    },
    refused(wanted) {
      const result = bump(acting.parts, { bump: wanted });
      assert.ok(!result.done);
      return result.reason;
    },
  };
}

/** Ends the verb at a point, as a kill would. */
function cutOffAt(acting: Acting, point: string, wanted: Bump): void {
  const parts = {
    ...acting.parts,
    fault(at: string) {
      if (at === point) throw new Error("killed");
    },
  };
  assert.throws(() => bump(parts, { bump: wanted }), /killed/);
}

test("A bump of the sweep changes the YAML's value and nothing else of it", () => {
  const { parts, state, ...acting } = bumping();
  assert.equal(acting.bump(MEMORY).text, "slurm.mem went from 8G to 12G");
  assert.equal(acting.bump(TIME).how, "edited");
  const text = parts.files.readConfigText();
  assert.match(text, /^# my sweep\nname: sweep\nlauncher: /);
  assert.match(text, / {2}mem: 12G +# per node\n/);
  const { config } = readConfig(text, { file: "hyperherd.yaml" });
  assert.deepEqual([config.slurm.memoryMiB, config.slurm.timeSeconds], [12_288, 5400]);
  assert.deepEqual(state.monitor.bumps.map(({ id, applied }) => [id, applied]), [
    ["b1", true],
    ["b2", true],
  ]);
});

test("G.1.10: 8G, 1500MB, 60 and 1-12 are bumped to what they mean", () => {
  const cases: [string, Bump, number | null][] = [
    ["mem: 8G", MEMORY, 12_288],
    ["mem: 1500MB", { ...MEMORY, from: 1500, to: 2250 }, 2250],
    ["time: 60", TIME, 5400],
    ["time: 1-12", { ...TIME, from: 129_600, to: 194_400 }, 194_400],
  ];
  for (const [line, wanted, to] of cases) {
    const acting = bumping(`name: sweep\nlauncher: ./t.sh\ngrid: all\nslurm:\n  ${line}\n`);
    acting.bump(wanted);
    const text = acting.parts.files.readConfigText();
    const { slurm } =
      readConfig(`${text}parameters: {lr: {type: discrete, abbrev: lr, values: [1]}}\n`, {
        file: "x",
      }).config;
    assert.equal(wanted.what === "memory" ? slurm.memoryMiB : slurm.timeSeconds, to, line);
  }
});

test("A YAML without the key, or without the section, gets it", () => {
  for (const yaml of ["name: sweep\nslurm:\n  partition: gpu\n", "name: sweep\n"]) {
    const acting = bumping(yaml);
    assert.equal(acting.bump(MEMORY).how, "edited");
    assert.match(
      acting.parts.files.readConfigText(),
      /slurm:\n( {2}partition: gpu\n)? {2}mem: 12G\n/,
    );
  }
});

test("A second call with the same id does nothing more", () => {
  const acting = bumping();
  acting.bump(MEMORY);
  acting.parts.files.replaceConfigText(YAML.replace("8G", "10G"));
  assert.equal(acting.bump(MEMORY).how, "had");
  assert.match(acting.parts.files.readConfigText(), /mem: 10G/);
  assert.equal(acting.state.monitor.bumps.length, 1);
});

test("Cut off anywhere, the same call completes it and writes it down once", () => {
  for (const [point, how] of [["bump-intended", "edited"], ["bump-edited", "had"]] as const) {
    const acting = bumping();
    cutOffAt(acting, point, MEMORY);
    assert.equal(acting.state.monitor.bumps[0]?.applied, false);
    assert.equal(acting.bump(MEMORY).how, how);
    assert.match(acting.parts.files.readConfigText(), /mem: 12G/);
    assert.deepEqual(acting.state.monitor.bumps.map(({ applied }) => applied), [true]);
  }
});

test("What a person wrote after a crash stays, lower or higher", () => {
  for (const mine of ["4G", "10G", "64G", "0"]) {
    const acting = bumping();
    cutOffAt(acting, "bump-intended", MEMORY);
    acting.parts.files.replaceConfigText(YAML.replace("8G", mine));
    const { how, text } = acting.bump(MEMORY);
    assert.equal(how, "left");
    assert.match(text, /stays at (4G|10G|64G|all of a node) as somebody wrote it/);
    assert.equal(acting.parts.files.readConfigText(), YAML.replace("8G", mine));
    assert.equal(acting.state.monitor.bumps[0]?.applied, true);
  }
});

test("A bump from a value that the YAML does not have is refused and leaves no trace", () => {
  const acting = bumping(YAML.replace("8G", "16G"));
  assert.equal(
    acting.refused(MEMORY),
    "Cannot bump slurm.mem from 8G: the YAML says 16G now",
  );
  assert.match(acting.refused({ ...MEMORY, from: 16_384, to: 16_384 }), /16G is no more than that/);
  assert.match(acting.refused({ ...MEMORY, trials: [] }), /name at least one/);
  assert.throws(() => acting.refused({ ...MEMORY, trials: [77] }), /Cannot find trial 77/);
  assert.deepEqual(acting.state.monitor.bumps, []);
});

test("A YAML that cannot be read or edited is left alone, and so is the journal", () => {
  for (const yaml of ["name: [\n", "slurm: {mem: much}\n", "slurm: 3\n"]) {
    const acting = bumping(yaml);
    assert.throws(() => bump(acting.parts, { bump: MEMORY }), { name: "UserError" });
    assert.equal(acting.parts.files.readConfigText(), yaml);
    assert.deepEqual(acting.state.monitor.bumps, []);
  }
});

test("A bump for some trials is written down and raises what they ask for, and no other", () => {
  const acting = bumping();
  const { how, text } = acting.bump({ ...MEMORY, trials: [0, 2] });
  assert.equal(how, "noted");
  assert.match(text, /^2 trials \(0,2\) ask for memory of 12G/);
  assert.equal(acting.parts.files.readConfigText(), YAML);
  acting.bump({ ...TIME, trials: [2] });
  const config = sampleConfig({ slurm: { ...sampleConfig().slurm, memoryMiB: 8192 } });
  const { jobs } = planJobs(acting.parts, {
    state: acting.state,
    config,
    indices: [0, 1, 2],
    limits: LIMITS,
    scheduler: "slurm",
    maxConcurrent: undefined,
  });
  const asked = jobs.map(({ batch }) => [
    batch.indices,
    batch.resources.memoryMiB,
    batch.resources.timeSeconds,
  ]);
  assert.deepEqual(asked, [[[0], 12_288, 3600], [[1], 8192, 3600], [[2], 12_288, 5400]]);
});

test("Of YAML, condition and bump the most counts; all of a node and no limit are most", () => {
  const bumps = [{ ...MEMORY, trials: [1], applied: true }, {
    ...TIME,
    trials: [1],
    applied: true,
  }];
  const of = (memoryMiB: number, timeSeconds: number | null, applied = true) => {
    const config = sampleConfig({ slurm: { ...sampleConfig().slurm, timeSeconds } });
    const made = resourcesOf(
      config,
      { index: 1, resources: { memoryMiB } },
      bumps.map((one) => ({ ...one, applied })),
    );
    return [made.memoryMiB, made.timeSeconds];
  };
  assert.deepEqual(of(4096, 3600), [12_288, 5400]);
  assert.deepEqual(of(20_480, 7200), [20_480, 7200]);
  assert.deepEqual(of(0, null), [0, null]);
  assert.deepEqual(of(4096, 3600, false), [4096, 3600]);
});

test("Another slurm.mem makes no trial changed: completed ones stay, only the failed one runs", () => {
  const before = readConfig(YAML, { file: "x" }).config;
  const first = planOf(stateOf([]), before);
  const state = stateOf([...first.happenings, {
    type: "submission-intended",
    submission: "s1",
    scheduler: "slurm",
    jobName: "j",
    fixed: first.definition.fixed,
    tasks: [0, 1].map((trial) => ({ task: trial, trial, attempt: 1, as: "of another herd" })),
    timeSeconds: 3600,
  }, { type: "submission-accepted", submission: "s1", jobId: "7" }]);
  for (const [task, cause] of [[0, "completed"], [1, "out-of-memory"]] as const) {
    const ending = { cause, exitCode: undefined, signal: undefined, source: "scheduler" } as const;
    const change = { submission: "s1", task, phase: "ended", ending } as const;
    add(state, { type: "attempts-changed", changes: [change] }, 9);
    const as = planJobs(createActing(state).parts, {
      state,
      config: before,
      indices: [task],
      limits: LIMITS,
      scheduler: "slurm",
      maxConcurrent: undefined,
    }).jobs[0]!.tasks[0]!.as;
    state.ranAs.set(`s1/${task}`, as);
  }
  const acting = createActing(state);
  acting.parts.files.replaceConfigText(YAML);
  assert.ok(bump(acting.parts, { bump: MEMORY }).done);
  const after = readConfig(acting.parts.files.readConfigText(), { file: "x" }).config;
  assert.equal(after.slurm.memoryMiB, 12_288);
  const second = planOf(state, after);
  assert.deepEqual([second.happenings, second.changes, second.submit], [[], [], [1]]);
  assert.deepEqual(second.reconciliation.drift, []);
  // The same with an edit that does change it, so that the check above can fail.
  assert.notDeepEqual(planOf(state, { ...after, staticOverrides: ["a=1"] }).happenings, []);
});

function planOf(state: SweepState, config: Parameters<typeof expand>[0]): RunPlan {
  const request = {
    indices: undefined,
    pins: [],
    force: false,
    skip: false,
    changed: "keep",
  } as const;
  const plan = planRun({ state, config, expansion: expand(config), rows: undefined, request });
  assert.ok(!("refused" in plan));
  return plan;
}
