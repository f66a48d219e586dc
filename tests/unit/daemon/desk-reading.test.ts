import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { MetricDocument, TrialDocument } from "../../../lib/actions/desk.ts";
import { UserError } from "../../../lib/base/errors.ts";
import { createDeskReading } from "../../../lib/daemon/desk-reading.ts";
import type { DeskReadingParts } from "../../../lib/daemon/desk-reading.ts";
import type { Estimate, Scheduler, TaskRef } from "../../../lib/schedulers/scheduler.ts";
import { workspacePaths } from "../../../lib/store/paths.ts";
import type { SweepState } from "../../../lib/sweep/state.ts";
import { add, stateOf, submittedSweep } from "../../support/journal-of.ts";
import { inWorkspace } from "../../support/query-workspace.ts";
import { tickNumber } from "../../support/scripted-desk.ts";
import { inFolder } from "../../support/store-folder.ts";

const YAML = `
name: t
scheduler: local
launcher: launch.sh
grid: all
parameters:
  lr: {type: discrete, values: [0.1, 0.2, 0.3]}
  opt: {type: discrete, values: [sgd, adam], default: sgd}
conditions:
  - {name: big, when: {lr: {gt: 0.2}}, set: {wd: {expr: "lr * 2"}}}
successive_halving: {metric: acc, direction: max, min_steps: 1, budget: 4}
`;
const NOW = 1_700_000_200_000;
const FACTS = {
  model: { name: "m", ok: true, detail: "" },
  budget: { tick: 1, day: 10, sweep: 100 },
};

type Reads =
  & Partial<DeskReadingParts["outside"]>
  & Pick<DeskReadingParts["outside"], "paths" | "state">;

function reading(outside: Reads, more: Partial<DeskReadingParts> = {}) {
  return createDeskReading({
    outside: {
      heardAt: () => undefined,
      sweep: () => {
        throw new UserError("Cannot read the YAML");
      },
      scheduler: () => {
        throw new Error("A look at the state asks no scheduler");
      },
      readRecords: () => new Map(),
      ...outside,
    },
    id: "t",
    clock: { now: () => NOW },
    monitorFacts: () => FACTS,
    ...more,
  });
}

const stream = (index: number, metric: string) =>
  `.hyperherd/results/${index}/stream/${metric}.jsonl`;

test("status, results, stats and parameters say what the commands print with --json", () =>
  inWorkspace(YAML, async ({ outside, herd, ran, write }) => {
    await ran([{ index: 0 }, { index: 1, cause: "exit", exitCode: 3 }, { index: 2 }]);
    write(".hyperherd/results/0.json", '{"acc": 0.5, "note": NaN}');
    write(".hyperherd/results/2.json", '{"acc": 0.75}');
    write(stream(0, "val/loss"), '{"step": 1, "value": 9, "ts": 1}\n');
    write(".hyperherd/logs/0.out", "one\ntwo\n");
    const desk = reading(outside());
    const command = async (...argv: string[]) => (await herd([...argv, "--json"])).json();
    const without = (one: object) => ({ ...one, elapsed_seconds: 0, silent_seconds: null });
    const status = await command("status") as { trials: object[]; totals: object };
    const page = desk.status();
    assert.deepEqual(page.items.map(without), status.trials.map(without));
    assert.deepEqual(page.totals, status.totals);
    assert.equal(page.total, 6);
    const res = await command("res", "--last") as { trials: object[] };
    assert.deepEqual((desk.results() as typeof res).trials, res.trials);
    const best = await command("res", "--best", "2") as { trials: object[] };
    assert.deepEqual((desk.results({ best: true, limit: 2 }) as typeof best).trials, best.trials);
    const stats = await command("stats") as { trials: object[]; advice: string[] };
    const found = desk.stats() as typeof stats;
    assert.deepEqual(found.trials.map(without), stats.trials.map(without));
    assert.deepEqual(found.advice, stats.advice);
    assert.equal((desk.stats(1) as typeof stats).trials.length, 1);
    const ls = await command("ls") as { trials: object[] };
    const parameters = desk.parameters({ limit: 2 }) as typeof ls & { conditions: object[] };
    assert.deepEqual(parameters.trials, ls.trials.slice(0, 2));
    assert.deepEqual(parameters.conditions, [{
      name: "big",
      when: ["lr > 0.2"],
      exclude: {},
      force: {},
      set: { wd: "= lr * 2" },
      resources: {},
    }]);
    assert.equal(desk.trial(1)!["exit_code"], 3);
    assert.equal(desk.trial(99), undefined);
    assert.deepEqual(desk.attempts(1).map(({ number, phase, cause }) => [number, phase, cause]), [
      [1, "ended", "exit"],
    ]);
    assert.deepEqual(desk.attempts(99), []);
  }));

test("before the first run there are the trials that it would make", () =>
  inWorkspace(YAML, ({ outside }) => {
    const desk = reading(outside());
    assert.deepEqual(desk.status().totals, { total: 6, ready: 6 });
    assert.equal((desk.parameters() as { total: number }).total, 6);
    assert.deepEqual(desk.stats(), { trials: [], advice: [], warnings: [], total: 0, offset: 0 });
    return Promise.resolve();
  }));

test("a broken YAML hides nothing that has run", () =>
  inWorkspace(YAML, async ({ outside, ran, write }) => {
    await ran([{ index: 0 }]);
    write("hyperherd.yaml", "name: [");
    const desk = reading(outside());
    assert.equal(desk.status().total, 6);
    const parameters = desk.parameters() as { trouble: string; trials: object[] };
    assert.match(parameters.trouble, /hyperherd\.yaml/);
    assert.equal(parameters.trials.length, 6);
  }));

/** Ten thousand trials, all running, with a log each. */
async function withMany(use: (root: string, state: SweepState) => void | Promise<void>) {
  await inFolder(async (root) => {
    const state = stateOf(submittedSweep(10_000));
    add(state, {
      type: "attempts-changed",
      changes: Array.from({ length: 10_000 }, (_, task) => ({
        submission: "s1",
        task,
        phase: "running" as const,
        startedAt: NOW - 60_000,
      })),
    }, NOW);
    mkdirSync(workspacePaths(root).logs, { recursive: true });
    await use(root, state);
  });
}

test("G.2.20: a page of ten thousand trials reads the logs of that page only, and those once", () =>
  withMany((root, state) => {
    const paths = workspacePaths(root);
    const opened: number[] = [];
    const watched = {
      ...paths,
      stdout: (trial: number) => (opened.push(trial), paths.stdout(trial)),
    };
    for (const index of [200, 201]) writeFileSync(paths.stdout(index), "step 1\n");
    let records = 0;
    const readRecords = (tasks: readonly unknown[]) => ((records = tasks.length), new Map());
    const desk = reading({ paths: watched, state: () => state, readRecords });
    const page = desk.status({ offset: 200, limit: 50 });
    assert.deepEqual([page.items.length, page.total, page.totals["running"]], [50, 10_000, 10_000]);
    assert.equal(page.items[0]!["last_log_line"], "step 1");
    assert.deepEqual([Math.min(...opened), Math.max(...opened)], [200, 249]);
    assert.equal(records, 50);
    const before = opened.length;
    desk.status({ offset: 200, limit: 50 });
    assert.equal(opened.length - before, 50, "asked for their size, not read again");
    writeFileSync(paths.stdout(200), "step 1\nstep 2\n");
    assert.equal(desk.status({ indices: [200] }).items[0]!["last_log_line"], "step 2");
    assert.equal(desk.status({ limit: 1_000_000 }).items.length, 1000, "no page is larger");
    assert.deepEqual(desk.status({ statuses: ["failed"] }).items, []);
    assert.deepEqual(desk.status({ offset: -5, limit: NaN }).items.length, 0);
  }));

test("a log is read from its end, or from a place on in whole lines", () =>
  inFolder((root) => {
    const paths = workspacePaths(root);
    mkdirSync(paths.logs, { recursive: true });
    const state = stateOf(submittedSweep(2));
    const desk = reading({ paths, state: () => state });
    const text = Array.from({ length: 50 }, (_, i) => `line ${i}`).join("\n") + "\nhalf";
    writeFileSync(paths.stdout(0), text);
    const end = desk.log(0, { stream: "stdout", lines: 2 });
    assert.deepEqual(end, { text: "line 49\nhalf", next: text.length, size: text.length });
    assert.equal(desk.log(0, { stream: "stdout" }).text.split("\n").length, 20);
    const from = desk.log(0, { stream: "stdout", from: 0 });
    assert.equal(from.text, text.slice(0, -4), "a line that is still being written comes later");
    assert.deepEqual(desk.log(0, { stream: "stdout", from: from.next }).text, "");
    writeFileSync(paths.stdout(0), "new\n");
    assert.deepEqual(desk.log(0, { stream: "stdout", from: from.next }), {
      text: "new\n",
      next: 4,
      size: 4,
    });
    assert.deepEqual(desk.log(0, { stream: "stderr", from: 7 }), { text: "", next: 0, size: 0 });
    add(state, {
      type: "attempts-changed",
      changes: [{
        submission: "s1",
        task: 0,
        phase: "ended",
        ending: { cause: "completed", exitCode: 0, signal: undefined, source: "both" },
      }],
    }, NOW);
    writeFileSync(paths.stdout(0), "whole\nhalf");
    assert.equal(desk.log(0, { stream: "stdout", from: 0 }).text, "whole\nhalf", "nobody ends it");
  }));

test("a progress bar of megabytes without a newline is paged, and no character is cut", () =>
  inFolder((root) => {
    const paths = workspacePaths(root);
    mkdirSync(paths.logs, { recursive: true });
    const state = stateOf(submittedSweep(1));
    const desk = reading({ paths, state: () => state });
    const text = "█".repeat(300_000);
    writeFileSync(paths.stderr(0), text);
    let read = "";
    for (let from = 0, pages = 0; pages < 10; pages++) {
      const page = desk.log(0, { stream: "stderr", from });
      read += page.text;
      if (page.next === from) break;
      from = page.next;
    }
    assert.ok(!read.includes("\ufffd"));
    assert.ok(read.length > 200_000 && text.startsWith(read));
    assert.ok(desk.log(0, { stream: "stderr", lines: 5 }).text.length <= 400_000);
  }));

test("metrics are read again only when they were written to, and names are no paths", () =>
  inWorkspace(YAML, async ({ outside, ran, write, root }) => {
    await ran([{ index: 0, phase: "running" }]);
    write(stream(0, "val/acc"), '{"step": 1, "value": 0.5, "ts": 1}\n');
    write(stream(0, "odd\nname"), '{"step": 1, "value": 0.5, "ts": 1}\n');
    const desk = reading(outside());
    const metric = (name = "val/acc"): MetricDocument | undefined => desk.metric(0, name);
    assert.deepEqual(desk.metricNames(0), [
      { name: "val/acc", n: 1, stepFirst: 1, stepLast: 1, last: 0.5 },
    ]);
    assert.equal(metric()!.mean, 0.5);
    write(stream(0, "val/acc"), '{"step": 1, "value": 0.5, "ts": 1}\n{"step": 2, "value": NaN}\n');
    assert.deepEqual([metric()!.n, metric()!.hasNanOrInf], [2, true]);
    for (const name of ["../../1/stream/x", "", "nope", "/etc/passwd"]) {
      assert.equal(metric(name), undefined, name);
    }
    assert.equal(desk.metric(99, "val/acc"), undefined);
    // A folder that may not be read is a trial without metrics, not a failure.
    chmodSync(join(root, ".hyperherd/results/0/stream"), 0o000);
    assert.doesNotThrow(() => desk.metricNames(0));
    chmodSync(join(root, ".hyperherd/results/0/stream"), 0o700);
  }));

test("G.1.11: torn and odd results neither stop a page nor a ranking", () =>
  inWorkspace(YAML, async ({ outside, ran, write }) => {
    await ran([{ index: 0 }, { index: 1 }, { index: 2 }]);
    write(".hyperherd/results/0.json", '{"acc": 0.5, "x": ');
    write(".hyperherd/results/1.json", '{"acc": NaN}');
    write(".hyperherd/results/notes.json", "[]");
    write(stream(2, "loss"), '{"step": 1, "val\n');
    const desk = reading(outside());
    const { trials } = desk.results() as { trials: { metrics: object }[] };
    assert.deepEqual(trials.slice(0, 3).map(({ metrics }) => metrics), [
      { acc: 0.5 },
      { acc: "NaN" },
      {},
    ]);
    const best = desk.results({ best: true }) as { trials: { index: number }[]; direction: string };
    assert.deepEqual(best.trials.map(({ index }) => index), [0, 1], "NaN is worst");
    assert.equal(best.direction, "max");
    assert.throws(() => desk.results({ best: true, metric: "accc" }), /Cannot rank by "accc"/);
  }));

test("a metric that is only logged by step ranks by its last value, with a direction that is guessed", () =>
  inWorkspace(YAML, async ({ outside, ran, write }) => {
    await ran([{ index: 0, phase: "running" }, { index: 1, phase: "running" }]);
    write(stream(0, "loss"), '{"step": 1, "value": 3, "ts": 1}\n');
    write(stream(1, "loss"), '{"step": 1, "value": 2, "ts": 1}\n');
    const desk = reading(outside());
    const best = desk.results({ best: true, metric: "loss" }) as Record<string, unknown>;
    assert.deepEqual((best["trials"] as { index: number }[]).map(({ index }) => index), [1, 0]);
    assert.deepEqual([best["direction"], best["direction_guessed"], best["by"]], [
      "min",
      true,
      "last values",
    ]);
  }));

function cluster(
  answer: (tasks: readonly TaskRef[]) => Estimate,
): { asked: number; scheduler: Scheduler } {
  const never = () => Promise.reject(new Error("Only estimates are asked for"));
  const found = {
    asked: 0,
    scheduler: {
      name: "slurm" as const,
      limits: never,
      submit: never,
      look: never,
      find: never,
      cancel: never,
      throttle: never,
      estimate(tasks: readonly TaskRef[]) {
        found.asked++;
        return Promise.resolve(answer(tasks));
      },
    },
  };
  return found;
}

test("the queue is asked once for all that wait, and not again within ten seconds", () =>
  inFolder(async (root) => {
    const state = stateOf(submittedSweep(5));
    let now = NOW;
    const counter = cluster((tasks) => ({
      answer: { answered: true },
      tasks: tasks.map(({ jobId, task }) => ({
        jobId,
        task,
        reason: task < 3 ? "Priority" : "Resources",
        startsAt: task === 2 ? now + 60_000 : undefined,
      })),
    }));
    const scheduler = () => counter.scheduler;
    const desk = reading({ paths: workspacePaths(root), state: () => state, scheduler }, {
      clock: { now: () => now },
    });
    const [one] = await Promise.all([desk.queue(), desk.queue()]) as Record<string, unknown>[];
    assert.equal(counter.asked, 1);
    assert.equal(one!["waiting"], 5);
    assert.deepEqual(one!["reasons"], [
      { reason: "Priority", meaning: "other jobs come first", count: 3, trials: "0-2" },
      { reason: "Resources", meaning: "waiting for room on the nodes", count: 2, trials: "3-4" },
    ]);
    const [first] = one!["trials"] as Record<string, unknown>[];
    assert.deepEqual([first!["index"], first!["job_id"], first!["starts_in_seconds"]], [
      2,
      "7_2",
      60,
    ]);
    now += 11_000;
    await desk.queue();
    assert.equal(counter.asked, 2);
  }));

test("a silent controller is a warning; what the journal knows is told all the same", () =>
  inFolder(async (root) => {
    const state = stateOf(submittedSweep(2));
    const { scheduler } = cluster(() => ({
      answer: {
        answered: false,
        reason: "unreachable",
        message: "squeue did not answer within 30 s",
      },
      tasks: [],
    }));
    const desk = reading({
      paths: workspacePaths(root),
      state: () => state,
      scheduler: () => scheduler,
    });
    const found = await desk.queue() as Record<string, unknown>;
    assert.deepEqual(found["warnings"], ["squeue did not answer within 30 s"]);
    assert.equal(found["waiting"], 2);
  }));

test("info is what the journal knows of the monitor and what its daemon adds", () =>
  inFolder((root) => {
    const state = stateOf(submittedSweep(1));
    add(state, {
      type: "monitor-started",
      boot: "greenfield",
      mode: "rules",
      version: "9",
      host: "login1",
      pid: 4711,
    }, NOW);
    const use = {
      id: "u1",
      model: "m",
      tokens: { input: 1, output: 1, cacheRead: 0, cacheWrite: 0 },
      usd: 0.25,
      purpose: "message",
    };
    add(state, { type: "model-used", use }, NOW);
    add(state, { type: "model-used", use: { ...use, id: "u2" } }, NOW - 3 * 86_400_000);
    const desk = reading({ paths: workspacePaths(root), state: () => state });
    const info = desk.info();
    assert.deepEqual(info.spent, { usd: 0.5, today: 0.25, calls: 2, unpriced: 0 });
    assert.deepEqual([info.mode, info.host, info.pid, info.budget.day], [
      "rules",
      "login1",
      4711,
      10,
    ]);
    assert.equal(desk.plan(), undefined);
    assert.equal(desk.userPrompt(), undefined);
    writeFileSync(join(root, "PROMPT.md"), "be kind");
    const prompt = desk.userPrompt()!;
    assert.equal(prompt.seen, false);
    add(state, { type: "prompt-acknowledged", sha256: prompt.sha256 }, NOW);
    assert.equal(desk.userPrompt()!.seen, true);
    const gone = reading({ paths: workspacePaths(root), state: () => state }, {
      monitorFacts: () => ({ ...FACTS, mode: null }),
    });
    assert.equal(gone.info().mode, null);
  }));

test("ticks are read from the journal's end, torn lines passed over", () =>
  inFolder((root) => {
    const paths = workspacePaths(root);
    mkdirSync(paths.state, { recursive: true });
    const state = stateOf([]);
    const line = (n: number) =>
      JSON.stringify({
        v: 1,
        seq: n,
        at: n,
        by: "rules",
        what: { type: "ticked", tick: tickNumber(n) },
      });
    const lines = [1, 2, 3].map(line);
    writeFileSync(
      paths.journal,
      `${lines[0]}\n${lines[1]!.slice(0, 40)}\n{"type":"ticked"\n${lines[2]}\n`,
    );
    const desk = reading({ paths, state: () => state });
    assert.deepEqual(desk.ticks(), []);
    add(state, { type: "ticked", tick: tickNumber(3) }, NOW);
    assert.deepEqual(desk.ticks().map(({ number }) => number), [1, 3]);
    add(state, { type: "ticked", tick: tickNumber(4) }, NOW);
    assert.deepEqual(desk.ticks({ limit: 2 }).map(({ number }) => number), [3, 4]);
  }));

test("what a look shows of silence is shown without a look", () =>
  inFolder((root) => {
    const state = stateOf(submittedSweep(1));
    add(state, {
      type: "attempts-changed",
      changes: [{ submission: "s1", task: 0, phase: "running", startedAt: NOW - 3_600_000 }],
    }, NOW);
    const record = {
      submission: "s1",
      task: 0,
      startedAt: NOW - 3_600_000,
      restart: 0,
      node: "n1",
      aliveAt: NOW - 1_800_000,
      signals: [],
      exitCode: undefined,
      endedAt: undefined,
      voided: false,
    };
    const desk = reading({
      paths: workspacePaths(root),
      state: () => state,
      readRecords: () => new Map([["s1/0", record]]),
    });
    const trial: TrialDocument = desk.trial(0)!;
    assert.equal(trial["silent_seconds"], 1800);
    assert.match(`${trial["note"]}`, /no sign of life for 30 min/);
  }));
