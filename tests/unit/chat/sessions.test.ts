import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { AgentSession } from "../../../lib/chat/agent-session.ts";
import { createSessions, type Sessions } from "../../../lib/chat/sessions.ts";
import { createSteppedClock } from "../../support/stepped-clock.ts";

interface Scene {
  sessions: Sessions;
  /** Agents that are being started, or live. */
  programs: Set<string>;
  most(): number;
  /** Ends the start of a conversation's agent. */
  up(conversation: string): void;
  take(conversation: string): ReturnType<Sessions["take"]>;
  rest(): Promise<void>;
}

function scene(t: TestContext, limit: number): Scene {
  const clock = createSteppedClock();
  const programs = new Set<string>();
  const starting = new Map<string, () => void>();
  let most = 0;
  const sessions = createSessions({
    limit: () => limit,
    ttlMs: () => 1e9,
    clock,
    async open(conversation) {
      programs.add(conversation);
      most = Math.max(most, programs.size);
      await new Promise<void>((resolve) => starting.set(conversation, resolve));
      return {
        gone: new Promise(() => {}),
        [Symbol.asyncDispose]: () => Promise.resolve(void programs.delete(conversation)),
      } as unknown as AgentSession;
    },
  });
  t.after(() => sessions[Symbol.asyncDispose]());
  return {
    sessions,
    programs,
    most: () => most,
    up: (conversation) => starting.get(conversation)!(),
    take: (conversation) =>
      sessions.take(conversation, { signal: new AbortController().signal, onAhead() {} }),
    async rest() {
      for (let i = 0; i < 10; i++) await Promise.resolve();
    },
  };
}

test("A.17.7: no program is started before there is a place for it, however many want one", async (t) => {
  const { programs, most, up, take, rest, sessions } = scene(t, 3);
  const names = Array.from({ length: 20 }, (_, i) => `c${i}`);
  const taken = names.map(take);
  await rest();
  assert.deepEqual([...programs], ["c0", "c1", "c2"], "starting ones have their places");
  assert.deepEqual(sessions.waiting(), names.slice(3));
  for (const [i, name] of names.entries()) {
    up(name);
    const one = await taken[i]!;
    assert.ok("session" in one);
    one.release();
    await rest();
  }
  assert.equal(most(), 3);
  assert.deepEqual([...programs], ["c17", "c18", "c19"]);
});

test("A.17.7: whoever is told to stop while waiting is never started, and keeps nobody waiting", async (t) => {
  const { sessions, programs, up, take, rest } = scene(t, 1);
  const first = take("a");
  const stop = new AbortController();
  const second = sessions.take("b", { signal: stop.signal, onAhead() {} });
  const third = take("c");
  stop.abort();
  assert.deepEqual(await second, { aborted: true });
  up("a");
  const one = await first;
  assert.ok("session" in one);
  one.release();
  await rest();
  assert.deepEqual([...programs], ["c"]);
  up("c");
  assert.ok("session" in await third);
});

test("an agent that comes up after its conversation was closed is ended, and its place is another's", async (t) => {
  const { sessions, programs, up, take, rest } = scene(t, 1);
  const first = take("a");
  const second = take("b");
  await rest();
  await sessions.close("a");
  await rest();
  up("a");
  assert.deepEqual(await first, { aborted: true });
  await rest();
  assert.deepEqual([...programs], ["b"]);
  up("b");
  assert.ok("session" in await second);
});
