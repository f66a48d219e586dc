import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FENCE_MS, TAKE_UP_MS } from "../../../lib/tasks/exchange.ts";
import type { Assignment, WorkerOrders, WorkerReport } from "../../../lib/tasks/exchange.ts";
import { readWorkerReport } from "../../../lib/tasks/exchange-schema.ts";
import type { AttemptReport } from "../../../lib/tasks/task.ts";
import type { AttemptHooks } from "../../../lib/tasks/worker-runner.ts";
import { createWorker } from "../../../lib/tasks/worker.ts";
import type { WorkerEnd, WorkerState } from "../../../lib/tasks/worker.ts";
import { openWorkerJournal } from "../../../lib/tasks/worker-journal.ts";
import { LinkError } from "../../../lib/tasks/worker-link.ts";
import { RESOLVED } from "../../support/pool-world.ts";
import { createVirtualTime } from "../../support/virtual-time.ts";

function assignment(task: string, epoch = 1, rest: Partial<Assignment> = {}): Assignment {
  return { task, epoch, revision: 1, prompt: "do", ...RESOLVED, ...rest };
}

function wordOf(end: AttemptReport["end"], rest: Partial<AttemptReport> = {}): AttemptReport {
  return {
    end,
    cause: "",
    passing: false,
    result: "answer",
    files: [],
    folder: "/f",
    use: [],
    startedAt: 1,
    endedAt: 2,
    ...rest,
  };
}

interface Agent {
  name: string;
  hooks: AttemptHooks;
  renewed: number[];
  cancelled: string[];
  end(report: AttemptReport): void;
}

type Answer = (report: WorkerReport) => Partial<WorkerOrders> | Error;

const nothing: Answer = () => ({});

/** One worker with everything around it scripted; its journal is a real file. */
function createScene(path: string, how: { slots?: number; leftOver?: string } = {}) {
  const time = createVirtualTime();
  const reports: WorkerReport[] = [];
  const waits: { at: number; waitMs: number }[] = [];
  const agents: Agent[] = [];
  const states: WorkerState[] = [];
  const steps: string[] = [];
  let answer: Answer = nothing;
  let asleep = 0;
  let holds = true;
  const journal = openWorkerJournal(path);
  const worker = createWorker({
    link: {
      exchange: (report, { signal, waitMs }) =>
        new Promise((resolve, reject) => {
          const copy = readWorkerReport(JSON.stringify(report));
          assert.ok(!("wrong" in copy), JSON.stringify(copy));
          reports.push(copy);
          waits.push({ at: time.now(), waitMs });
          const stop = () => {
            takeBack();
            reject(signal.reason);
          };
          const give = () => {
            signal.removeEventListener("abort", stop);
            const said = answer(copy);
            if (said instanceof Error) return reject(said);
            const { worker, incarnation, number } = copy;
            resolve({
              worker,
              incarnation,
              number,
              assign: [],
              cancel: [],
              settled: [],
              drain: false,
              stop: false,
              fenceMs: FENCE_MS,
              ...said,
            });
          };
          signal.addEventListener("abort", stop, { once: true });
          const takeBack = time.at(time.now() + (holds ? waitMs : 0), give);
        }),
    },
    runner: {
      start({ task, epoch }, hooks) {
        const ended = Promise.withResolvers<AttemptReport>();
        const agent: Agent = {
          name: `${task}:${epoch}`,
          hooks,
          renewed: [],
          cancelled: [],
          end: ended.resolve,
        };
        agents.push(agent);
        return {
          renew: (ms) => void agent.renewed.push(ms),
          cancel: (reason) => void agent.cancelled.push(reason),
          ended: ended.promise,
        };
      },
    },
    journal,
    endLeftOvers() {
      steps.push(`left-overs before ${agents.length} starts and ${reports.length} reports`);
      return Promise.resolve(how.leftOver ? [{ name: how.leftOver, folder: "/left" }] : []);
    },
    clock: time.clock,
    elapsed: () => time.now() + asleep,
    random: () => 0.5,
    identity: {
      worker: "w1",
      version: "1",
      host: "h",
      slots: how.slots ?? 2,
      labels: [],
      sandboxes: ["none", "workspace"],
    },
    onStatus: (state) => void states.push(state),
    log: { write: () => {} },
  });
  const abort = new AbortController();
  const ended: { value?: WorkerEnd } = {};
  return {
    worker,
    reports,
    waits,
    agents,
    states,
    steps,
    end: (): WorkerEnd | undefined => ended.value,
    abort,
    journal,
    now: time.now,
    /** Answers from now on. */
    set answer(next: Answer) {
      answer = next;
    },
    /** Whether the link waits as long as it is asked to. */
    set holds(is: boolean) {
      holds = is;
    },
    start() {
      worker.run(abort.signal).then((end) => ended.value = end);
    },
    pass: (ms: number) => time.runUntil(time.now() + ms),
    /** The machine sleeps: no timer of it counts that time. */
    sleep: (ms: number) => asleep += ms,
    last: () => reports.at(-1)!,
  };
}

type Scene = ReturnType<typeof createScene>;

function withScene(
  act: (scene: Scene, path: string) => Promise<void>,
  how: Parameters<typeof createScene>[1] = {},
): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), "herd-worker-"));
    const path = join(folder, "journal.jsonl");
    const scene = createScene(path, how);
    try {
      await act(scene, path);
    } finally {
      scene.journal.close();
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

const offers = (...all: Assignment[]): Answer => ({ attempts }) => ({
  assign: all.filter((one) => !attempts.some(({ task }) => task === one.task)),
});

const settles: Answer = ({ attempts }) => ({
  settled: attempts.filter(({ report }) => report !== undefined).map(({ task, epoch }) => ({
    task,
    epoch,
    committed: true,
  })),
});

test(
  "an attempt is journalled, begun once, told, and its word repeated until it is settled",
  withScene(async (s) => {
    s.answer = offers(assignment("t1"));
    s.start();
    await s.pass(1_000);
    assert.deepEqual(s.agents.map(({ name }) => name), ["t1:1"]);
    assert.equal(s.journal.lastEpoch("t1"), 1);
    assert.deepEqual(s.last().attempts.map(({ task, report }) => [task, report]), [
      ["t1", undefined],
    ]);
    s.answer = nothing;
    s.agents[0]!.end(wordOf("done"));
    await s.pass(60_000);
    assert.equal(s.last().attempts[0]!.report?.result, "answer");
    s.answer = settles;
    await s.pass(20_000);
    assert.deepEqual(s.last().attempts, []);
    assert.equal(s.agents.length, 1);
  }),
);

test(
  "the same offer, doubled and again after its end, begins nothing twice",
  withScene(async (s) => {
    const both = [assignment("t1"), assignment("t1")];
    s.answer = () => ({ assign: both });
    s.start();
    await s.pass(5_000);
    s.agents[0]!.end(wordOf("done"));
    await s.pass(1_000);
    s.answer = (report) => ({ ...settles(report), assign: both });
    await s.pass(40_000);
    assert.equal(s.agents.length, 1);
    s.answer = nothing;
    await s.pass(20_000);
    assert.equal(s.last().attempts[0]!.report?.result, "answer", "the last answer is repeated");
  }),
);

test(
  "an attempt with a lower number than one that was seen is never begun",
  withScene(async (s) => {
    s.answer = offers(assignment("t1", 3));
    s.start();
    await s.pass(1_000);
    s.agents[0]!.end(wordOf("done"));
    await s.pass(1_000);
    s.answer = (report) => ({ ...settles(report), assign: [assignment("t1", 2)] });
    await s.pass(60_000);
    assert.deepEqual(s.agents.map(({ name }) => name), ["t1:3"]);
  }),
);

test(
  "offers for another life, another worker or an older report are not taken up",
  withScene(async (s) => {
    const assign = [assignment("t1")];
    const wrong: Partial<WorkerOrders>[] = [
      { incarnation: "another" },
      { worker: "w2" },
      { number: 0 },
      { number: 999 },
    ];
    let at = 0;
    s.answer = () => ({ assign, ...wrong[at++ % wrong.length]! });
    s.start();
    await s.pass(600_000);
    assert.ok(at >= wrong.length);
    assert.deepEqual(s.agents, []);
  }),
);

test(
  "no more attempts than slots, none while draining, and a level it cannot keep is refused",
  withScene(async (s) => {
    s.answer = () => ({ drain: true, assign: [assignment("t1")] });
    s.start();
    await s.pass(30_000);
    assert.equal(s.agents.length, 0);
    const sandbox = { level: "read-only", network: false } as const;
    s.answer = offers(
      assignment("t0", 1, { sandbox }),
      ...["t1", "t2", "t3"].map((id) => assignment(id)),
    );
    await s.pass(30_000);
    assert.deepEqual(s.agents.map(({ name }) => name), ["t1:1", "t2:1"]);
    const refused = s.last().attempts.find(({ task }) => task === "t0")!.report!;
    assert.deepEqual([refused.end, refused.passing], ["refused", true]);
  }),
);

test(
  "without an answer for the fence's time all attempts are ended, and told as fenced afterwards",
  withScene(async (s) => {
    s.answer = offers(assignment("t1"), assignment("t2"));
    s.start();
    await s.pass(20_000);
    const confirmedAt = s.waits.at(-2)!.at;
    s.answer = () => new LinkError("unreachable", "away");
    await s.pass(confirmedAt + FENCE_MS - s.now() - 1_000);
    assert.deepEqual(s.agents.map(({ cancelled }) => cancelled), [[], []]);
    await s.pass(20_000);
    assert.deepEqual(s.agents.map(({ cancelled }) => cancelled), [["fenced"], ["fenced"]]);
    s.agents[0]!.end(wordOf("crashed"));
    s.agents[1]!.end(wordOf("done"));
    s.answer = nothing;
    await s.pass(120_000);
    const words = s.last().attempts.map(({ report }) => [report?.end, report?.passing]);
    assert.deepEqual(words, [["fenced", true], ["done", false]]);
    assert.equal(s.states.at(-1)!.link, "there");
  }),
);

test(
  "answers renew the dead-man's switch from when their report was sent",
  withScene(async (s) => {
    s.answer = offers(assignment("t1"));
    s.start();
    await s.pass(100);
    assert.ok(s.agents[0]!.hooks.deadManMs <= TAKE_UP_MS);
    await s.pass(60_000);
    const { renewed } = s.agents[0]!;
    assert.ok(renewed.length >= 3);
    // The last answer came after a wait of 15 s.
    assert.equal(renewed.at(-1), FENCE_MS - 15_000);
  }),
);

test(
  "an attempt whose beginning nobody confirmed is ended before its offer is made again",
  withScene(async (s) => {
    s.answer = offers(assignment("t1"));
    s.start();
    await s.pass(50);
    assert.equal(s.agents.length, 1);
    s.answer = () => new LinkError("unreachable", "away");
    await s.pass(TAKE_UP_MS - 5_000);
    assert.deepEqual(s.agents[0]!.cancelled, []);
    await s.pass(7_000);
    assert.deepEqual(s.agents[0]!.cancelled, ["fenced"]);
  }),
);

test(
  "a machine that was asleep beyond the fence ends its attempts before it hears anything",
  withScene(async (s) => {
    s.answer = offers(assignment("t1"));
    s.start();
    await s.pass(20_000);
    const renewals = s.agents[0]!.renewed.length;
    s.sleep(FENCE_MS + 1);
    await s.pass(15_000);
    assert.deepEqual(s.agents[0]!.cancelled, ["fenced"]);
    assert.equal(s.agents[0]!.renewed.length, renewals, "what comes later renews nothing");
  }),
);

test(
  "an offer that took too long to arrive is left alone",
  withScene(async (s) => {
    s.start();
    await s.pass(1_000);
    s.answer = () => {
      s.sleep(TAKE_UP_MS);
      return { assign: [assignment("t1")] };
    };
    await s.pass(20_000);
    assert.equal(s.agents.length, 0);
  }),
);

test(
  "cancelled attempts are ended with the reason, and stop ends all at once",
  withScene(async (s) => {
    s.answer = offers(assignment("t1"), assignment("t2"));
    s.start();
    await s.pass(1_000);
    s.answer = () => ({ cancel: [{ task: "t1", epoch: 1, why: "not wanted" }] });
    await s.pass(20_000);
    assert.ok(s.agents[0]!.cancelled.includes("not wanted"));
    assert.equal(s.agents[1]!.cancelled.length, 0);
    s.answer = () => ({ stop: true, drain: true, assign: [assignment("t9")] });
    await s.pass(20_000);
    assert.ok(s.agents[1]!.cancelled.includes("the pool was stopped"));
    assert.equal(s.agents.length, 2);
  }),
);

test(
  "a leaving worker finishes what runs, takes nothing new, and ends when its words were heard",
  withScene(async (s) => {
    s.answer = offers(assignment("t1"));
    s.start();
    await s.pass(1_000);
    s.worker.leave();
    s.answer = (report) => ({ ...settles(report), assign: [assignment("t2")] });
    await s.pass(300_000);
    assert.equal(s.end(), undefined);
    assert.equal(s.last().leaving, true);
    assert.deepEqual([s.agents.length, s.agents[0]!.cancelled.length], [1, 0]);
    s.agents[0]!.end(wordOf("done"));
    await s.pass(20_000);
    assert.deepEqual(s.end(), { kind: "left", why: "" });
  }),
);

test(
  "a leaving worker does not wait for ever for a coordinator that is away",
  withScene(async (s, path) => {
    s.answer = offers(assignment("t1"));
    s.start();
    await s.pass(1_000);
    s.answer = () => new LinkError("unreachable", "away");
    s.worker.leave();
    s.agents[0]!.end(wordOf("done"));
    await s.pass(200_000);
    assert.equal(s.end()?.kind, "left");
    const next = createScene(path);
    next.start();
    await next.pass(1_000);
    assert.equal(next.last().attempts[0]!.report?.end, "done", "its next life tells");
    next.journal.close();
  }),
);

test(
  "a stopped worker ends its agents, says so once more, and only then ends",
  withScene(async (s) => {
    s.answer = offers(assignment("t1"));
    s.start();
    await s.pass(1_000);
    s.abort.abort();
    await s.pass(10_000);
    assert.equal(s.end(), undefined);
    assert.deepEqual(s.agents[0]!.cancelled, ["the worker was stopped"]);
    s.agents[0]!.end(wordOf("cancelled"));
    await s.pass(5_000);
    assert.equal(s.end()?.kind, "stopped");
    const last = s.last();
    assert.deepEqual([last.leaving, last.attempts[0]!.report?.end], [true, "cancelled"]);
  }),
);

test(
  "a worker that is not wanted any more ends its agents and itself",
  withScene(async (s) => {
    s.answer = offers(assignment("t1"));
    s.start();
    await s.pass(1_000);
    s.answer = () => ({ stop: true, drain: true, dismissed: "another one was started" });
    await s.pass(16_000);
    s.agents[0]!.end(wordOf("cancelled"));
    await s.pass(5_000);
    assert.deepEqual(s.end(), { kind: "dismissed", why: "another one was started" });
  }),
);

test(
  "a worker that was killed tells in its next life what it had, with what that used",
  withScene(async (s, path) => {
    s.answer = offers(assignment("t1"), assignment("t2"));
    s.start();
    await s.pass(1_000);
    const use = [{ model: "m", input: 5, output: 6, cacheRead: 7, cacheWrite: 8, usd: null }];
    s.agents[0]!.hooks.onUse(use);
    s.agents[1]!.end(wordOf("done"));
    await s.pass(10);

    const next = createScene(path, { leftOver: "t1:1" });
    next.answer = offers(assignment("t1", 1), assignment("t2", 1));
    next.start();
    await next.pass(60_000);
    assert.deepEqual(next.steps, ["left-overs before 0 starts and 0 reports"]);
    assert.equal(next.agents.length, 0, "nothing is begun a second time");
    const [one, two] = next.last().attempts;
    assert.deepEqual([one!.report!.end, one!.report!.passing], ["crashed", true]);
    assert.deepEqual([one!.report!.use, one!.report!.folder], [use, "/left"]);
    assert.equal(two!.report!.end, "done");
    assert.notEqual(next.last().incarnation, s.last().incarnation);
    assert.ok(next.last().startedAt > s.last().startedAt, "later than before, whatever the clock");
    next.journal.close();
  }),
);

test(
  "changes that come close together are one report, and a quiet worker sends few",
  withScene(async (s) => {
    s.answer = offers(assignment("t1"), assignment("t2"));
    s.start();
    await s.pass(10_000);
    const before = s.reports.length;
    for (const agent of s.agents) agent.end(wordOf("done"));
    await s.pass(150);
    assert.equal(s.reports.length, before);
    await s.pass(100);
    assert.ok(s.reports.length > before);
    assert.equal(s.reports[before]!.attempts.filter(({ report }) => report).length, 2);
    s.answer = settles;
    await s.pass(10_000);
    const quiet = s.reports.length;
    await s.pass(3_600_000);
    const sent = s.reports.length - quiet;
    assert.ok(sent <= 242 && sent >= 238, `${sent} reports in a quiet hour`);
  }),
);

test(
  "phases that change all the time, orders that cannot be followed, and links that do not wait cost little",
  withScene(async (s) => {
    s.answer = offers(assignment("t1"), assignment("t2"));
    s.start();
    await s.pass(10_000);
    const before = s.reports.length;
    for (let i = 0; i < 600; i++) {
      s.agents[0]!.hooks.onProgress(`step ${i}`);
      await s.pass(100);
    }
    assert.ok(s.reports.length - before <= 40, `${s.reports.length - before} for phases`);
    assert.match(s.reports.at(-1)!.attempts[0]!.phase, /^step \d+$/);

    s.answer = () => ({ assign: [assignment("t8"), assignment("t9")] });
    s.holds = false;
    await s.pass(20_000);
    const full = s.reports.length;
    await s.pass(60_000);
    assert.ok(
      s.reports.length - full <= 13,
      `${s.reports.length - full} for offers it cannot take`,
    );
    s.answer = nothing;
    await s.pass(20_000);
    const idle = s.reports.length;
    await s.pass(60_000);
    assert.ok(
      s.reports.length - idle <= 5,
      `${s.reports.length - idle} over a link that never waits`,
    );
  }),
);

test(
  "while the coordinator is away it is asked ever more seldom, and at once known to be back",
  withScene(async (s) => {
    s.answer = () => new LinkError("refused", "who are you");
    s.start();
    await s.pass(3_600_000);
    assert.ok(s.reports.length < 100, `${s.reports.length} tries in an hour`);
    assert.equal(s.states.at(-1)!.link, "away");
    assert.equal(s.states.at(-1)!.trouble, "who are you");
    s.answer = offers(assignment("t1"));
    await s.pass(61_000);
    assert.equal(s.agents.length, 1);
  }),
);

test(
  "what an agent leaves fits into a report, however large and broken it is",
  withScene(async (s) => {
    const path = "\u0001".repeat(1_000);
    const huge = wordOf("done", {
      result: "\ud800\u0001".repeat(4_000_000),
      cause: "x".repeat(100_000),
      files: Array.from({ length: 5_000 }, () => ({
        path,
        bytes: Number.NaN,
        sha256: "0".repeat(64),
      })),
      use: [{ model: "m", input: 1.5, output: -1, cacheRead: Infinity, cacheWrite: 0, usd: -3 }],
      startedAt: Number.NaN,
    });
    const many = Array.from({ length: 12 }, (_, i) => assignment(`t${i}`));
    s.answer = offers(...many);
    s.start();
    await s.pass(5_000);
    assert.equal(s.agents.length, 12);
    s.answer = nothing;
    for (const agent of s.agents) agent.end(huge);
    await s.pass(1_000);
    assert.equal(s.last().attempts.length, 12, "none is missing");
    assert.ok(Buffer.byteLength(JSON.stringify(s.last())) < 4 * 1024 * 1024);
    s.answer = settles;
    await s.pass(60_000);
    assert.deepEqual(s.last().attempts, [], "all were told in the end");
  }, { slots: 12 }),
);

test(
  "a journal that cannot be written begins nothing",
  withScene(async (s) => {
    s.answer = offers(assignment("t1"));
    s.journal.begin = () => {
      throw new Error("no space");
    };
    s.start();
    await s.pass(60_000);
    assert.equal(s.agents.length, 0);
    assert.deepEqual(s.last().attempts, []);
  }),
);
