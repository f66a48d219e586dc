import assert from "node:assert/strict";
import { test } from "node:test";
import type { Happening } from "../../../lib/sweep/event.ts";
import { createScene, MINUTE, planText, says, traceback } from "../../support/ground.ts";
import type { SceneOptions } from "../../support/ground.ts";
import type { Fate } from "../../support/fated-cluster.ts";

const FLAKY = (trial: number, attempt: number): Fate =>
  trial === 2 && attempt === 1
    ? { runMs: 5 * MINUTE, end: "failed", stderr: traceback("ValueError: bad start") }
    : {};

/** Dies once, after the first event that is so. */
function diesAfter(is: (event: Happening) => boolean): Pick<SceneOptions, "dies"> {
  let deaths = 1;
  return { dies: (at) => "event" in at && is(at.event) && deaths-- > 0 };
}

test("a verdict that nobody was told of before the daemon died is told by the next, once", async () => {
  const death = diesAfter(({ type }) => type === "triaged");
  using scene = createScene({ trials: 4, plan: planText(), fate: FLAKY, ...death });
  await scene.run();
  assert.equal(scene.texts("resubmitting trial 2 once").length, 0);
  await scene.run();
  assert.equal(scene.texts("resubmitting trial 2 once").length, 1);
  await scene.run();
  assert.equal(scene.texts("resubmitting trial 2 once").length, 1);
});

test("a halt that was said as it was made is not said again after a crash", async () => {
  const fate = (trial: number): Fate =>
    trial > 0 ? { runMs: MINUTE, end: "failed", stderr: traceback("KeyError: 'x'") } : {};
  const death = diesAfter((event) => event.type === "said" && event.said.text.includes("halted:"));
  using scene = createScene({ trials: 3, plan: planText(), fate, ...death });
  await scene.run();
  assert.equal(scene.texts(/^halted: .*\(idx 2\)/).length, 1);
  await scene.run();
  assert.equal(scene.texts(/^halted: .*\(idx 2\)/).length, 1);
});

test("the report is asked for by the next daemon when one dies at the very end", async () => {
  const death = diesAfter((event) => event.type === "phase-entered" && event.phase === "done");
  const think: SceneOptions["think"] = (request) => says(request, "All went well.");
  using scene = createScene({ trials: 3, plan: planText(), think, ...death });
  await scene.run();
  assert.deepEqual(scene.asked, []);
  await scene.run();
  assert.deepEqual(scene.asked.map(({ purpose }) => purpose), ["report"]);
});

test("what a tick left to ask as a message came first is asked after a crash", async () => {
  let isAsked = false;
  const death = diesAfter(({ type }) => type === "ticked" && isAsked);
  using scene = createScene({
    trials: 3,
    plan: planText(),
    think(request) {
      isAsked = request.purpose === "message";
      return says(request, "All went well.");
    },
    dies(at) {
      // Somebody speaks in the moment in which the sweep ends.
      if ("event" in at && at.event.type === "phase-entered" && at.event.phase === "done") {
        void scene.say("how did it go, in your own words?");
      }
      return death.dies!(at);
    },
  });
  await scene.run();
  assert.deepEqual(scene.asked.map(({ purpose }) => purpose), ["message"]);
  assert.deepEqual(Object.keys(scene.of("ticked").at(-1)!.tick.owed ?? {}), ["report"]);
  await scene.run();
  assert.deepEqual(scene.asked.map(({ purpose }) => purpose), ["message", "report"]);
  assert.equal(scene.of("ticked").at(-1)!.tick.owed, undefined);
});

test("an end that came while no daemon lived is told as news, though nobody was told of anything before", async () => {
  const death = diesAfter(({ type }) => type === "submission-accepted");
  using scene = createScene({ trials: 1, plan: planText(), ...death });
  await scene.run();
  assert.deepEqual(scene.posts().flatMap(({ trials = [] }) => trials), []);
  // Its one trial ends meanwhile.
  await scene.ground.clock.sleep(60 * MINUTE);
  await scene.run();
  const told = scene.posts().filter(({ kind }) => kind === "completed");
  assert.deepEqual(told.map(({ trials }) => trials), [[[0, "completed"]]]);
});
