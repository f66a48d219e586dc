import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { SIGN_TIMING, type SignStyle } from "../../../lib/chat/signs.ts";
import type { Conversation } from "../../../lib/chat/chat-state.ts";
import type { Turn, TurnState } from "../../../lib/chat/turn.ts";
import { createBrokerSigns } from "../../../lib/discord/broker-signs.ts";
import { arrival, inThread } from "../../support/chat-scene.ts";
import { memoryDiscord, unreachable } from "../../support/discord-rest.ts";
import { createSteppedClock } from "../../support/stepped-clock.ts";
import { soon } from "../../support/soon.ts";

const RUNNING = { kind: "running" } as const;
const DONE = { kind: "done" } as const;

function scene(
  t: TestContext,
  { tries = 0, ...style }: Partial<SignStyle> & { tries?: number } = {},
) {
  const discord = memoryDiscord();
  const clock = createSteppedClock();
  const [first, second] = [discord.say("100", "one"), discord.say("200", "two")];
  const logged: string[] = [];
  const heard = [
    {
      arrival: arrival(first.id, "one", {
        place: { ...inThread("x").place!, threadId: undefined },
      }),
      tries,
    },
    { arrival: arrival(second.id, "two"), tries },
  ];
  const conversation = { turn: { messages: heard }, untold: [] } as unknown as Conversation;
  const signs = createBrokerSigns({
    rest: {
      react: (channel, id, emoji, signal) => {
        asked.push(channel);
        return discord.rest.react(channel, id, emoji, signal);
      },
      unreact: (channel, id, emoji, signal) => {
        asked.push(channel);
        return discord.rest.unreact(channel, id, emoji, signal);
      },
    },
    clock,
    style: () => ({
      enabled: true,
      removeAfterReply: false,
      emojis: {},
      timing: SIGN_TIMING,
      ...style,
    }),
    find: () => conversation,
    log: (_, message) => void logged.push(message),
  });
  const asked: string[] = [];
  t.after(() => signs[Symbol.asyncDispose]());
  const turn = (state: TurnState, more: Partial<Turn> = {}): Turn => ({
    ...{ id: "t", conversation: "200", messages: [first.id, second.id], state },
    ...{ startedAt: clock.now(), activeAt: clock.now(), tools: [], text: "", use: undefined },
    ...more,
  });
  const on = (id: string) => discord.messages.find((one) => one.id === id)!;
  on(first.id).reactions = ["👀"];
  on(second.id).reactions = ["👀"];
  const shown = () => [first, second].map(({ id }) => on(id).reactions.join(""));
  return { discord, clock, signs, turn, shown, on: () => on(second.id), logged, asked };
}

test("the last message bears the turn's sign, the others lose theirs at the end, each in its own channel", async (t) => {
  const { signs, turn, shown, clock, asked } = scene(t);
  signs.show(turn(RUNNING));
  await clock.sleeping((all) => all.length === 1);
  assert.deepEqual(shown(), ["👀", "👀"], "it has to last first");
  clock.advance(SIGN_TIMING.debounce);
  await soon("the sign", () => shown().join() === "👀,🤔");
  signs.show(turn(DONE));
  await soon("the end", () => shown().join() === ",🆗");
  assert.deepEqual(new Set(asked), new Set(["200", "100"]));
});

test("silence is shown by time alone, and a sign of life takes it back", async (t) => {
  const { signs, turn, shown, clock } = scene(t);
  signs.show(turn(RUNNING));
  for (const [after, sign] of [[700, "🤔"], [10_000, "🥱"], [30_000, "😨"]] as const) {
    await clock.sleeping((all) => all.length === 1);
    clock.advance(after);
    await clock.sleeping((all) => all.length === 1);
    clock.advance(SIGN_TIMING.debounce);
    await soon(sign, () => shown()[1] === sign);
  }
  signs.show(turn(RUNNING));
  await clock.sleeping((all) => all.includes(SIGN_TIMING.debounce));
  clock.advance(SIGN_TIMING.debounce);
  await soon("it lives", () => shown()[1] === "🤔");
});

test("the last sign goes when it was to go, and nobody waits for it any more", async (t) => {
  const { signs, turn, shown, clock } = scene(t, { removeAfterReply: true });
  signs.show(turn(DONE));
  await soon("the sign", () => shown()[1] === "🆗");
  await clock.sleeping((all) => all.length === 1);
  clock.advance(SIGN_TIMING.doneHold);
  await soon("it is gone", () => shown().join() === ",");
  await clock.sleeping((all) => all.length === 0);
});

test("signs of an earlier life are taken away, of a turn that is told again and of one that was tried", async (t) => {
  for (const restored of [true, false]) {
    const { signs, turn, on, shown } = scene(t, { tries: restored ? 0 : 1 });
    on().reactions.push("🤔", "😨", "✋");
    if (restored) signs.restore(turn(DONE));
    else signs.show(turn(DONE));
    await soon("only the end", () => shown().join() === ",🆗");
  }
});

test("no signs at all where they are off; what Discord refuses stops nothing and is logged", async (t) => {
  const off = scene(t, { enabled: false });
  off.signs.show(off.turn(DONE));
  await off.signs[Symbol.asyncDispose]();
  assert.deepEqual(off.discord.calls, []);
  const { signs, turn, discord, logged, shown } = scene(t);
  let isFirst = true;
  discord.fail = (call) => {
    if (call !== "react" || !isFirst) return;
    isFirst = false;
    throw unreachable();
  };
  signs.show(turn(DONE));
  await soon("the rest is done", () => shown().join() === ",");
  assert.deepEqual(logged, ["Cannot react with 🆗"]);
});

test("an end in mid-turn leaves nothing that waits", async (t) => {
  const { signs, turn, clock } = scene(t);
  signs.show(turn(RUNNING));
  await clock.sleeping((all) => all.length === 1);
  await signs[Symbol.asyncDispose]();
  await clock.sleeping((all) => all.length === 0);
  signs.show(turn(DONE, { id: "later" }));
  await clock.sleeping((all) => all.length === 0);
});
