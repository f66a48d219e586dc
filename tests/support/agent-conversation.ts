import assert from "node:assert/strict";
import { globSync } from "node:fs";
import type { BrokerScene } from "./broker-scene.ts";
import type { FakeMessage } from "./discord/world.ts";

/** The file that the agent makes when it is asked to "make the file". */
export const MADE = "made.txt";

/** Large programs take their time to start, on a machine that does other things as well. */
const LONG = 90_000;

/**
 * A whole conversation with an agent that greets, makes a file when it may, counts slowly and stops:
 * answered, denied, allowed, stopped, and gone on with after `kill -9`. Answers how it remembered.
 */
export async function converseWith(scene: BrokerScene): Promise<"loaded" | "told again"> {
  const { discord, alice, mallory } = scene;
  const first = scene.start();
  await scene.ready();
  const asked = scene.mention("hello");
  const thread = await scene.thread(asked);
  const text = () => discord.transcript(thread);
  const say = (words: string) => discord.say(alice, thread, words);
  const reads = (what: RegExp) => scene.until(`it says ${what}`, () => what.test(text()), LONG);
  const has = (message: FakeMessage, ...signs: string[]) =>
    scene.until(
      `${signs} of "${message.content}"`,
      () => signs.some((one) => message.reactions.has(one)),
      LONG,
    );
  const isMade = () => globSync(`${scene.path("state")}/**/${MADE}`).length > 0;
  /** What it asks, as people see it. */
  async function question(message: FakeMessage): Promise<FakeMessage> {
    await has(message, "✋");
    const last = () => scene.answers(thread).at(-1)!;
    await scene.until("its buttons", () => /Once/.test(JSON.stringify(last().components)));
    return last();
  }

  await has(asked, "🆗");
  await reads(/Hello from the model/);

  const denied = say("make the file");
  const no = await question(denied);
  assert.match(no.content, new RegExp(`touch ${MADE}`));
  await discord.click(alice, no, "Deny");
  // Some end their turn when they may not.
  await has(denied, "🆗", "🛑");
  await reads(/denied: `touch/);
  assert.ok(!isMade());

  const allowed = say("make the file, please");
  const yes = await question(allowed);
  assert.equal((await discord.click(mallory, yes, "Once")).ephemeral, true);
  await discord.click(alice, yes, "Once");
  await has(allowed, "🆗");
  await reads(/✅ 1 tool done\n✅ allowed once/);
  assert.ok(isMade());

  const slow = say("count slowly");
  await reads(/number 3/);
  say("stop");
  await has(slow, "🛑");
  await reads(/🛑 Stopped by <@/);
  await has(say("are you well?"), "🆗");

  const cut = say("count slowly");
  await has(cut, "🤔");
  first.child.kill("SIGKILL");
  await first.ended;
  scene.start();
  await reads(/it remembers this conversation|it was told what was said here before/);
  say("stop");
  await has(cut, "🛑");
  await has(say("and now?"), "🆗");
  assert.doesNotMatch(text(), /number 399|🔧/);
  assert.deepEqual(discord.violations, []);
  return /it remembers/.test(text()) ? "loaded" : "told again";
}
