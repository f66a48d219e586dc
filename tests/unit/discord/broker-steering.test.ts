import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ALICE,
  BOB,
  type BrokerDeskScene,
  brokerDeskScene,
  EVE,
  THREAD,
} from "../../support/broker-desk-scene.ts";

async function working(scene: BrokerDeskScene): Promise<void> {
  scene.hear("m1", "build it");
  await scene.until("the agent works", () => scene.prompts.length === 1);
}

test("C.4: /steer is said into the turn that runs, where its agent can hear it", async (t) => {
  const scene = brokerDeskScene(t, { isSteered: true });
  await working(scene);
  const shown = await scene.command("steer", { text: "use *make*" }, { user: BOB });
  assert.equal(
    shown.content,
    "↪️ **user8**\n> use \\*make\\*\n-# The agent has it, in the turn that runs.",
  );
  assert.deepEqual(scene.steered, ["user8 says into this turn: use *make*"]);
  scene.prompts[0]!.end({ kind: "done", text: "made" });
  await scene.until("it is over", () => scene.broker.turns().length === 0);
  assert.equal(scene.prompts.length, 1);
  const [turn] = scene.state().conversations.get(THREAD)!.untold;
  assert.deepEqual(turn!.steered.map(({ text }) => text), scene.steered);
  assert.equal(scene.audit.at(-1)!.fields["taken"], true);
});

test("C.4: where the agent cannot hear it, the turn is stopped and this is done next, with what waits", async (t) => {
  const scene = brokerDeskScene(t);
  await working(scene);
  scene.hear("m2", "and that");
  const shown = await scene.command("steer", { text: "stop, do this" }, { user: BOB });
  assert.match(shown.content!, /The turn that runs is stopped, and this is done next\.$/);
  await scene.until("it is asked", () => scene.prompts.length === 2);
  assert.equal(scene.prompts[1]!.text, "and that\nstop, do this");
  assert.deepEqual(
    scene.seen.filter(({ state }) => state.kind === "cancelled").map(({ messages }) => messages),
    [["m1"]],
  );
  const heard = scene.journal.flatMap((one) => one.type === "message-heard" ? [one.arrival] : []);
  const { author, content, place } = heard.at(-1)!;
  assert.deepEqual([author.id, content, place.threadId], [BOB, "stop, do this", THREAD]);
});

test("without a turn, without words, or from a stranger it does nothing", async (t) => {
  const scene = brokerDeskScene(t);
  assert.match((await scene.command("steer", { text: "x" })).content!, /no conversation here yet/);
  await working(scene);
  assert.match((await scene.command("steer", { text: "  " })).content!, /Say it in 1 to 1500/);
  assert.match((await scene.command("steer", { text: "x" }, { user: EVE })).content!, /may not/);
  scene.prompts[0]!.end({ kind: "done", text: "made" });
  await scene.until("it is over", () => scene.broker.turns().length === 0);
  const late = await scene.command("steer", { text: "x" }, { user: ALICE });
  assert.match(late.content!, /Nothing runs in this conversation/);
  assert.equal(late.ephemeral, true);
  assert.equal(scene.journal.filter(({ type }) => type === "message-heard").length, 1);
});
