import assert from "node:assert/strict";
import { test } from "node:test";
import { placeOfLive } from "../../../lib/sweep/place-of-live.ts";
import { fromPlain, toPlain } from "../../../lib/sweep/state.ts";
import { add, stateOf, submittedSweep } from "../../support/journal-of.ts";

const THERE = { host: "login", folder: "herd/lr" };

test("jobs live where they were meant to be submitted, until the last of them has ended", () => {
  const [added, intended, accepted] = submittedSweep(2);
  assert.equal(placeOfLive(stateOf([added!])), undefined);
  assert.equal(placeOfLive(stateOf([added!, intended!, accepted!])), "here");
  const told = { ...intended!, there: THERE } as typeof intended & object;
  // Whether it arrived is not known yet: it may be there.
  assert.deepEqual(placeOfLive(stateOf([added!, told])), THERE);
  const state = stateOf([added!, told, accepted!]);
  const kept = fromPlain(JSON.parse(JSON.stringify(toPlain(state))));
  assert.deepEqual(placeOfLive(kept), THERE);
  const ended = [0, 1].map((task) => ({ submission: "s1", task, phase: "ended" as const }));
  add(state, { type: "attempts-changed", changes: ended.slice(1) }, 4);
  assert.deepEqual(placeOfLive(state), THERE);
  add(state, { type: "attempts-changed", changes: ended }, 5);
  assert.equal(placeOfLive(state), undefined);
});
