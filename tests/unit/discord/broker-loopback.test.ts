import assert from "node:assert/strict";
import { test } from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import type { AnswerStyle } from "../../../lib/chat/answer.ts";
import {
  brokerDefinitions,
  brokerDirectDefinitions,
} from "../../../lib/discord/broker-commands.ts";
import { viewOfTurn } from "../../../lib/discord/broker-view.ts";
import { createDiscordLink } from "../../../lib/discord/create-link.ts";
import { startDiscord } from "../../support/discord/start-discord.ts";
import { brokerDeskScene, MARK } from "../../support/broker-desk-scene.ts";
import { arrival } from "../../support/chat-scene.ts";

const STYLE: AnswerStyle = { tools: "compact", tables: "code", footer: [] };

test("commands, menus and buttons over HTTP and the gateway are answered in time and break no rule of Discord", async (t) => {
  await using discord = await startDiscord();
  await using link = createDiscordLink({
    token: discord.token,
    apiUrl: discord.url,
    env: {},
    clock: createSystemClock(),
    random: () => 0.5,
    log: { path: undefined, write() {} },
  });
  const scene = brokerDeskScene(t, { over: link.rest });
  const [alice, eve] = [discord.person("alice"), discord.person("eve")];
  const lab = discord.makeChannel("lab");
  scene.rules.channels = [lab.id];
  scene.rules.users = [alice.id];
  link.onEvent((event) => {
    if (event.type === "interaction") scene.interactions.handle(event.interaction);
  });
  link.start();
  await discord.until("a connection", () => link.state().phase === "connected");
  await link.rest.putCommands(discord.bot.id, discord.guild.id, brokerDefinitions());
  await link.rest.putDirectCommands(discord.bot.id, brokerDirectDefinitions());
  const { id } = discord.say(alice, lab, "build it");
  const { id: threadId } = await link.rest.startThread(lab.id, {
    name: "build it",
    from: id,
    archiveMinutes: 1440,
  });
  const thread = discord.channels.get(threadId)!;
  const values = Array.from({ length: 30 }, (_, i) => ({ value: `m${i}`, name: `Model ${i}` }));
  scene.options.push({ id: "model", name: "Model", category: "model", current: "m3", values });
  const { author, place } = arrival("", "");
  scene.broker.accept(arrival(id, "build it", {
    author: { ...author, id: alice.id },
    place: { ...place, channelId: lab.id, threadId: undefined, guildId: discord.guild.id },
  }));
  scene.broker.accept(
    arrival("7001", "go on", {
      author: { ...author, id: alice.id },
      place: { ...place, channelId: lab.id, threadId, guildId: discord.guild.id },
    }),
    threadId,
  );
  await scene.until("the agent works", () => scene.prompts.length > 0);

  const shown = await discord.slash(alice, thread, "models");
  assert.ok(shown.ephemeral && shown.ms < 3_000);
  await discord.click(alice, shown.message()!, "▶");
  await discord.until("the second page", () => shown.message()!.edits > 0);
  await discord.choose(alice, shown.message()!, "Model 29");
  await discord.until("the choice", () => scene.options[0]!.current === "m29");
  await discord.until("it is shown", () => shown.message()!.content.includes("Model is now"));

  const request = { tool: "sh", kind: "execute", title: "make", detail: "make all" } as const;
  const asked = scene.permissions.ask(threadId, request, new AbortController().signal);
  const turn = () => scene.broker.turns().find((one) => one.conversation === threadId)!;
  const [view] = viewOfTurn(turn(), { style: STYLE, mark: MARK, pings: [] });
  const sent = await link.rest.send(threadId, view!);
  const message = discord.messages(thread).find((one) => one.id === sent.id)!;
  const foreign = await discord.click(eve, message, "Once");
  assert.match(foreign.message()!.content, /You may not talk/);
  assert.ok(foreign.ephemeral);
  const details = await discord.click(alice, message, "Details");
  assert.match(details.message()!.content, /make all/);
  await discord.click(alice, message, "Once");
  assert.equal(await asked, "once");

  const reset = await discord.slash(alice, thread, "reset");
  assert.equal(reset.ephemeral, false);
  await discord.click(alice, reset.message()!, "No");
  assert.match(reset.message()!.content, /Not done, says/);
  assert.deepEqual(reset.message()!.components, []);
  const list = await discord.slash(alice, thread, "session list");
  assert.match(list.message()!.content, new RegExp(`<#${threadId}> running`));
  await discord.slash(alice, thread, "remind", { when: "10m", text: "look" });
  assert.equal(scene.reminders.of(alice.id).length, 1);
  scene.said.push({ role: "person", at: 0, text: "build it" });
  const file = await discord.slash(alice, thread, "session export");
  assert.match(file.message()!.files[0]!.name, /\.md$/);
  const stopped = await discord.slash(alice, thread, "cancel");
  assert.match(stopped.message()!.content, /turn in this conversation is ended/);

  const direct = discord.channels.get(await link.rest.openDirect(alice.id))!;
  const auth = await discord.slash(alice, direct, "auth");
  assert.match(auth.message()!.content, /kiro-cli login/);
  assert.deepEqual(discord.violations, []);
});
