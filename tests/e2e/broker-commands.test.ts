import assert from "node:assert/strict";
import { test } from "node:test";
import { startDiscord } from "../support/discord/start-discord.ts";
import { type BrokerScene, brokerScene } from "../support/broker-scene.ts";

const AGENT = new URL("../support/acp-chatter.py", import.meta.url).pathname;

async function scene(t: Parameters<typeof brokerScene>[0]): Promise<BrokerScene> {
  const discord = await startDiscord();
  t.after(() => discord[Symbol.asyncDispose]());
  const lab = discord.makeChannel("offers");
  const alice = discord.person("ada");
  return await brokerScene(t, {
    discord,
    yaml: `broker:
  discord:
    bot_token_env: BOT_TOKEN
    allowed_channels: ["${lab.id}"]
    allowed_users: ["${alice.id}"]
    allow_dm: true
  agent: {kind: acp, command: [python3, ${AGENT}, FOLDER/prompts.jsonl, noload, options]}
  workspace: {sandbox: none}
`,
  });
}

test("buttons and menus of the compiled binary: details after kill -9, a model that stays chosen, a reset, an export", async (t) => {
  const { discord, ...rest } = await scene(t);
  const ada = [...discord.guild.members.values()].find(({ name }) => name === "ada")!;
  const lab = discord.channel("offers")!;
  const ask = (text: string) => discord.say(ada, lab, `<@${discord.bot.id}> ${text}`);
  const first = rest.start();
  await rest.ready();

  const dies = ask("die");
  const thread = await rest.thread(dies);
  await rest.until("it is told", () => dies.reactions.has("😱"));
  first.child.kill("SIGKILL");
  await first.ended;
  await rest.until("it is gone", () => !discord.gateway.isConnected(discord.bot.id));
  rest.start();
  await rest.until("it is there again", () => discord.gateway.isConnected(discord.bot.id));
  const toldOf = () => rest.answers(thread).find(({ components }) => components.length > 0);
  // The sign may have been there before the answer; its button comes with the next life then.
  await rest.until("the failure has its button", () => toldOf() !== undefined);
  const told = toldOf()!;
  const details = await discord.click(ada, told, "Details");
  assert.ok(details.ephemeral && details.ms < 3_000);
  assert.match(details.message()!.content, /out of cheese/);

  // The agent sleeps: it is started to be asked.
  const shown = await discord.slash(ada, thread, "models");
  await rest.until("the menu", () => /Model: \*\*small\*\*/.test(shown.message()!.content));
  await discord.click(ada, shown.message()!, "▶");
  await rest.until(
    "the next page",
    () => JSON.stringify(shown.message()!.components).includes("m29"),
  );
  await discord.click(ada, shown.message()!, "◀");
  await rest.until("back", () => JSON.stringify(shown.message()!.components).includes("large"));
  await discord.choose(ada, shown.message()!, "large");
  await rest.until(
    "it is chosen",
    () => /Model is now \*\*large\*\*/.test(shown.message()!.content),
  );
  discord.say(ada, thread, "hello");
  await rest.until(
    "the model answers",
    () => /You said hello to large/.test(discord.transcript(thread)),
  );
  const none = await discord.slash(ada, thread, "agents");
  assert.match(none.message()!.content, /no modes/);

  const file = await discord.slash(ada, thread, "session export");
  const text = new TextDecoder().decode(file.message()!.files[0]!.bytes);
  assert.match(text, /## Person, [\s\S]*hello[\s\S]*## Agent, [\s\S]*You said hello to large/);

  const reset = await discord.slash(ada, thread, "reset");
  await discord.click(ada, reset.message()!, "Yes, forget it");
  await rest.until("it is forgotten", () => /has forgotten/.test(reset.message()!.content));
  discord.say(ada, thread, "again");
  await rest.until(
    "it begins anew",
    () => /You said again to large/.test(discord.transcript(thread)),
  );
  assert.doesNotMatch(JSON.stringify(rest.prompts().at(-1)), /hello/);

  const other = ask("elsewhere");
  const second = await rest.thread(other);
  await rest.until("the other", () => other.reactions.has("🆗"));
  const attach = await discord.slash(ada, second, "session attach", { from: thread.id });
  await discord.click(ada, attach.message()!, "Yes, go on with it");
  await rest.until("it goes on", () => /goes on here with/.test(attach.message()!.content));
  discord.say(ada, second, "what was that?");
  await rest.until("it is answered", () => /what was that\?/.test(discord.transcript(second)));
  await rest.until("the agent was told", () => rest.prompts().length >= 5);
  const last = JSON.stringify(rest.prompts().at(-1));
  assert.match(last, /You said again to large/);
  assert.doesNotMatch(last, /elsewhere/);

  const set = await discord.slash(ada, second, "remind", { when: "10m", text: "look" });
  assert.match(set.message()!.content, /you are told here/);
  const listed = await discord.slash(ada, second, "remind");
  await discord.click(ada, listed.message()!, "Drop 1");
  assert.match(listed.message()!.content, /You have no reminders/);
  const cost = await discord.slash(ada, second, "cost", { by: "model" });
  assert.match(cost.message()!.content, /turns/);
  assert.deepEqual(discord.violations, []);
});
