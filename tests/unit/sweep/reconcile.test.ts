import { strict as assert } from "node:assert";
import { test } from "node:test";
import type { applyConditions } from "../../../lib/sweep/conditions.ts";
import type { Condition, Config, Parameter } from "../../../lib/sweep/config.ts";
import { parseCsv } from "../../../lib/sweep/csv.ts";
import { defineSweep } from "../../../lib/sweep/definition.ts";
import type { Definition } from "../../../lib/sweep/event.ts";
import { expand } from "../../../lib/sweep/expand.ts";
import { trialKey } from "../../../lib/sweep/identity.ts";
import { runDigest } from "../../../lib/sweep/overrides.ts";
import { reconcile } from "../../../lib/sweep/reconcile.ts";
import type { ExistingTrial, Reconciliation } from "../../../lib/sweep/reconcile.ts";
import type { Value } from "../../../lib/sweep/value.ts";
import { continuous, discrete, sampleConfig } from "../../support/sample-config.ts";

/** A workspace as the store would keep it: configurations are applied one after the other. */
interface Workspace {
  trials: Map<number, ExistingTrial>;
  definition: Definition | undefined;
  nextIndex: number;
}

type Apply = typeof applyConditions;
interface How {
  apply?: Apply;
  force?: boolean;
  csv?: string;
  carriedOver?: boolean;
}

function emptyWorkspace(): Workspace {
  return { trials: new Map(), definition: undefined, nextIndex: 0 };
}

function compare(workspace: Workspace, config: Config, how: How = {}): Reconciliation {
  const rows = how.csv === undefined ? undefined : parseCsv(how.csv, "t.csv");
  const { trials: planned, naming } = expand(config, rows, how.apply);
  return reconcile({
    existing: [...workspace.trials.values()],
    previous: workspace.definition,
    planned,
    next: defineSweep(config, rows),
    launcher: config.launcher,
    naming,
    nextIndex: workspace.nextIndex,
    carriedOver: how.carriedOver === true,
  });
}

function update(workspace: Workspace, config: Config, how: How = {}): Reconciliation {
  const result = compare(workspace, config, how);
  for (const { back, ...change } of result.redefined) {
    const old = workspace.trials.get(change.index)!;
    workspace.trials.set(change.index, {
      ...old,
      ...change,
      dropped: old.dropped === true && back !== true,
    });
  }
  for (const trial of result.added) {
    workspace.trials.set(trial.index, { ...trial, status: "ready", finished: false, live: false });
    workspace.nextIndex = trial.index + 1;
  }
  const gone = [
    ...result.dropped,
    ...(how.force === true ? result.refused.map(({ index }) => index) : []),
  ];
  for (const index of gone) workspace.trials.get(index)!.dropped = true;
  const rows = how.csv === undefined ? undefined : parseCsv(how.csv, "t.csv");
  workspace.definition = defineSweep(config, rows);
  return result;
}

function finish(workspace: Workspace, config: Config, ...indices: number[]): void {
  const chosen = indices.length > 0 ? indices : [...workspace.trials.keys()];
  for (const index of chosen) {
    const trial = workspace.trials.get(index)!;
    const { fixed } = workspace.definition!;
    Object.assign(trial, { finished: true, status: "completed" });
    trial.ran = { as: runDigest(trial, config), fixed };
  }
}

/** Four trials, lr × opt; all of them completed. */
function finishedSweep(more: Partial<Config> = {}): { workspace: Workspace; config: Config } {
  const config = sampleConfig({ parameters: base, staticOverrides: ["epochs=5"], ...more });
  const workspace = emptyWorkspace();
  update(workspace, config);
  finish(workspace, config);
  return { workspace, config };
}

const base: readonly Parameter[] = [
  discrete("lr", [0.1, 0.01], { default: 0.1 }),
  discrete("opt", ["adam", "sgd"], { default: "adam" }),
];

function summary(result: Reconciliation): Record<string, number> {
  const { kept, redefined, added, dropped, refused, drift } = result;
  return Object.fromEntries(
    Object.entries({ kept, redefined, added, dropped, refused, drift })
      .filter(([, list]) => list.length > 0).map(([name, list]) => [name, list.length]),
  );
}

function choices(workspace: Workspace): Readonly<Record<string, Value>>[] {
  return [...workspace.trials.values()].filter((t) => t.dropped !== true).map((t) => t.params);
}

test("a first run adds every trial from index 0 with keys and says nothing changed", () => {
  const workspace = emptyWorkspace();
  const result = update(workspace, sampleConfig({ parameters: base }));
  assert.deepEqual(summary(result), { added: 4 });
  assert.deepEqual(result.added.map(({ index }) => index), [0, 1, 2, 3]);
  assert.ok(result.added.every(({ key, params }) => key === trialKey(params)));
  assert.deepEqual(result.changes, []);
});

test("the same configuration again keeps every trial and changes nothing", () => {
  const { workspace, config } = finishedSweep();
  const result = compare(workspace, config);
  assert.deepEqual(summary(result), { kept: 4 });
  assert.deepEqual(result.changes, []);
});

test("a new value appends trials with fresh indices and keeps the others", () => {
  const { workspace, config } = finishedSweep();
  const parameters = [discrete("lr", [0.5, 0.1, 0.01], { default: 0.1 }), base[1]!];
  const result = compare(workspace, { ...config, parameters });
  assert.deepEqual(summary(result), { kept: 4, added: 2 });
  assert.deepEqual(result.added.map(({ index, params }) => [index, params["lr"]]), [
    [4, 0.5],
    [5, 0.5],
  ]);
});

test("a value that is gone drops what did not run and refuses what completed or is live", () => {
  const config = sampleConfig({ parameters: base });
  const workspace = emptyWorkspace();
  update(workspace, config);
  finish(workspace, config, 2);
  Object.assign(workspace.trials.get(3)!, { live: true, status: "running" });
  const parameters = [discrete("lr", [0.1], { default: 0.1 }), base[1]!];
  const result = compare(workspace, { ...config, parameters });
  assert.deepEqual(summary(result), { kept: 2, refused: 2 });
  assert.deepEqual(result.refused, [
    { index: 2, status: "completed" },
    { index: 3, status: "running" },
  ]);
  const other = sampleConfig({ parameters: [base[0]!, discrete("opt", ["sgd"])] });
  assert.deepEqual(compare(workspace, other).dropped, [0]);
});

test("an index is never used again, and a dropped trial that comes back keeps its own", () => {
  const config = sampleConfig({ parameters: base });
  const workspace = emptyWorkspace();
  update(workspace, config);
  const fewer = { ...config, parameters: [base[0]!, discrete("opt", ["adam"])] };
  assert.deepEqual(update(workspace, fewer).dropped, [1, 3]);
  assert.deepEqual(summary(compare(workspace, fewer)), { kept: 2 });
  const more = { ...config, parameters: [base[0]!, discrete("opt", ["adam", "lion", "sgd"])] };
  const result = update(workspace, more);
  assert.deepEqual(result.added.map(({ index }) => index), [4, 5]);
  assert.deepEqual(result.redefined.map(({ index, back }) => [index, back]), [[1, true], [
    3,
    true,
  ]]);
  assert.ok(result.changes.includes("2 dropped trials are back"));
  assert.deepEqual(summary(compare(workspace, more)), { kept: 6 });
});

test("G.1.14: a new parameter with one value keeps finished trials, and says that they ran without it", () => {
  const { workspace, config } = finishedSweep();
  const changed = { ...config, parameters: [...base, discrete("wd", [0.3])] };
  const result = update(workspace, changed);
  assert.deepEqual(summary(result), { kept: 4, redefined: 4, drift: 4 });
  assert.deepEqual(result.drift[0], { index: 0, what: ['"wd=0.3" is new'] });
  assert.match(result.changes[0]!, /^Parameter "wd" is new with 0\.3/);
  assert.deepEqual(choices(workspace)[0], { lr: 0.1, opt: "adam", wd: 0.3 });
  assert.equal(workspace.trials.get(0)!.name, "lr-0.1_opt-adam");
});

test("G.1.14: drift is told again on the next run, until it is accepted or the trial ran again", () => {
  const { workspace, config } = finishedSweep();
  const changed = { ...config, parameters: [...base, discrete("wd", [0.3])] };
  update(workspace, changed);
  const again = compare(workspace, changed);
  assert.deepEqual(summary(again), { kept: 4, drift: 4 });
  assert.deepEqual(again.drift[0]!.what, [
    "it ran under an older configuration with other overrides or another launcher",
  ]);
  const [first, second] = [workspace.trials.get(0)!, workspace.trials.get(1)!];
  first.accepted = workspace.definition!.fixed;
  second.accepted = runDigest(second, changed);
  finish(workspace, changed, 2);
  assert.deepEqual(compare(workspace, changed).drift.map(({ index }) => index), [3]);
});

test("G.1.14: what a trial was given, when it is known, explains drift precisely", () => {
  const { workspace, config } = finishedSweep();
  const given = workspace.trials.get(0)!.params;
  const changed = { ...config, parameters: [...base, discrete("wd", [0.3])] };
  update(workspace, changed);
  const trial = workspace.trials.get(0)!;
  trial.ran = { ...trial.ran, params: given };
  assert.deepEqual(compare(workspace, changed).drift[0]!.what, ['"wd=0.3" is new']);
});

test("G.1.14: a new parameter with a default and more values keeps the old trials at the default", () => {
  const { workspace, config } = finishedSweep();
  const wd = discrete("wd", [0, 0.3], { default: 0.3 });
  const result = compare(workspace, { ...config, parameters: [...base, wd] });
  assert.deepEqual(summary(result), { kept: 4, redefined: 4, added: 4, drift: 4 });
  assert.ok(result.redefined.every(({ params }) => params["wd"] === 0.3));
  assert.ok(result.added.every(({ params }) => params["wd"] === 0));
});

test("a new parameter with several values and no default matches nothing, and says so", () => {
  const { workspace, config } = finishedSweep();
  const result = compare(workspace, { ...config, parameters: [...base, discrete("wd", [0, 0.3])] });
  assert.deepEqual(summary(result), { added: 8, refused: 4 });
  assert.match(result.changes[0]!, /"wd" is new without a default/);
});

test("a new parameter without a default matches where conditions leave one value", () => {
  const { workspace, config } = finishedSweep();
  const apply: Apply = (_, params) =>
    params["opt"] === "adam" && params["wd"] !== 0
      ? { excludedBy: "adam has none" }
      : { params, extras: {}, resources: {}, conditions: [] };
  const changed = {
    ...config,
    parameters: [...base, discrete("wd", [0, 0.3])],
    conditions: [condition],
  };
  const result = compare(workspace, changed, { apply });
  assert.deepEqual(summary(result), { kept: 2, redefined: 2, added: 4, refused: 2, drift: 2 });
  assert.ok(result.redefined.every(({ params }) => params["wd"] === 0 && params["opt"] === "adam"));
});

test("G.1.14: a removed parameter keeps the trials at its default and lets go of the others", () => {
  const { workspace, config } = finishedSweep();
  const result = update(workspace, { ...config, parameters: [base[0]!] }, { force: true });
  assert.deepEqual(summary(result), { kept: 2, redefined: 2, refused: 2, drift: 2 });
  assert.deepEqual(result.drift[0]!.what, ['"opt=adam" is no longer given']);
  assert.match(result.changes[0]!, /"opt" is gone: trials that have "adam" for it stay/);
  assert.deepEqual(choices(workspace), [{ lr: 0.1 }, { lr: 0.01 }]);
});

test("a parameter that was removed and is back finds all its trials again", () => {
  const { workspace, config } = finishedSweep();
  update(workspace, { ...config, parameters: [base[0]!] }, { force: true });
  const result = update(workspace, config);
  assert.deepEqual(summary(result), { kept: 4, redefined: 4 });
  assert.deepEqual(summary(compare(workspace, config)), { kept: 4 });
});

test("a parameter that moves into the static overrides keeps exactly the trials that ran so", () => {
  const { workspace, config } = finishedSweep();
  const staticOverrides = ["epochs=5", "opt=sgd"];
  const result = compare(workspace, { ...config, parameters: [base[0]!], staticOverrides });
  assert.deepEqual(summary(result), { kept: 2, redefined: 2, refused: 2 });
  assert.deepEqual(result.kept.map(({ index }) => index), [1, 3]);
});

test("a static override that becomes a parameter counts as what it was, not as the new default", () => {
  const { workspace, config } = finishedSweep();
  const epochs = discrete("epochs", [3, 5], { default: 3 });
  const changed = { ...config, parameters: [...base, epochs], staticOverrides: [] };
  const result = compare(workspace, changed);
  assert.deepEqual(summary(result), { kept: 4, redefined: 4, added: 4 });
  assert.ok(result.redefined.every(({ params }) => params["epochs"] === 5));
  const without = { ...changed, parameters: [...base, discrete("epochs", [3, 4], { default: 3 })] };
  assert.deepEqual(summary(compare(workspace, without)), { added: 8, refused: 4 });
});

test("G.1.14: another abbreviation keeps the trials and their names, and says so", () => {
  const { workspace, config } = finishedSweep();
  const parameters = [{ ...base[0]!, abbrev: "rate" }, base[1]!];
  const result = compare(workspace, { ...config, parameters });
  assert.deepEqual(summary(result), { kept: 4 });
  assert.deepEqual(result.changes, [
    "Each of 4 trials keeps the name under which it was made, " +
    'such as "lr-0.1_opt-adam" (today "rate-0.1_opt-adam")',
  ]);
});

test("G.1.14: another static override re-runs nothing and equates nothing silently", () => {
  const { workspace, config } = finishedSweep();
  const changed = { ...config, staticOverrides: ["epochs=9", "amp=true"] };
  const result = update(workspace, changed);
  assert.deepEqual(summary(result), { kept: 4, drift: 4 });
  assert.deepEqual(result.drift[0]!.what, ['"epochs" was "5", is "9"', '"amp=true" is new']);
  assert.match(result.changes[0]!, /"epochs=9" is new, "amp=true" is new, "epochs=5" is gone/);
  assert.equal(compare(workspace, changed).drift.length, 4);
  assert.equal(compare(workspace, config).drift.length, 0);
});

test("trials that never ran do not drift", () => {
  const workspace = emptyWorkspace();
  const config = sampleConfig({ parameters: base });
  update(workspace, config);
  const result = compare(workspace, { ...config, staticOverrides: ["epochs=9"] });
  assert.deepEqual(summary(result), { kept: 4 });
});

test("another launcher is drift, also together with other static overrides", () => {
  const { workspace, config } = finishedSweep();
  const result = compare(workspace, { ...config, launcher: "./other.sh" });
  assert.deepEqual(result.drift[0]!.what, ["the launcher was another one"]);
  assert.deepEqual(result.changes, ['The launcher changed: it is "./other.sh" now']);
  const both = compare(workspace, { ...config, launcher: "./other.sh", staticOverrides: [] });
  assert.deepEqual(both.drift[0]!.what, [
    '"epochs=5" is no longer given',
    "the launcher was another one",
  ]);
});

test("static overrides in another order are said, and are no drift", () => {
  const { workspace, config } = finishedSweep({ staticOverrides: ["a=1", "b=2"] });
  const result = compare(workspace, { ...config, staticOverrides: ["b=2", "a=1"] });
  assert.deepEqual(summary(result), { kept: 4 });
  assert.deepEqual(result.changes, ["Static overrides changed: their order is another one"]);
});

test("G.1.14: another `set` value redefines trials, and is drift for those that ran", () => {
  const setting = (wd: number): Apply => (_, params) => ({
    params,
    extras: params["opt"] === "sgd" ? { wd } : {},
    resources: {},
    conditions: params["opt"] === "sgd" ? ["sgd decays"] : [],
  });
  const config = sampleConfig({ parameters: base, conditions: [condition] });
  const workspace = emptyWorkspace();
  update(workspace, config, { apply: setting(0.1) });
  finish(workspace, config, 1);
  assert.deepEqual(summary(compare(workspace, config, { apply: setting(0.1) })), { kept: 4 });
  const result = compare(workspace, config, { apply: setting(0.2) });
  assert.deepEqual(summary(result), { kept: 4, redefined: 2, drift: 1 });
  assert.deepEqual(result.drift, [{ index: 1, what: ['"wd" was "0.1", is "0.2"'] }]);
  assert.ok(result.changes.includes("What conditions set is another for 2 trials"));
});

test("other resources redefine trials and are no drift", () => {
  const asking = (memoryMiB: number): Apply => (_, params) => ({
    params,
    extras: {},
    resources: { memoryMiB, partition: undefined },
    conditions: ["big"],
  });
  const config = sampleConfig({ parameters: base, conditions: [condition] });
  const workspace = emptyWorkspace();
  update(workspace, config, { apply: asking(1000) });
  finish(workspace, config);
  assert.deepEqual(summary(compare(workspace, config, { apply: asking(1000) })), { kept: 4 });
  const result = compare(workspace, config, { apply: asking(2000) });
  assert.deepEqual(summary(result), { kept: 4, redefined: 4 });
});

test("a Hydra prefix that changes is the same parameter; one that takes away is another", () => {
  const { workspace, config } = finishedSweep();
  const written = (name: string) => ({
    ...config,
    parameters: [discrete(name, [0.1, 0.01], { default: 0.1, abbrev: "lr" }), base[1]!],
  });
  const result = compare(workspace, written("++lr"));
  assert.deepEqual(summary(result), { kept: 4, redefined: 4 });
  assert.deepEqual(result.changes, ['Parameter "lr" is written "++lr" now']);
  assert.equal(compare(workspace, written("~lr")).drift[0]!.what.length, 2);
});

test("repeats: added ones match only a single seed, more of them append, fewer of them drop", () => {
  const { workspace, config } = finishedSweep();
  const repeated = (count: number) => ({
    ...config,
    repeats: { count, parameter: "seed", first: 0 },
  });
  assert.deepEqual(summary(compare(workspace, repeated(3))), { added: 12, refused: 4 });
  const one = update(workspace, repeated(1));
  assert.deepEqual(summary(one), { kept: 4, redefined: 4, drift: 4 });
  assert.deepEqual(summary(update(workspace, repeated(3))), { kept: 4, added: 8, drift: 4 });
  assert.deepEqual(summary(compare(workspace, repeated(1))), { kept: 4, dropped: 8, drift: 4 });
  const gone = compare(workspace, config);
  assert.deepEqual(summary(gone), { added: 4, dropped: 8, refused: 4 });
});

test("a discretised float that older versions wrote with noise is the same trial", () => {
  const config = sampleConfig({ parameters: [continuous("x", 0, 0.4, { steps: 5 })] });
  const workspace = emptyWorkspace();
  update(workspace, config);
  for (const trial of workspace.trials.values()) {
    const x = (trial.params["x"] as number) * (1 + 2 ** -52);
    Object.assign(trial, { params: { x }, key: trialKey({ x }) });
  }
  assert.deepEqual(summary(compare(workspace, config)), { kept: 5 });
});

test("numbers that HyperHerd kept as text match only in a workspace that it made", () => {
  const workspace = emptyWorkspace();
  update(workspace, sampleConfig({ parameters: [discrete("lr", ["1e-3", "1e-4"])] }));
  finish(workspace, sampleConfig(), 0, 1);
  for (const trial of workspace.trials.values()) trial.ran = undefined;
  workspace.definition = undefined;
  const config = sampleConfig({ parameters: [discrete("lr", [0.001, 0.0001])] });
  assert.deepEqual(summary(compare(workspace, config)), { added: 2, refused: 2 });
  const result = compare(workspace, config, { carriedOver: true });
  assert.deepEqual(summary(result), { kept: 2, redefined: 2 });
  assert.equal(result.redefined[0]!.key, trialKey({ lr: 0.001 }));
});

test('1 and "1" are not equated when a configuration changes from one to the other', () => {
  const workspace = emptyWorkspace();
  const config = sampleConfig({ parameters: [discrete("n", ["1", "2"])] });
  update(workspace, config);
  const result = compare(workspace, { ...config, parameters: [discrete("n", [1, 2])] });
  assert.deepEqual(summary(result), { added: 2, dropped: 2 });
});

test("G.1.13: a new trial never gets the name of another one, not even of a dropped one", () => {
  const workspace = emptyWorkspace();
  const values = (...lr: number[]) => sampleConfig({ parameters: [discrete("lr", lr)] });
  update(workspace, values(0.12341));
  assert.equal(workspace.trials.get(0)!.name, "lr-0.1234");
  update(workspace, values(0.12343));
  assert.equal(workspace.trials.get(1)!.name, "lr-0.12343");
  update(workspace, values(0.12341, 0.12344));
  const names = [...workspace.trials.values()].map(({ name }) => name);
  assert.deepEqual(names, ["lr-0.1234", "lr-0.12343", "lr-0.12344"]);
  assert.equal(workspace.trials.get(0)!.dropped, false);
});

test("csv: a new column with the same value everywhere is a default, other rows append", () => {
  const config = sampleConfig({ trialsFile: "t.csv" });
  const workspace = emptyWorkspace();
  update(workspace, config, { csv: "a\n1\n2\n" });
  finish(workspace, config);
  const result = update(workspace, config, { csv: "a,b\n1,x\n2,x\n3,x\n" });
  assert.deepEqual(summary(result), { kept: 2, redefined: 2, added: 1, drift: 2 });
  assert.deepEqual(summary(update(workspace, config, { csv: "a\n3\n2\n1\n" })), {
    kept: 3,
    redefined: 3,
  });
});

test("what is asked twice is answered alike, and the inputs are left as they were", () => {
  const { workspace, config } = finishedSweep();
  const changed = { ...config, parameters: [...base, discrete("wd", [0, 1], { default: 0 })] };
  const before = structuredClone(workspace);
  const first = compare(workspace, changed);
  assert.deepEqual(compare(workspace, changed), first);
  assert.deepEqual(workspace, before);
});

test("over random edits every trial has one fate, and indices and names stay unique", () => {
  let state = 5;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const workspace = emptyWorkspace();
  for (let round = 0; round < 200; round++) {
    const parameters = ["a", "b", "c", "d"].filter((_, i) => i === 0 || random() < 0.6).map(
      (name) => {
        const values = [1, 2, 3, "2", 2.00001].filter(() => random() < 0.6);
        if (values.length === 0) values.push(1);
        const standard = random() < 0.7 ? { default: values[0]! } : {};
        return discrete(name, values, { ...standard, abbrev: random() < 0.5 ? "p" : name });
      },
    );
    const staticOverrides = ["a=1", "b=2", "s=3"].filter(() => random() < 0.3);
    const config = sampleConfig({ parameters, staticOverrides });
    const planned = expand(config).trials;
    const active = [...workspace.trials.values()].filter((t) => t.dropped !== true).length;
    const result = update(workspace, config, { force: true });
    const back = result.redefined.filter((trial) => trial.back === true).length;
    const { kept, added, dropped, refused } = result;
    assert.equal(kept.length + added.length, planned.length);
    assert.equal(kept.length - back + dropped.length + refused.length, active);
    assert.equal(new Set(kept.map(({ index }) => index)).size, kept.length);
    const names = [...workspace.trials.values()].map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    const keys = choices(workspace).map(trialKey).sort();
    assert.deepEqual(keys, planned.map(({ params }) => trialKey(params)).sort());
    for (const { index } of [...kept, ...added]) {
      if (random() < 0.3) finish(workspace, config, index);
    }
  }
  assert.ok(workspace.nextIndex > 500);
});

test("100,000 finished trials are compared with a changed configuration in seconds", () => {
  const parameters = [
    continuous("lr", 1e-5, 0.1, { scale: "log", steps: 100 }),
    continuous("wd", 0, 1, { steps: 100 }),
    discrete("seed", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
  ];
  const config = sampleConfig({ parameters, staticOverrides: ["epochs=5"] });
  const workspace = emptyWorkspace();
  update(workspace, config);
  finish(workspace, config);
  const changed = {
    ...config,
    parameters: [...parameters, discrete("amp", [true, false], { default: false })],
    staticOverrides: ["epochs=6"],
  };
  const started = Date.now();
  const result = compare(workspace, changed);
  const took = Date.now() - started;
  assert.deepEqual(summary(result), { kept: 1e5, redefined: 1e5, added: 1e5, drift: 1e5 });
  assert.ok(took < 20_000, `took ${took} ms`);
});

const condition: Condition = {
  name: "c",
  when: [],
  exclude: {},
  force: {},
  set: {},
  slurm: {},
};
