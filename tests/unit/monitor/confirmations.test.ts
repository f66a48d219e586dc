import assert from "node:assert/strict";
import { test } from "node:test";
import type { Outcome, Request } from "../../../lib/actions/desk.ts";
import type { Fate } from "../../support/fated-cluster.ts";
import { createScene, HOUR, MINUTE, planText } from "../../support/ground.ts";
import type { Scene } from "../../support/ground.ts";

const LONG: Fate = { runMs: 60 * HOUR };
const STOP_ALL: Request = { verb: "stop", indices: "all", reason: "the log says so" };

/** What came of requests that are made an hour after the start. */
function made(scene: Scene, by: string, requests: readonly Request[]): Outcome[] {
  const outcomes: Outcome[] = [];
  scene.after(HOUR, () =>
    void (async () => {
      for (const request of requests) outcomes.push(await scene.ground.act(request, by));
    })());
  return outcomes;
}

function reasonOf(outcome: Outcome | undefined): string {
  return outcome?.done === false ? outcome.reason : "done";
}

function open(scene: Scene): string {
  return scene.ground.state().monitor.confirmations[0]!.id;
}

test("what a model may not do is asked of people once, whatever reasons it gives", async () => {
  using scene = createScene({ trials: 1, plan: planText(), fate: () => LONG });
  const outcomes = made(scene, "agent", [
    STOP_ALL,
    STOP_ALL,
    { verb: "stop", indices: "all", reason: "URGENT: the owner ordered it" },
    { verb: "stop", indices: "all" },
  ]);
  await scene.run({ forMs: 2 * HOUR });
  assert.equal(outcomes.length, 4);
  assert.ok(outcomes.every((one) => /needs a person's yes/.test(reasonOf(one))));
  assert.equal(scene.of("confirmation-asked").length, 1);
  assert.equal(scene.texts("/confirm").length, 1);
  assert.match(scene.texts("/confirm")[0]!, /agent asks to stop all 1 live trial/);
  assert.deepEqual(scene.statuses(), ["running"]);
});

test("the order in which a model writes its fields makes no other question", async () => {
  using scene = createScene({ trials: 1, plan: planText(), fate: () => LONG });
  made(scene, "agent", [
    { verb: "bump", what: "memory", percent: 500, resubmit: true },
    { resubmit: true, percent: 500, what: "memory", verb: "bump" },
    { verb: "bump", what: "memory", percent: 400, resubmit: true },
  ]);
  await scene.run({ forMs: 2 * HOUR });
  assert.deepEqual(
    scene.of("confirmation-asked").map(({ confirmation }) => confirmation.what),
    ["ask for more memory (500 %)", "ask for more memory (400 %)"],
  );
});

test("a model cannot confirm, deny, or say yes in a message", async () => {
  using scene = createScene({ trials: 1, plan: planText(), fate: () => LONG });
  made(scene, "agent", [STOP_ALL]);
  const outcomes: Outcome[] = [];
  scene.after(2 * HOUR, () =>
    void (async () => {
      const id = open(scene);
      for (const by of ["agent", "mcp:alice"]) {
        for (const yes of [true, false]) {
          outcomes.push(await scene.ground.act({ verb: "confirm", id, yes }, by));
        }
      }
      const message = { id: "m1", from: "mcp:alice", name: "alice", text: `yes ${id}` };
      await scene.ground.record([{ type: "message-received", message }], message.from);
    })());
  await scene.run({ forMs: 3 * HOUR });
  assert.equal(outcomes.length, 4);
  assert.ok(outcomes.every((one) => /Only a person/.test(reasonOf(one))));
  assert.equal(scene.ground.state().monitor.pending.length, 0);
  assert.equal(scene.ground.state().monitor.confirmations.length, 1, "it is still open");
  assert.deepEqual(scene.statuses(), ["running"]);
});

test("a person's yes does it in the person's name, once, though two people say it", async () => {
  using scene = createScene({ trials: 1, plan: planText(), fate: () => LONG });
  made(scene, "agent", [STOP_ALL]);
  let outcomes: Outcome[] = [];
  scene.after(2 * HOUR, () =>
    void (async () => {
      const id = open(scene);
      outcomes = await Promise.all(
        ["cli:alice", "cli:bob"].map((by) =>
          scene.ground.act({ verb: "confirm", id, yes: true }, by)
        ),
      );
    })());
  await scene.run({ forMs: 3 * HOUR });
  assert.deepEqual(outcomes.map(({ done }) => done), [true, false]);
  assert.deepEqual(scene.statuses(), ["cancelled"]);
  const stops = scene.events.filter(({ what }) => what.type === "intent-set");
  assert.deepEqual(stops.map(({ by }) => by), ["cli:alice"]);
  assert.equal(scene.of("confirmation-answered").length, 1);
});

test("a yes is done by the next daemon when this one dies before it could act on it", async () => {
  let dead = false;
  using scene = createScene({
    trials: 1,
    plan: planText(),
    fate: () => LONG,
    dies: (at) => {
      const now = !dead && "event" in at && at.event.type === "confirmation-answered";
      dead ||= now;
      return now;
    },
  });
  made(scene, "agent", [STOP_ALL]);
  scene.after(
    2 * HOUR,
    () =>
      void scene.ground.act({ verb: "confirm", id: open(scene), yes: true }, "cli:alice").catch(
        () => {},
      ),
  );
  await scene.run({ forMs: 2.5 * HOUR }).catch(() => {});
  assert.deepEqual(scene.statuses(), ["running"]);
  await scene.run({ forMs: HOUR });
  assert.ok(dead);
  assert.deepEqual(scene.statuses(), ["cancelled"]);
  const stops = scene.events.filter(({ what }) => what.type === "intent-set");
  assert.deepEqual(stops.map(({ by }) => by), ["cli:alice"]);
  assert.equal(scene.of("confirmation-settled").length, 1);
  await scene.run({ forMs: HOUR });
  assert.equal(scene.of("confirmation-settled").length, 1, "and once");
});

test("a person's no does nothing, and nothing can be confirmed after it", async () => {
  using scene = createScene({ trials: 1, plan: planText(), fate: () => LONG });
  made(scene, "agent", [STOP_ALL]);
  let late: Outcome | undefined;
  scene.after(2 * HOUR, () =>
    void (async () => {
      const id = open(scene);
      await scene.ground.act({ verb: "confirm", id, yes: false }, "cli:alice");
      late = await scene.ground.act({ verb: "confirm", id, yes: true }, "cli:alice");
    })());
  await scene.run({ forMs: 3 * HOUR });
  assert.match(reasonOf(late), /nothing of that name waits/);
  assert.deepEqual(scene.statuses(), ["running"]);
});

test("no answer within a day is a no, which is said once, also after a restart", async () => {
  using scene = createScene({ trials: 1, plan: planText(), fate: () => LONG });
  made(scene, "agent", [STOP_ALL]);
  await scene.run({ forMs: 20 * HOUR });
  const id = open(scene);
  await scene.run({ forMs: 10 * HOUR });
  assert.equal(scene.texts("nobody answered whether to stop all").length, 1);
  const late = await scene.ground.act({ verb: "confirm", id, yes: true }, "cli:alice");
  assert.match(reasonOf(late), /nothing of that name waits/);
  assert.deepEqual(scene.statuses(), ["running"]);
});

test("a model that asks for ever more leaves people at most five questions", async () => {
  using scene = createScene({ trials: 9, plan: planText(), fate: () => LONG });
  const outcomes = made(
    scene,
    "mcp:alice",
    Array.from({ length: 9 }, (_, index): Request => ({ verb: "prune", indices: [index] })),
  );
  await scene.run({ forMs: 2 * HOUR });
  assert.equal(outcomes.length, 9);
  assert.equal(scene.texts("/confirm").length, 5);
  assert.match(reasonOf(outcomes.at(-1)), /5 questions wait already/);
});

test("a bump that submits again is no way past a halt", async () => {
  const fate = (): Fate => ({ runMs: MINUTE, end: "timeout" });
  using scene = createScene({ trials: 1, plan: planText({ remediation: "notify" }), fate });
  await scene.run({ forMs: HOUR });
  assert.deepEqual(scene.statuses(), ["failed"]);
  // Such a bump is within the caps of a plan that repairs.
  scene.ground.writePlan(planText({ remediation: "remediate" }));
  await scene.ground.record([{ type: "halted", why: "the same error" }]);
  const bump = { verb: "bump", what: "time", percent: 50, resubmit: true } as const;
  assert.match(reasonOf(await scene.ground.act(bump, "agent")), /although the sweep is halted/);
  assert.equal(scene.of("bumped").length, 0);
  assert.equal(scene.of("submission-intended").length, 1);
  await scene.ground.record([{ type: "unhalted" }]);
  assert.equal(reasonOf(await scene.ground.act(bump, "agent")), "done");
  assert.equal(scene.of("submission-intended").length, 2);
});

test("a model without a price under a budget is never asked, which is said once", async () => {
  using scene = createScene({
    trials: 1,
    more: "agent: {ticks: every, model: nobody-knows-it}",
    plan: planText(),
    fate: () => LONG,
    think: () => assert.fail("It must not be asked"),
  });
  const { thinking } = scene.ground;
  const refusal = 'The price of "nobody-knows-it" is not known';
  const ground = { usd: 0, reached: undefined, refusal };
  Object.assign(thinking, { budget: () => ground });
  await scene.run({ forMs: 5 * HOUR });
  assert.ok(scene.of("ticked").length > 4);
  assert.equal(scene.texts(refusal).length, 1, scene.texts().join("\n"));
});
