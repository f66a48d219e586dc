import { test } from "node:test";
import assert from "node:assert/strict";
import { homesOfLive } from "../../../lib/sweep/live-homes.ts";
import { fromPlain, toPlain } from "../../../lib/sweep/state.ts";
import { add, stateOf, submittedSweep } from "../../support/journal-of.ts";

test("homes of submissions that may be alive count once; without one, or ended, not at all", () => {
  const home = { path: "/w/a", inode: "18446744073709551615" };
  const [added, intended, accepted] = submittedSweep(2);
  assert.deepEqual(homesOfLive(stateOf([added!, intended!, accepted!])), []);
  const told = { ...intended!, home } as typeof intended & object;
  const state = stateOf([added!, told, accepted!]);
  assert.deepEqual(homesOfLive(state), [home]);
  const kept = fromPlain(JSON.parse(JSON.stringify(toPlain(state))));
  assert.deepEqual(homesOfLive(kept), [home]);
  add(state, { type: "noted", text: "nothing" }, 2);
  assert.deepEqual(homesOfLive(state), [home]);
  add(state, { type: "noted", text: "it is here", inode: "7" }, 3);
  assert.deepEqual(homesOfLive(state), [{ path: "/w/a", inode: "7" }]);
  const ended = [0, 1].map((task) => ({ submission: "s1", task, phase: "ended" as const }));
  add(state, { type: "attempts-changed", changes: ended.slice(1) }, 4);
  assert.equal(homesOfLive(state).length, 1);
  add(state, { type: "attempts-changed", changes: ended }, 5);
  assert.deepEqual(homesOfLive(state), []);
});
