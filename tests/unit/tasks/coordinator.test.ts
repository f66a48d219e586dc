import assert from "node:assert/strict";
import { test } from "node:test";
import { GRACE_MS, LEASE_MS, OFFER_MS } from "../../../lib/tasks/exchange.ts";
import type { WorkerAttempt, WorkerOrders, WorkerReport } from "../../../lib/tasks/exchange.ts";
import type { PoolHappening } from "../../../lib/tasks/pool-event.ts";
import { applyToPool, emptyPool } from "../../../lib/tasks/pool-state.ts";
import { createCoordinator } from "../../../lib/tasks/coordinator.ts";
import type { Resolved, Unresolved } from "../../../lib/tasks/coordinator.ts";
import type { AttemptReport } from "../../../lib/tasks/task.ts";
import { LIMITS, ORIGIN, RESOLVED, wishOf } from "../../support/pool-world.ts";

const LIFE = { worker: "w1", incarnation: "life-1", startedAt: 1_000, host: "h1" };

function wordOf(end: AttemptReport["end"], rest: Partial<AttemptReport> = {}): AttemptReport {
  return {
    end,
    cause: end === "done" ? "" : `it ${end}`,
    passing: false,
    result: "r",
    files: [],
    folder: "/f",
    use: [{ model: "m", input: 1, output: 2, cacheRead: 3, cacheWrite: 4, usd: 0.5 }],
    startedAt: 1,
    endedAt: 2,
    ...rest,
  };
}

function told(task: string, epoch: number, report?: AttemptReport): WorkerAttempt {
  return { task, epoch, phase: "", use: report?.use ?? [], report };
}

/** A coordinator over a journal in memory, and time that a test moves. */
function createScene() {
  const lines: string[] = [];
  const numbers = new Map<string, number>();
  let now = Date.UTC(2026, 10, 21, 12);
  let full = false;
  let resolved: Resolved | Unresolved = RESOLVED;
  let scene = begin();

  function begin() {
    const state = emptyPool();
    for (const line of lines) applyToPool(state, JSON.parse(line));
    const coordinator = createCoordinator({
      state: () => state,
      append(whats, by) {
        if (full) throw new Error("full");
        const events = whats.map((what, i) => ({
          v: 1,
          seq: lines.length + 1 + i,
          at: now,
          by,
          what,
        }));
        for (const event of events) {
          const line = JSON.stringify(event);
          lines.push(line);
          applyToPool(state, JSON.parse(line));
        }
        return events;
      },
      clock: { now: () => now },
      limits: () => LIMITS,
      newId: () => `t${state.tasks.size + 1}`,
      resolve: () => resolved,
      holdback: () => undefined,
      onChange: () => {},
    });
    return { state, coordinator };
  }

  return {
    get state() {
      return scene.state;
    },
    get c() {
      return scene.coordinator;
    },
    set full(is: boolean) {
      full = is;
    },
    set resolved(what: Resolved | Unresolved) {
      resolved = what;
    },
    pass: (ms: number) => now += ms,
    kinds: () => lines.map((line) => JSON.parse(line).what.type as string),
    /** Starts anew from the journal, its last `cut` lines lost. */
    restart(cut = 0) {
      lines.splice(lines.length - cut, cut);
      scene = begin();
    },
    report(attempts: WorkerAttempt[] = [], rest: Partial<WorkerReport> = {}): WorkerReport {
      const life = { ...LIFE, ...rest };
      const number = (numbers.get(life.incarnation) ?? 0) + 1;
      numbers.set(life.incarnation, number);
      return {
        number,
        version: "1",
        slots: 2,
        labels: [],
        sandboxes: ["none"],
        leaving: false,
        ...life,
        attempts,
      };
    },
    say(attempts: WorkerAttempt[] = [], rest: Partial<WorkerReport> = {}): WorkerOrders {
      return scene.coordinator.exchange(this.report(attempts, rest));
    },
    enrol(name = "w1") {
      scene.coordinator.enrol({ name, labels: [], proof: "", via: "http" }, "test");
    },
    submit(id = "t1") {
      scene.coordinator.submit(wishOf("do"), ORIGIN, id);
      return () => scene.state.tasks.get(id)!;
    },
  };
}

function ids(assign: WorkerOrders["assign"]): string[] {
  return assign.map(({ task, epoch }) => `${task}:${epoch}`);
}

test("a task is offered, taken up, done and settled, and the same report again changes nothing", () => {
  const s = createScene();
  s.enrol();
  const task = s.submit();
  assert.deepEqual(ids(s.say().assign), ["t1:1"]);
  s.say([told("t1", 1)]);
  assert.equal(task().status, "running");
  const last = s.report([told("t1", 1, wordOf("done"))]);
  const settled = [{ task: "t1", epoch: 1, committed: true }];
  assert.deepEqual(s.c.exchange(last).settled, settled);
  assert.equal(task().status, "succeeded");
  const before = s.kinds();
  assert.deepEqual(s.c.exchange(last).settled, settled);
  assert.deepEqual(s.kinds(), before);
});

test("a report that names an attempt twice, or two attempts of a task, does not spoil the journal", () => {
  const s = createScene();
  s.enrol();
  const task = s.submit();
  s.say();
  const done = told("t1", 1, wordOf("done"));
  s.say([told("t1", 1), told("t1", 1), done, done, told("t1", 1, wordOf("failed"))]);
  assert.equal(task().status, "succeeded");
  assert.equal(s.kinds().filter((kind) => kind === "task-ended").length, 1);
  s.restart();
  assert.equal(task().status, "succeeded");

  const other = s.submit("t2");
  s.say();
  s.say([told("t2", 1)]);
  s.pass(LEASE_MS + GRACE_MS + 1);
  s.c.step();
  s.pass(60_000);
  s.say();
  assert.equal(other().epoch, 2);
  s.say([told("t2", 1, wordOf("done")), told("t2", 2, wordOf("done"))]);
  s.restart();
  assert.equal(other().status, "succeeded");
  assert.deepEqual(other().attempts.map(({ report, discarded }) => [report?.end, discarded]), [
    ["done", false],
    [undefined, true],
  ]);
});

test("another worker cannot speak for an attempt, and no one for a task that is not there", () => {
  const s = createScene();
  s.enrol();
  s.enrol("w2");
  const task = s.submit();
  const one = s.say();
  const holder = one.assign.length > 0 ? "w1" : "w2";
  const other = { worker: holder === "w1" ? "w2" : "w1", incarnation: "x" };
  const orders = s.say([told("t1", 1, wordOf("done")), told("no", 7, wordOf("done"))], other);
  assert.deepEqual(orders.settled.map(({ committed }) => committed), [false, false]);
  assert.equal(task().status, "assigned");
});

for (const cut of [1, 2]) {
  test(`a coordinator that died ${cut} events before the end of a result goes on from there`, () => {
    const s = createScene();
    s.enrol();
    const task = s.submit();
    s.say();
    s.say([told("t1", 1)]);
    s.say([told("t1", 1, wordOf("done"))]);
    assert.deepEqual(s.kinds().slice(-2), ["attempt-ended", "task-ended"]);
    s.restart(cut);
    s.c.step();
    assert.equal(task().status, cut === 1 ? "succeeded" : "running");
    s.say([told("t1", 1, wordOf("done"))]);
    assert.equal(task().status, "succeeded");
  });
}

test("a failure whose consequence was not written is tried again after a restart", () => {
  const s = createScene();
  s.enrol();
  const task = s.submit();
  s.say();
  s.say([told("t1", 1, wordOf("crashed", { passing: true }))]);
  assert.equal(s.kinds().at(-1), "task-requeued");
  s.restart(1);
  assert.equal(task().status, "running");
  s.c.step();
  assert.equal(task().status, "queued");
});

test("a cancellation of which only the wish was written is carried out after a restart", () => {
  const s = createScene();
  const task = s.submit();
  s.c.cancel("t1", "no", "test");
  s.restart(1);
  assert.equal(task().status, "queued");
  s.c.step();
  assert.equal(task().status, "cancelled");
});

test("an offer that may have been taken up is not made to another before its worker gave it up", () => {
  const s = createScene();
  s.enrol();
  s.enrol("w2");
  const task = s.submit();
  const w2 = { worker: "w2", incarnation: "life-2", host: "h2" };
  s.say([], w2);
  assert.equal(task().attempts[0]!.worker, "w2");
  // Heard again and answered with the offer, which it begins: its next report is not there yet.
  s.pass(OFFER_MS - 1_000);
  assert.deepEqual(ids(s.say([], w2).assign), ["t1:1"]);
  s.pass(2_000);
  s.say();
  assert.deepEqual([task().epoch, task().status], [1, "assigned"]);
  s.pass(OFFER_MS);
  s.say();
  assert.deepEqual([task().epoch, task().attempts[1]?.worker], [2, "w1"]);
});

test("an offer that a living worker leaves lying goes to somebody else after a minute", () => {
  const s = createScene();
  s.enrol();
  const task = s.submit();
  for (let i = 0; i < 5; i++) {
    assert.deepEqual(ids(s.say().assign), ["t1:1"]);
    s.pass(14_000);
  }
  assert.deepEqual(ids(s.say().assign), ["t1:2"]);
  assert.deepEqual(task().attempts[0]!.lost, 'worker "w1" did not take up attempt 1');
});

test("a cancelled offer ends when its worker says that it did not begin, and not before", () => {
  const s = createScene();
  s.pass(OFFER_MS + 1);
  s.enrol();
  const task = s.submit();
  s.say();
  s.c.cancel("t1", "no", "test");
  assert.equal(task().status, "assigned");
  assert.deepEqual(s.say().assign, []);
  assert.equal(task().status, "cancelled");

  const other = s.submit("t2");
  s.say();
  s.c.cancel("t2", "no", "test");
  const orders = s.say([told("t2", 1)]);
  assert.deepEqual(orders.cancel, [{ task: "t2", epoch: 1, why: "no" }]);
  s.say([told("t2", 1, wordOf("cancelled"))]);
  assert.equal(other().status, "cancelled");
});

for (const isRestarted of [false, true]) {
  const when = isRestarted ? "after a restart" : "that was answered";
  test(`a copy of a report ${when} does not withdraw an offer that was taken up since`, () => {
    const s = createScene();
    s.pass(OFFER_MS + 1);
    s.enrol();
    const task = s.submit();
    const answered = s.report();
    assert.equal(s.c.exchange(answered).assign.length, 1);
    if (isRestarted) {
      // Old, and offered again just before.
      s.pass(OFFER_MS - 1);
      s.say();
      s.pass(2);
      s.restart();
    }
    s.c.exchange(answered);
    assert.equal(task().status, "assigned");
    s.c.cancel("t1", "no", "test");
    s.c.exchange(answered);
    assert.equal(task().status, "assigned");
    s.say([told("t1", 1)]);
    assert.equal(task().status, "running");
  });
}

test("an attempt that its worker ended without being asked is tried again, not cancelled", () => {
  const s = createScene();
  s.enrol();
  const task = s.submit();
  s.say();
  s.say([told("t1", 1, wordOf("cancelled"))]);
  assert.equal(task().status, "queued");
});

test("a copy of an old report is no sign of life and takes nothing back", () => {
  const s = createScene();
  s.enrol();
  const task = s.submit();
  const old = s.report();
  s.c.exchange(old);
  s.say([told("t1", 1)]);
  s.pass(LEASE_MS);
  s.c.exchange(old);
  s.pass(GRACE_MS + 1);
  assert.equal(task().status, "running");
  s.c.step();
  assert.equal(task().status, "queued");
});

test("P4: what a dead worker had is offered again after its lease and the grace, and no earlier", () => {
  const s = createScene();
  s.enrol();
  const task = s.submit();
  s.say();
  s.say([told("t1", 1)]);
  s.pass(LEASE_MS + GRACE_MS);
  s.c.step();
  assert.equal(task().status, "running");
  s.pass(1);
  s.c.step();
  assert.equal(task().status, "queued");
});

test("a coordinator that was away gives every worker a whole lease to be heard again", () => {
  const s = createScene();
  s.enrol();
  const task = s.submit();
  s.say();
  s.say([told("t1", 1)]);
  s.pass(3 * LEASE_MS);
  s.restart();
  s.c.step();
  assert.equal(task().status, "running");
  s.pass(LEASE_MS);
  s.say([told("t1", 1)]);
  s.pass(LEASE_MS);
  s.c.step();
  assert.equal(task().status, "running");
});

test("a new life of a worker on its machine replaces the former one at once", () => {
  const s = createScene();
  s.enrol();
  const task = s.submit();
  s.say();
  s.say([told("t1", 1)]);
  const next = { incarnation: "life-2", startedAt: 2_000 };
  s.say([], next);
  assert.equal(task().status, "running", "one report may be a copy of a life long gone");
  s.say([], next);
  assert.equal(task().attempts[0]!.lost, 'worker "w1" was started anew');
  const orders = s.say([told("t1", 1)]);
  assert.equal(orders.stop, true);
  assert.match(orders.dismissed!, /another worker "w1" was started/);
});

test("a new life elsewhere does not take over what the former one may still run", () => {
  const s = createScene();
  s.enrol();
  const task = s.submit();
  s.say();
  s.say([told("t1", 1)]);
  const elsewhere = { incarnation: "life-2", startedAt: 2_000, host: "h2" };
  s.say([], elsewhere);
  s.say([], elsewhere);
  assert.equal(task().status, "running");
  // It hears that it is not wanted, ends its agent and says so.
  assert.equal(s.say([told("t1", 1)]).stop, true);
  s.say([told("t1", 1, wordOf("cancelled"))]);
  assert.equal(task().status, "queued");
});

test("a late report of a former life does not disturb the one that came after it", () => {
  const s = createScene();
  s.enrol();
  const task = s.submit();
  const late = s.report([], { incarnation: "life-0", startedAt: 500 });
  s.say();
  s.say([told("t1", 1)]);
  s.restart();
  assert.equal(s.c.exchange(late).assign.length, 0);
  assert.equal(task().status, "running");
  s.say([told("t1", 1)]);
  assert.equal(task().status, "running");
  assert.match(s.c.ordersFor(late).dismissed!, /another worker/);
});

test("a worker whose clock was set back is heard when its former life is silent for a lease", () => {
  const s = createScene();
  s.enrol();
  s.say();
  const back = { incarnation: "life-2", startedAt: 1 };
  assert.match(s.say([], back).dismissed!, /another/);
  s.pass(LEASE_MS + GRACE_MS + 1);
  assert.equal(s.say([], back).dismissed, undefined);
});

test("a result that was told not to count never counts afterwards", () => {
  const s = createScene();
  s.enrol();
  const task = s.submit();
  s.say();
  s.say([told("t1", 1)]);
  s.pass(LEASE_MS + GRACE_MS + 1);
  s.c.step();
  const first = s.say([told("t1", 1, wordOf("fenced"))]);
  assert.deepEqual(first.settled, [{ task: "t1", epoch: 1, committed: false }]);
  const second = s.say([told("t1", 1, wordOf("done"))]);
  assert.deepEqual(second.settled, [{ task: "t1", epoch: 1, committed: false }]);
  assert.notEqual(task().status, "succeeded");
});

test("a late result counts as long as nobody else has begun, and not afterwards", () => {
  for (const isBegun of [false, true]) {
    const s = createScene();
    s.enrol();
    s.enrol("w2");
    const task = s.submit();
    const w2 = { worker: "w2", incarnation: "life-2" };
    s.say();
    s.say([told("t1", 1)]);
    s.pass(LEASE_MS + GRACE_MS + 1);
    s.c.step();
    s.pass(20_000);
    s.say([], w2);
    assert.equal(task().attempts[1]?.worker, "w2");
    if (isBegun) s.say([told("t1", 2)], w2);
    const { settled } = s.say([told("t1", 1, wordOf("done"))]);
    assert.equal(settled[0]!.committed, !isBegun);
    assert.equal(task().status, isBegun ? "running" : "succeeded");
    const late = s.say([told("t1", 2, wordOf("done"))], w2);
    assert.equal(late.settled[0]!.committed, isBegun);
    const booked = s.state.spent.reduce((sum, { attempts, usd }) => sum + attempts * usd, 0);
    assert.equal(booked, 2 * 0.5 * 1, "both were paid for, each once");
  }
});

test("what was given up is not given to another while a living worker still runs it", () => {
  const s = createScene();
  s.enrol();
  s.enrol("w2");
  const task = s.submit();
  s.say();
  s.say([told("t1", 1)]);
  // The coordinator's clock was set forward.
  s.pass(2 * LEASE_MS);
  s.c.step();
  assert.equal(task().status, "queued");
  s.say([told("t1", 1)]);
  s.pass(30_000);
  s.say([], { worker: "w2", incarnation: "life-2" });
  s.say([told("t1", 1)]);
  assert.equal(task().epoch, 1);
  assert.equal(s.say([told("t1", 1, wordOf("done"))]).settled[0]!.committed, true);
});

test("a running attempt that its own worker does not know any more is tried again", () => {
  const s = createScene();
  s.enrol();
  const task = s.submit();
  s.say();
  const begun = s.report([told("t1", 1)]);
  s.c.exchange(begun);
  s.c.exchange({ ...begun, attempts: [] });
  assert.equal(task().status, "running", "a copy says nothing");
  s.say();
  assert.equal(task().status, "queued");
});

test("a dead task that is tried anew has all its attempts again, and is not dead for an offer", () => {
  const s = createScene();
  s.enrol();
  const task = s.submit();
  for (let epoch = 1; epoch <= LIMITS.maxAttempts; epoch++) {
    s.pass(1_000_000);
    s.say();
    s.say([told("t1", epoch, wordOf("crashed", { passing: true }))]);
  }
  assert.equal(task().status, "dead");
  s.c.acknowledge("t1", "test");
  s.c.retry("t1", "test");
  assert.equal(task().acknowledged, false);
  s.say();
  s.pass(OFFER_MS + 1);
  s.say();
  assert.equal(task().status, "assigned");
  s.say([told("t1", task().epoch, wordOf("crashed", { passing: true }))]);
  assert.equal(task().status, "queued");
});

test("a drained or leaving worker is given nothing, and its offers go to others", () => {
  for (const how of ["drain", "leave", "stop"] as const) {
    const s = createScene();
    s.pass(OFFER_MS + 1);
    s.enrol();
    const task = s.submit();
    s.say();
    s.pass(OFFER_MS + 1);
    s.restart();
    s.pass(OFFER_MS + 1);
    if (how === "drain") s.c.drain("w1", true, "test");
    if (how === "stop") s.c.stop({ now: false, why: "stop" }, "test");
    const orders = s.say([], { leaving: how === "leave" });
    assert.deepEqual(orders.assign, []);
    assert.equal(orders.drain, how !== "leave");
    assert.equal(task().status, "queued", how);
  }
});

test("the emergency stop ends what runs and what may have begun", () => {
  const s = createScene();
  s.enrol();
  const one = s.submit("t1");
  const two = s.submit("t2");
  const three = s.submit("t3");
  s.say();
  s.say([told("t1", 1)]);
  s.c.stop({ now: true, why: "red button" }, "test");
  assert.equal(s.say([told("t1", 1), told("t2", 1)]).stop, true);
  const cancelled = wordOf("cancelled");
  s.say([told("t1", 1, cancelled), told("t2", 1, cancelled)]);
  assert.deepEqual([one().status, two().status, three().status], [
    "cancelled",
    "cancelled",
    "queued",
  ]);
});

test("what a removed worker runs is not begun elsewhere before it can have ended", () => {
  const s = createScene();
  s.enrol();
  s.enrol("w2");
  const task = s.submit();
  s.say();
  s.say([told("t1", 1)]);
  s.c.remove("w1", "test");
  s.say([], { worker: "w2", incarnation: "life-2" });
  assert.equal(task().status, "running");
  const orders = s.say([told("t1", 1)]);
  assert.deepEqual([orders.stop, orders.dismissed], [true, 'worker "w1" is not in the pool']);
  s.say([told("t1", 1, wordOf("cancelled"))]);
  assert.equal(task().status, "queued");
});

test("a disk that refuses has heard nothing: nothing is settled, and the same word counts later", () => {
  const s = createScene();
  s.enrol();
  const task = s.submit();
  s.say();
  s.say([told("t1", 1)]);
  const report = s.report([told("t1", 1, wordOf("done"))]);
  s.full = true;
  assert.throws(() => s.c.exchange(report), /full/);
  assert.deepEqual(s.c.ordersFor(report).settled, []);
  s.full = false;
  assert.deepEqual(s.c.exchange(report).settled, [{ task: "t1", epoch: 1, committed: true }]);
  assert.equal(task().status, "succeeded");
});

test("an attempt of an older epoch has a slot of its own", () => {
  const s = createScene();
  s.enrol();
  s.submit("t1");
  s.say([], { slots: 1 });
  s.say([told("t1", 1)], { slots: 2 });
  s.pass(LEASE_MS + GRACE_MS + 1);
  s.c.step();
  s.submit("t2");
  s.submit("t3");
  const orders = s.say([told("t1", 1)], { slots: 2 });
  assert.equal(orders.assign.length, 1);
});

test("D.11.25: a task whose id begins like another's is another task", () => {
  const s = createScene();
  s.enrol();
  s.submit("discord-123");
  const short = s.submit("discord-12");
  assert.deepEqual(ids(s.say().assign).sort(), ["discord-123:1", "discord-12:1"].sort());
  s.say([told("discord-123", 1, wordOf("done")), told("discord-12", 1)]);
  assert.equal(short().status, "running");
});

test("D.11.6: the task of a worker that dies is done by another", () => {
  const s = createScene();
  s.enrol();
  s.enrol("w2");
  const task = s.submit();
  s.say();
  s.say([told("t1", 1)]);
  s.pass(LEASE_MS + GRACE_MS + 1);
  s.c.step();
  s.pass(20_000);
  const w2 = { worker: "w2", incarnation: "life-2" };
  assert.deepEqual(ids(s.say([], w2).assign), ["t1:2"]);
  s.say([told("t1", 2, wordOf("done"))], w2);
  assert.equal(task().status, "succeeded");
});

test("no event of a hostile worker's reports makes the fold throw", () => {
  const s = createScene();
  s.enrol();
  const kinds: AttemptReport["end"][] = [
    "done",
    "failed",
    "cancelled",
    "timed-out",
    "fenced",
    "crashed",
    "refused",
  ];
  let seed = 7;
  const below = (n: number) => (seed = (seed * 48_271) % 2_147_483_647) % n;
  for (let i = 0; i < 5; i++) s.submit(`t${i}`);
  for (let i = 0; i < 3_000; i++) {
    const attempts = Array.from({ length: below(6) }, () => {
      const word = below(2) === 0 ? undefined : wordOf(kinds[below(7)]!, { passing: below(2) > 0 });
      return told(`t${below(6)}`, 1 + below(5), word);
    });
    s.say(attempts, {
      incarnation: `life-${below(3)}`,
      startedAt: below(5),
      leaving: below(9) > 7,
    });
    if (below(20) === 0) s.c.retry(`t${below(5)}`, "test");
    if (below(40) === 0) s.c.cancel(`t${below(5)}`, "no", "test");
    if (below(50) === 0) s.restart();
    s.pass(below(100_000));
    s.c.step();
  }
  s.restart();
  assert.ok(s.kinds().length > 50);
  const all: PoolHappening["type"][] = ["attempt-ended", "attempt-lost", "result-discarded"];
  for (const kind of all) assert.ok(s.kinds().includes(kind), kind);
});

test("a task that may have no other attempt ends with the reason; one that cannot begin now waits", () => {
  const s = createScene();
  s.enrol();
  const first = s.submit("t1");
  s.say();
  s.say([told("t1", 1)]);
  s.say([told("t1", 1, wordOf("failed", { passing: true, cause: "429" }))]);
  assert.equal(first().status, "queued");
  s.resolved = { cannot: "there is no backend any more" };
  s.pass(3_600_000);
  s.c.step();
  assert.equal(first().status, "queued");
  s.resolved = { cannot: "the task's budget of $1 is used up", isFinal: true };
  s.c.step();
  assert.deepEqual([first().status, first().why], ["failed", "the task's budget of $1 is used up"]);
});

test("what workers would not understand is no id of a task", () => {
  const s = createScene();
  for (const id of ["s-every-12:06", "../x", "", "a b", "x".repeat(101)]) {
    assert.throws(() => s.submit(id), /no id of a task/, id);
  }
  assert.deepEqual(s.kinds(), []);
});
