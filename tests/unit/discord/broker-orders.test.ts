import assert from "node:assert/strict";
import { test } from "node:test";
import { DISPATCH_DEFAULTS } from "../../../lib/chat/broker-defaults.ts";
import { createBrokerOrders } from "../../../lib/discord/broker-orders.ts";
import {
  ALICE,
  type BrokerDeskScene,
  brokerDeskScene,
  EVE,
  MARK,
  THREAD,
} from "../../support/broker-desk-scene.ts";
import { arrival } from "../../support/chat-scene.ts";

const ME = "900";

function ordersOf(scene: BrokerDeskScene, words = DISPATCH_DEFAULTS.words) {
  return createBrokerOrders({
    broker: scene.broker,
    forget: scene.permissions.forget,
    state: scene.state,
    rules: () => scene.rules,
    words: () => words,
    rest: scene.discord.rest,
    mark: () => MARK,
    audit: (event, fields) => void scene.audit.push({ event, fields }),
    log() {},
  });
}

async function working(scene: BrokerDeskScene): Promise<void> {
  scene.hear("m1", "build it");
  await scene.until("the agent works", () => scene.prompts.length === 1);
}

const withdrawn = (scene: BrokerDeskScene) =>
  scene.journal.flatMap((one) => one.type === "message-withdrawn" ? [one.message] : []);

test("C.4: a lone stop of somebody who may talk ends the turn that runs, and says so", async (t) => {
  const scene = brokerDeskScene(t);
  const order = ordersOf(scene);
  await working(scene);
  scene.hear("m2", "next");
  assert.equal(order(arrival("s1", "<@900> Stop!"), ME), true);
  await scene.until("the next is asked", () => scene.prompts.length === 2);
  await scene.until("it is said", () => scene.discord.texts(THREAD).length === 1);
  const [said] = scene.discord.messages;
  assert.match(
    said!.content,
    /turn in this conversation is ended; no job is touched\. One message/,
  );
  assert.equal(said!.outgoing.replyTo, "s1");
  assert.deepEqual(scene.seen.find(({ state }) => state.kind === "cancelled")!.state, {
    kind: "cancelled",
    by: "discord:7",
  });
  assert.equal(scene.audit.at(-1)!.event, "broker-word");
});

test("it is no order when nothing runs, when more is said, or when it is said by others", async (t) => {
  const scene = brokerDeskScene(t);
  const order = ordersOf(scene);
  assert.equal(order(arrival("s0", "stop"), ME), false);
  await working(scene);
  const others = ["stop it", "please stop", "<@901> stop", "reset", "stopp", "stop\nnow", ""];
  for (const [i, text] of others.entries()) {
    assert.equal(order(arrival(`o${i}`, text), ME), false, text);
  }
  const author = arrival("", "").author;
  for (const one of [{ ...author, id: EVE }, { ...author, id: ALICE, isBot: true }]) {
    assert.equal(order(arrival("e1", "stop", { author: one }), ME), false);
  }
  const file = { id: "1", name: "a", url: "https://x/", bytes: 1, contentType: "" };
  assert.equal(order(arrival("f1", "stop", { attachments: [file] }), ME), false);
  const { place } = arrival("", "");
  const channel = { place: { ...place, threadId: undefined } };
  assert.equal(order(arrival("c1", "stop", channel), ME), false);
  assert.equal(scene.broker.turns()[0]!.state.kind, "running");
  assert.deepEqual(scene.discord.texts(THREAD), []);
});

test("read again after a gap or a restart, it ends no other turn and is no message", async (t) => {
  const scene = brokerDeskScene(t);
  const order = ordersOf(scene);
  await working(scene);
  scene.hear("m2", "next");
  const stop = arrival("s1", "stop");
  order(stop, ME);
  await scene.until("the next is asked", () => scene.prompts.length === 2);
  assert.equal(order(stop, ME), true);
  await scene.rest();
  assert.equal(scene.broker.turns()[0]!.state.kind, "running");
  assert.equal(scene.discord.texts(THREAD).length, 1);
  const later = brokerDeskScene(t, { journal: scene.journal });
  later.broker.start();
  await later.until("the turn goes on", () => later.prompts.length === 1);
  assert.equal(ordersOf(later)(stop, ME), true);
  await later.rest();
  assert.equal(later.broker.turns()[0]!.state.kind, "running");
  later.prompts[0]!.end({ kind: "done", text: "x" });
  await later.until("it is over", () => later.broker.turns().length === 0);
  assert.equal(ordersOf(later)(stop, ME), true);
  assert.equal(later.hear("s1", "stop"), false);
});

test("the words are the configuration's, and a reset by word says what it did", async (t) => {
  const scene = brokerDeskScene(t);
  const order = ordersOf(scene, { stop: [], reset: ["vergiss"] });
  await working(scene);
  scene.hear("m2", "next");
  assert.equal(order(arrival("s1", "stop"), ME), false);
  assert.equal(order(arrival("s2", "VERGISS."), ME), true);
  await scene.until("it is told", () => scene.discord.texts(THREAD).length === 1);
  assert.match(scene.discord.texts(THREAD)[0]!, /has forgotten this conversation/);
  assert.equal(scene.state().conversations.get(THREAD)!.closed, "reset");
  assert.deepEqual(withdrawn(scene), ["m2"]);
});
