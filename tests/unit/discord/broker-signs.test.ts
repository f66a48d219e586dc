import assert from "node:assert/strict";
import { test } from "node:test";
import type { Conversation } from "../../../lib/chat/chat-state.ts";
import { EMOJIS, SIGN_TIMING } from "../../../lib/chat/signs.ts";
import type { Turn } from "../../../lib/chat/turn.ts";
import { createBrokerSigns } from "../../../lib/discord/broker-signs.ts";
import type { Message } from "../../../lib/discord/message.ts";
import type { Spot } from "../../../lib/discord/reactions.ts";
import { brokerMemoryInRam } from "../../support/broker-memory-in-ram.ts";
import { arrival } from "../../support/chat-scene.ts";
import { createSteppedClock } from "../../support/stepped-clock.ts";

test("the sign of a message above its thread finds it there, also when the turn is told meanwhile", async (t) => {
  const place = { ...arrival("5", "").place, threadId: undefined };
  const record = {
    id: "5-1",
    begunAt: 0,
    messages: [{ arrival: arrival("5", "hello", { place }), tries: 1 }],
    ending: undefined,
  };
  const one = { id: "5", where: { channelId: "5", replies: false }, turn: record, untold: [] };
  const conversation = one as unknown as Conversation;
  const looked = Promise.withResolvers<Message>();
  const changes: string[] = [];
  const note = (what: string) => ({ channelId, messageId }: Spot, emoji: string) =>
    void changes.push(`${what}${emoji} ${channelId}/${messageId}`);
  const signs = createBrokerSigns({
    rest: { message: () => looked.promise },
    reactions: { add: note("+"), remove: note("-"), settled: () => Promise.resolve() },
    memory: brokerMemoryInRam(),
    clock: createSteppedClock(),
    style: () => ({ enabled: true, removeAfterReply: false, emojis: EMOJIS, timing: SIGN_TIMING }),
    find: () => conversation,
    log() {},
  });
  t.after(() => signs[Symbol.asyncDispose]());
  const turn: Turn = {
    id: "5-1",
    conversation: "5",
    messages: ["5"],
    state: { kind: "done" },
    startedAt: 0,
    activeAt: 0,
    tools: [],
    text: "hello",
    use: undefined,
  };
  signs.show(turn);
  conversation.turn = undefined;
  looked.resolve({ reactions: ["👀"] } as unknown as Message);
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(changes, ["+🆗 100/5", "-👀 100/5"]);
});
