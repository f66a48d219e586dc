import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { test } from "node:test";
import type { FakeChannel, FakeMessage } from "../support/discord/world.ts";
import { MADE, npmScene } from "../support/broker-npm-scene.ts";
import { CLAUDE, CODEX, GEMINI, OPENCODE } from "../support/npm-agents.ts";

for (const agent of [GEMINI, CLAUDE, CODEX, OPENCODE]) {
  test(`${agent.name} converses: it streams, asks before it acts, stops, and comes back`, async (t) => {
    const got = await npmScene(t, agent);
    if ("missing" in got) return t.skip(got.missing);
    const { scene } = got;
    const { discord, alice, mallory } = scene;
    const LONG = 90_000;
    const isMade = () => globSync(`${scene.path("state")}/**/${MADE}`).length > 0;
    const isOver = (message: FakeMessage, sign = "🆗") =>
      scene.until(`${sign} of ${message.content}`, () => message.reactions.has(sign), LONG);
    /** What it asks for the newest message, as people see it. */
    const question = async (thread: FakeChannel, message: FakeMessage) => {
      await scene.until("it asks", () => message.reactions.has("✋"), LONG);
      const last = () => scene.answers(thread).at(-1)!;
      await scene.until("its buttons", () => /Once/.test(JSON.stringify(last().components)));
      return last();
    };

    const first = scene.start();
    await scene.ready();
    const asked = scene.mention("hello");
    const thread = await scene.thread(asked);
    const text = () => discord.transcript(thread);
    await isOver(asked);
    await scene.until("it is read", () => /Hello from the model/.test(text()));

    const denied = discord.say(alice, thread, "make the file");
    const no = await question(thread, denied);
    assert.match(no.content, new RegExp(`touch ${MADE}`));
    await discord.click(alice, no, "Deny");
    await scene.until("it is over", () => ["🆗", "🛑"].some((one) => denied.reactions.has(one)), LONG);
    assert.ok(!isMade());

    const allowed = discord.say(alice, thread, "make the file, please");
    const yes = await question(thread, allowed);
    assert.equal((await discord.click(mallory, yes, "Once")).ephemeral, true);
    await discord.click(alice, yes, "Once");
    await isOver(allowed);
    assert.ok(isMade());
    await scene.until("it says who allowed it", () => /allowed once/.test(text()));

    const slow = discord.say(alice, thread, "count slowly");
    await scene.until("it streams", () => /number 3/.test(text()), LONG);
    discord.say(alice, thread, "stop");
    await isOver(slow, "🛑");
    assert.doesNotMatch(text(), /number 399/);
    await isOver(discord.say(alice, thread, "are you well?"));

    const cut = discord.say(alice, thread, "count slowly");
    await scene.until("it streams again", () => cut.reactions.has("🤔"), LONG);
    first.child.kill("SIGKILL");
    await first.ended;
    scene.start();
    await scene.until(
      "people know how it remembers",
      () => /it remembers this conversation|it was told what was said here before/.test(text()),
      LONG,
    );
    discord.say(alice, thread, "stop");
    await isOver(cut, "🛑");
    await isOver(discord.say(alice, thread, "and now?"));
    t.diagnostic(/it remembers/.test(text()) ? "its session was loaded" : "it was told again");
    assert.deepEqual(discord.violations, []);
  });
}
