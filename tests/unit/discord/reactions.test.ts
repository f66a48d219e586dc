import assert from "node:assert/strict";
import { test } from "node:test";
import { createReactions, type Spot } from "../../../lib/discord/reactions.ts";
import { DiscordError } from "../../../lib/discord/discord-error.ts";
import { unreachable } from "../../support/discord-rest.ts";
import { createSteppedClock } from "../../support/stepped-clock.ts";

type Call = `${"+" | "-"}${string} ${string}/${string}`;

/** Calls stay open until the test answers them. */
function scene(t: { after(act: () => unknown): void }) {
  const calls: Call[] = [];
  const open: { call: Call; end(error?: Error): void }[] = [];
  const clock = createSteppedClock();
  const asked = (sign: "+" | "-") => (channel: string, message: string, emoji: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const call: Call = `${sign}${emoji} ${channel}/${message}`;
    calls.push(call);
    open.push({ call, end: (error) => error === undefined ? resolve() : reject(error) });
    return promise;
  };
  const reactions = createReactions({
    rest: { react: asked("+"), unreact: asked("-") },
    clock,
    random: () => 0,
    log() {},
  });
  t.after(async () => {
    const over = reactions[Symbol.asyncDispose]();
    await answerAll();
    await over;
  });
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  async function answer(error?: Error): Promise<void> {
    await turn();
    open.shift()?.end(error);
    await turn();
  }
  async function answerAll(): Promise<void> {
    for (await turn(); open.length > 0;) await answer();
  }
  return { reactions, calls, clock, answer, answerAll };
}

const at = (channelId: string, messageId: string): Spot => ({ channelId, messageId });

test("what is wanted of a message is done in the order in which it was wanted, whoever wants it", async (t) => {
  const { reactions, calls, answerAll, answer } = scene(t);
  reactions.add(at("1", "a"), "👀", "first");
  await answer(unreachable());
  // It was on its way when the turn ended: that it must go is not forgotten.
  reactions.add(at("1", "a"), "🆗");
  reactions.remove(at("1", "a"), "👀");
  reactions.wake();
  await answerAll();
  assert.deepEqual(calls, ["+👀 1/a", "+🆗 1/a", "-👀 1/a"]);
});

test("what is no longer wanted when its time comes is not sent", async (t) => {
  const { reactions, calls, answerAll } = scene(t);
  reactions.add(at("1", "a"), "👀");
  reactions.add(at("1", "b"), "👀");
  reactions.add(at("1", "b"), "🤔");
  reactions.remove(at("1", "b"), "👀");
  reactions.remove(at("1", "b"), "🤔");
  reactions.add(at("1", "b"), "🆗");
  await answerAll();
  assert.deepEqual(calls, ["+👀 1/a", "+🆗 1/b"]);
  assert.equal(reactions.waiting(), 0);
});

test("an acknowledgement goes before other signs of its channel; channels do not wait for each other", async (t) => {
  const { reactions, calls, answerAll } = scene(t);
  for (const message of ["a", "b", "c"]) reactions.add(at("1", message), "🤔");
  reactions.add(at("1", "z"), "👀", "first");
  reactions.add(at("2", "y"), "👀", "first");
  await answerAll();
  assert.deepEqual(calls, ["+👀 1/z", "+👀 2/y", "+🤔 1/a", "+🤔 1/b", "+🤔 1/c"]);
});

test("an outage is outlasted, a refusal is not repeated", async (t) => {
  const { reactions, calls, clock, answer, answerAll } = scene(t);
  reactions.add(at("1", "a"), "👀");
  await answer(unreachable());
  await clock.sleeping((all) => all.length === 1);
  clock.advance(10_000);
  await answer(new DiscordError("gone", { kind: "missing", code: 10008 }));
  reactions.add(at("1", "b"), "👀");
  await answerAll();
  assert.deepEqual(calls, ["+👀 1/a", "+👀 1/a", "+👀 1/b"]);
});

test("a message is settled when nothing is due for it any more, through an outage, too", async (t) => {
  const { reactions, clock, answer } = scene(t);
  let isSettled = false;
  reactions.add(at("1", "a"), "👀");
  const { signal } = new AbortController();
  void reactions.settled(["a", "b"], signal).then(() => isSettled = true);
  await answer(unreachable());
  await clock.sleeping((all) => all.length === 1);
  assert.equal(isSettled, false);
  clock.advance(10_000);
  await answer();
  assert.equal(isSettled, true);
  await reactions.settled(["a"], signal);
});

test("the last signs are shown before it ends, and nothing is after", async (t) => {
  const { reactions, calls, answer } = scene(t);
  reactions.add(at("1", "a"), "🆗");
  reactions.remove(at("1", "a"), "🤔");
  const over = reactions[Symbol.asyncDispose]();
  reactions.add(at("1", "b"), "👀");
  await answer();
  await answer();
  await over;
  assert.deepEqual(calls, ["+🆗 1/a", "-🤔 1/a"]);
});
