import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { AgentSession } from "../../../lib/chat/agent-session.ts";
import { createSessions } from "../../../lib/chat/sessions.ts";
import { soon } from "../../support/soon.ts";
import { createSteppedClock } from "../../support/stepped-clock.ts";

const SIGNAL = new AbortController().signal;
const HOUR = 3_600_000;

function scene(t: TestContext, { limit = 2 } = {}) {
  const clock = createSteppedClock();
  const did: string[] = [];
  const crash = new Map<string, () => void>();
  let basis = "first";
  let fails = false;
  const sessions = createSessions({
    limit: () => limit,
    ttlMs: () => HOUR,
    clock,
    basis: () => basis,
    open(conversation) {
      did.push(`open ${conversation}`);
      if (fails) {
        const why = { message: "no", code: undefined, stderr: "", hint: undefined };
        return Promise.resolve({ failed: { kind: "gone", ...why } });
      }
      const gone = Promise.withResolvers<string>();
      crash.set(conversation, () => gone.resolve("crashed"));
      return Promise.resolve({
        gone: gone.promise,
        [Symbol.asyncDispose]() {
          did.push(`close ${conversation}`);
          gone.resolve("closed");
          return Promise.resolve();
        },
      } as Partial<AgentSession> as AgentSession);
    },
  });
  t.after(() => sessions[Symbol.asyncDispose]());
  const take = async (conversation: string, onAhead: (ahead: number) => void = () => {}) => {
    const taken = await sessions.take(conversation, { signal: SIGNAL, onAhead });
    return "session" in taken ? taken : assert.fail(`there is no agent for ${conversation}`);
  };
  return {
    ...{ sessions, clock, did, crash, take },
    change: (to: string) => basis = to,
    fail: (is: boolean) => fails = is,
  };
}

test("one agent for a conversation, taken up again; idle for its time it ends", async (t) => {
  const { take, did, clock, sessions } = scene(t);
  const one = await take("a");
  one.release();
  assert.equal((await take("a")).session, one.session);
  await clock.sleeping((all) => all.length === 1);
  clock.advance(2 * HOUR);
  await clock.sleeping((all) => all.length === 1);
  assert.deepEqual(did, ["open a"], "one that works is not idle");
  (await take("a")).release();
  clock.advance(HOUR + 60_000);
  await soon("it ends", () => did.includes("close a"));
  assert.deepEqual(sessions.live(), []);
});

test("an agent that was begun with other settings is ended before its next turn, and one that works goes on", async (t) => {
  const { take, did, change, sessions } = scene(t);
  const one = await take("a");
  change("second");
  assert.equal(sessions.find("a"), one.session, "in mid-turn it can still be spoken to");
  one.release();
  assert.equal(sessions.find("a"), undefined, "nobody chooses of its models any more");
  const two = await take("a");
  assert.notEqual(two.session, one.session);
  assert.deepEqual(did, ["open a", "close a", "open a"]);
  assert.equal(sessions.find("a"), two.session);
  two.release();
  assert.equal((await take("a")).session, two.session, "once");
});

test("an agent whose successor cannot be begun leaves its place to others", async (t) => {
  const { take, change, fail, sessions, did } = scene(t, { limit: 1 });
  (await take("a")).release();
  change("second");
  fail(true);
  assert.ok("failed" in await sessions.take("a", { signal: SIGNAL, onAhead() {} }));
  fail(false);
  await take("b");
  assert.deepEqual(did, ["open a", "close a", "open a", "open b"]);
});

test("an agent that crashes frees its place; the idle one that has waited longest gives way", async (t) => {
  const { take, crash, did, clock } = scene(t);
  (await take("a")).release();
  clock.advance(1);
  (await take("b")).release();
  await take("c");
  assert.deepEqual(did, ["open a", "open b", "close a", "open c"]);
  crash.get("c")!();
  const ahead: number[] = [];
  await take("d", (before) => ahead.push(before));
  assert.deepEqual(ahead, []);
});
