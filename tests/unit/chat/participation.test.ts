import assert from "node:assert/strict";
import test from "node:test";
import {
  forgetConversation,
  noteBot,
  otherBots,
  packParticipation,
  tookPart,
  unpackParticipation,
} from "../../../lib/chat/participation.ts";
import { CHANNEL, ME, OTHER_BOT, THREAD } from "./arrivals.ts";

const NONE = unpackParticipation();

test("A.17.26: a bot does not leave a thread, however much is said after it", () => {
  let known = noteBot(NONE, THREAD, ME);
  for (let i = 0; i < 1000; i++) known = noteBot(known, `${10_000 + i}`, OTHER_BOT);
  assert.equal(tookPart(known, THREAD, ME), true);
});

test("A.17.16: a bot's word in a channel says nothing of the threads below it, and the reverse", () => {
  const known = noteBot(noteBot(NONE, CHANNEL, OTHER_BOT), THREAD, ME);
  assert.deepEqual(otherBots(known, THREAD, ME), []);
  assert.deepEqual(otherBots(known, CHANNEL, ME), [OTHER_BOT]);
  assert.equal(tookPart(known, CHANNEL, ME), false);
});

test("other bots are told in the order in which they first spoke, without oneself", () => {
  const known = [ME, "903", OTHER_BOT, "903"].reduce((all, bot) => noteBot(all, THREAD, bot), NONE);
  assert.deepEqual(otherBots(known, THREAD, ME), ["903", OTHER_BOT]);
});

test("what is known already makes no new value, so that nothing is written for it", () => {
  const known = noteBot(NONE, THREAD, ME);
  assert.equal(noteBot(known, THREAD, ME), known);
  assert.equal(forgetConversation(known, CHANNEL), known);
  assert.equal(tookPart(NONE, THREAD, ME), false, "the first value is left as it was");
});

test("B.32: it comes back from a file as it was, and a thread that is gone is forgotten", () => {
  const known = noteBot(noteBot(noteBot(NONE, THREAD, ME), THREAD, OTHER_BOT), "__proto__", ME);
  const again = unpackParticipation(JSON.parse(JSON.stringify(packParticipation(known))));
  assert.deepEqual(again, known);
  assert.equal(tookPart(forgetConversation(again, THREAD), THREAD, ME), false);
  assert.equal(tookPart(again, "constructor", ME), false);
});
