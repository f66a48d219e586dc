import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionOption } from "../../../lib/chat/agent-session.ts";
import {
  BROKER_COMMANDS,
  brokerDefinitions,
  brokerDirectDefinitions,
} from "../../../lib/discord/broker-commands.ts";
import type { FirstAnswer } from "../../../lib/discord/rest.ts";
import { writeCommand } from "../../../lib/discord/write-command.ts";
import { writeAnswer } from "../../../lib/discord/write-message.ts";
import {
  ALICE,
  BOB,
  type BrokerDeskScene,
  brokerDeskScene,
  EVE,
  THREAD,
} from "../../support/broker-desk-scene.ts";
import { arrival, inThread } from "../../support/chat-scene.ts";
import { checkCommands, checkMessage } from "../../support/discord/limits.ts";
import { openApiCheck } from "../../support/discord/openapi-check.ts";

const wordOf = (answer: FirstAnswer) => "message" in answer ? answer.message.content ?? "" : "";

async function working(scene: BrokerDeskScene, text = "build it"): Promise<void> {
  const before = scene.prompts.length;
  scene.hear(`m${before + 1}`, text);
  await scene.until("the agent works", () => scene.prompts.length === before + 1);
}

const withdrawn = (scene: BrokerDeskScene) =>
  scene.journal.flatMap((one) => one.type === "message-withdrawn" ? [one.message] : []);

test("the broker's commands fit Discord's limits and its description, on servers and in direct messages", () => {
  const direct = brokerDirectDefinitions().map(writeCommand) as Record<string, unknown>[];
  const server = brokerDefinitions().map(writeCommand) as Record<string, unknown>[];
  for (
    const [path, all] of [
      ["/applications/1/guilds/2/commands", server],
      ["/applications/1/commands", direct],
    ] as const
  ) {
    checkCommands(all);
    const wire = JSON.parse(JSON.stringify(all));
    assert.equal(openApiCheck()?.check("PUT", path, wire), undefined);
  }
  assert.deepEqual(direct.map(({ name }) => name).sort(), [...BROKER_COMMANDS].sort());
  assert.deepEqual(direct.map(({ contexts }) => contexts), direct.map(() => [1]));
  assert.ok(!server.some(({ name }) => name === "auth"));
});

test("A.17.3, B.23: every command has the right of a message, and who has it not is told privately why", async (t) => {
  const scene = brokerDeskScene(t);
  await working(scene);
  const others = ["session", "whereami"];
  const names = [...BROKER_COMMANDS.filter((one) => !others.includes(one)), "session list"];
  names.push("session attach", "session export");
  for (const name of names) {
    for (
      const [asked, why] of [
        [{ user: EVE }, /You may not talk to this bot/],
        [{ channelId: "101" }, /does not work in this channel/],
        [{ user: EVE, channelId: "dm1", isDirect: true }, /You may not talk/],
      ] as const
    ) {
      const answer = await scene.command(name, { from: THREAD, when: "1m", text: "x" }, asked);
      assert.match(answer.content!, why);
      assert.equal(answer.ephemeral, true);
    }
  }
  scene.rules.directMessages = false;
  const direct = await scene.command("cancel", {}, { channelId: "dm1", isDirect: true });
  assert.match(direct.content!, /takes no direct messages/);
  assert.equal(scene.audit.filter(({ event }) => event === "refused").length, names.length * 3 + 1);
  assert.equal(scene.broker.turns()[0]!.state.kind, "running");
  assert.deepEqual(scene.state().reminders, {});
  assert.deepEqual(await scene.complete("", { user: EVE }), []);
});

test("B.7: /whereami tells anybody, and nobody else, the ids that the configuration wants", async (t) => {
  const scene = brokerDeskScene(t);
  const inside = await scene.command("whereami", {}, { roles: ["55"] });
  assert.equal(inside.ephemeral, true);
  for (const word of ["Server: `1`", "`100`, for `allowed_channels`", `Thread: \`${THREAD}\``]) {
    assert.ok(inside.content!.includes(word), inside.content);
  }
  assert.match(inside.content!, /You: `7`[^]*<@&55> `55`[^]*✅ You may talk/);
  const stranger = await scene.command("whereami", {}, { user: EVE, channelId: "101" });
  assert.match(
    stranger.content!,
    /`101`[^]*You: `66`[^]*🚫 This bot does not work in this channel/,
  );
  const roles = Array.from({ length: 250 }, (_, i) => `12345678901234${10_000 + i}`);
  const many = await scene.command("whereami", {}, { user: EVE, roles });
  assert.match(many.content!, /`\d+`…\n🚫 You may not talk to this bot/);
  assert.ok(many.content!.length > 1_900 && many.content!.length <= 2_000);
  const taken = await scene.command("whereami", {}, { channelId: "dm1", isDirect: true });
  assert.match(taken.content!, /^Direct messages with the bot: they are on\n[^]*✅/);
  scene.rules.directMessages = false;
  const direct = await scene.command("whereami", {}, { channelId: "dm1", isDirect: true });
  assert.match(direct.content!, /allow_dm[^]*takes no direct messages/);
  assert.ok([inside, stranger, many, direct].every(({ ephemeral }) => ephemeral));
});

test("B.23: a role that may talk may command", async (t) => {
  const scene = brokerDeskScene(t);
  scene.rules.users = [];
  scene.rules.userRoles = ["55"];
  await working(scene);
  assert.match((await scene.command("cancel")).content!, /may not talk/);
  const done = await scene.command("cancel", {}, { user: EVE, roles: ["55"] });
  assert.match(done.content!, /turn in this conversation is ended/);
});

test("B.106, C.4: /cancel ends the turn, says that it was a turn, and lets what waits go on", async (t) => {
  const scene = brokerDeskScene(t);
  assert.match((await scene.command("cancel")).content!, /There is no conversation here yet/);
  await working(scene);
  scene.hear("m2", "and then this");
  const answer = await scene.command("cancel");
  assert.match(answer.content!, /turn in this conversation is ended; no job is touched\. One mess/);
  assert.equal(answer.ephemeral, true);
  await scene.until("the next is asked", () => scene.prompts.length === 2);
  assert.equal(scene.prompts[1]!.text, "and then this");
  scene.prompts[1]!.end({ kind: "done", text: "x" });
  await scene.until("it is over", () => scene.broker.turns().length === 0);
  assert.match((await scene.command("cancel")).content!, /Nothing runs in this conversation/);
});

test("A.17.20, B.106: /cancel-all drops what waits, tells everybody, and the turn has its last form", async (t) => {
  const scene = brokerDeskScene(t);
  await working(scene);
  scene.hear("m2", "two");
  scene.hear("m3", "three");
  const answer = await scene.command("cancel-all", {}, { user: BOB });
  assert.match(answer.content!, /2 messages that waited will not be answered/);
  assert.equal(answer.ephemeral, undefined);
  assert.deepEqual(withdrawn(scene), ["m2", "m3"]);
  await scene.until("it is over", () => scene.broker.turns().length === 0);
  assert.deepEqual(scene.seen.at(-1)!.state, { kind: "cancelled", by: "discord:8" });
  assert.equal(scene.prompts.length, 1);
});

test("A.17.21, B.107: /reset asks first, is pressed once, and says what it did", async (t) => {
  const scene = brokerDeskScene(t);
  await working(scene);
  scene.hear("m2", "two");
  const asked = await scene.command("reset");
  assert.match(
    asked.content!,
    /<@7> wants the agent to forget .*turn that runs is ended and one m/,
  );
  assert.equal(asked.ephemeral, undefined);
  assert.equal(scene.broker.turns().length, 1);
  assert.match(wordOf(await scene.pressOn(asked, "No", { user: EVE })), /may not talk/);
  const answer = await scene.pressOn(asked, "Yes, forget it", { user: BOB });
  assert.equal(answer.kind, "defer-update");
  await scene.until("it is done", () => scene.edits.length === 1);
  assert.match(scene.edits[0]!.content!, /✅ user8 said yes: the agent has forgotten/);
  assert.deepEqual(scene.edits[0]!.rows, []);
  const one = scene.state().conversations.get(THREAD)!;
  assert.deepEqual([one.closed, one.waiting.length, one.sessionId], ["reset", 0, undefined]);
  assert.deepEqual(withdrawn(scene), ["m2"]);
  const again = await scene.command("reset");
  assert.match(again.content!, /has forgotten this conversation already/);
});

test("a question that nobody answers does nothing any more; a no is told, a second press refused", async (t) => {
  const scene = brokerDeskScene(t);
  await working(scene);
  const late = await scene.press("forget", [THREAD], { at: scene.clock.now() - 16 * 60_000 });
  assert.ok(late.kind === "update" && late.message.rows?.length === 0);
  assert.match(wordOf(late), /Nobody pressed it in time/);
  const asked = await scene.command("reset");
  assert.match(wordOf(await scene.pressOn(asked, "No", { user: BOB })), /Not done, says user8/);
  assert.equal(scene.state().conversations.get(THREAD)!.closed, undefined);
  const first = await scene.press("keep", [ALICE], { messageId: "999" });
  const second = await scene.press("keep", [ALICE], { messageId: "999" });
  assert.equal(first.kind, "update");
  assert.match(wordOf(second), /pressed already/);
});

function models(count: number, current = "m0"): SessionOption {
  return {
    id: "model",
    name: "Model",
    category: "model",
    current,
    values: Array.from({ length: count }, (_, i) => ({ value: `m${i}`, name: `Model ${i}` })),
  };
}

test("B.105, C.11: /models shows what the agent offers, the current one first, 25 on a page", async (t) => {
  const scene = brokerDeskScene(t);
  scene.options.push(models(60, "m59"), {
    id: "mode",
    name: "Mode",
    category: "mode",
    current: "ask",
    values: [{ value: "ask", name: "Ask" }, { value: "code", name: "Code" }],
  });
  await working(scene);
  const shown = await scene.command("models");
  assert.equal(shown.ephemeral, true);
  assert.match(shown.content!, /Model: \*\*Model 59\*\*/);
  assert.equal(shown.menus!.length, 1);
  const [menu] = shown.menus!;
  assert.deepEqual(menu!.choices[0], {
    value: "m59",
    label: "Model 59",
    description: "m59",
    chosen: true,
  });
  assert.equal(menu!.choices.length, 25);
  assert.deepEqual(shown.rows!.flat().map(({ label, disabled }) => [label, disabled]), [
    ["◀", true],
    ["1/3", true],
    ["▶", false],
  ]);
  const wire = writeAnswer({ kind: "message", message: shown });
  const body = JSON.parse(JSON.stringify(wire.body));
  assert.equal(openApiCheck()?.check("POST", "/interactions/1/t/callback", body), undefined);
  checkMessage(body.data, []);
  await scene.pressOn(shown, "▶");
  assert.deepEqual(scene.edits[0]!.rows!.flat().map(({ label }) => label), ["◀", "2/3", "▶"]);
  assert.equal(scene.edits[0]!.menus![0]!.choices[0]!.value, "m24");
  await scene.pressOn(scene.edits[0]!, "▶");
  assert.equal(scene.edits[1]!.menus![0]!.choices.length, 10);
  const buttons = scene.edits[1]!.rows!.flat();
  assert.deepEqual(buttons.map(({ disabled }) => disabled), [false, true, true]);
});

test("C.11: a choice reaches the agent, is kept, and the menu shows it; what is gone is said", async (t) => {
  const scene = brokerDeskScene(t);
  scene.options.push(models(3));
  await working(scene);
  const [menu] = (await scene.command("models")).menus!;
  const args = menu!.id.split(":").slice(3);
  await scene.press("pick-models", args, { values: ["m2"], user: BOB });
  assert.match(scene.edits[0]!.content!, /✅ Model is now \*\*Model 2\*\*/);
  assert.equal(scene.edits[0]!.menus![0]!.choices[0]!.value, "m2");
  assert.deepEqual(scene.state().conversations.get(THREAD)!.options, { model: "m2" });
  await scene.press("pick-models", args, { values: ["m77"] });
  assert.match(scene.edits[1]!.content!, /does not offer that any more/);
  assert.deepEqual(
    scene.audit.filter(({ event }) => event === "broker-choice").map(({ fields }) => fields["by"]),
    ["discord:8"],
  );
  const eve = await scene.press("pick-models", args, { values: ["m1"], user: EVE });
  assert.match(wordOf(eve), /may not talk/);
  assert.equal(scene.options[0]!.current, "m2");
});

test("an agent's names and values may be anything: long, empty, double, hostile", async (t) => {
  const scene = brokerDeskScene(t);
  const long = "x".repeat(300);
  scene.options.push({
    id: "o".repeat(500),
    name: `**bold** @everyone ${"n".repeat(300)}`,
    category: "other",
    current: long,
    values: [
      { value: long, name: `\`\`\`${long}` },
      { value: "", name: "" },
      { value: "", name: "again" },
      { value: `${long}y`, name: " " },
      { value: "#7", name: "hash\u202e" },
    ],
  });
  await working(scene);
  const shown = await scene.command("agents");
  assert.ok(!shown.content!.includes("@everyone"));
  const { body } = writeAnswer({ kind: "message", message: shown });
  checkMessage(JSON.parse(JSON.stringify(body)).data, []);
  const [menu] = shown.menus!;
  assert.equal(menu!.choices.length, 4);
  const chosen = menu!.choices[2]!.value;
  await scene.press("pick-agents", menu!.id.split(":").slice(3), { values: [chosen] });
  assert.equal(scene.options[0]!.current, `${long}y`);
});

test("agents without options say so, and one that sleeps is started to be asked", async (t) => {
  const scene = brokerDeskScene(t);
  await working(scene);
  assert.match((await scene.command("models")).content!, /offers no models to choose from\./);
  scene.options.push(models(2));
  assert.match((await scene.command("agents")).content!, /no modes .*`\/models` shows its models/);
  scene.prompts[0]!.end({ kind: "done", text: "x" });
  await scene.until("it is over", () => scene.broker.turns().length === 0);
  const later = brokerDeskScene(t, { journal: scene.journal });
  later.options.push(models(2));
  const shown = await later.command("models");
  assert.equal(shown.menus!.length, 1);
  assert.deepEqual(later.agents, [`open ${THREAD}`]);
  // A message after it has the same agent.
  later.hear("m9", "go on");
  await later.until("the agent works", () => later.prompts.length === 1);
  assert.deepEqual(later.agents, [`open ${THREAD}`]);
});

test("an agent that cannot be had in time is told as that, and what was said meanwhile is answered", async (t) => {
  const scene = brokerDeskScene(t, { limit: 1 });
  scene.hear("a", "first", inThread("201"));
  await scene.until("the agent works", () => scene.prompts.length === 1);
  scene.append([
    { type: "message-heard", conversation: THREAD, arrival: arrival("old", "x") },
    { type: "message-withdrawn", conversation: THREAD, message: "old" },
  ], "test");
  scene.interactions.handle({
    kind: "command",
    name: "models",
    options: {},
    id: "1",
    token: "t",
    applicationId: "900",
    guildId: "1",
    channelId: THREAD,
    parentId: "100",
    member: { userId: ALICE, name: "alice", roles: [], permissions: undefined },
    at: 0,
  });
  // Discord waits for three seconds: it is told to be patient before.
  await scene.rest();
  scene.clock.advance(2_000);
  await scene.until("it is deferred", () => scene.answers[0]?.kind === "defer");
  scene.hear("m9", "meanwhile");
  scene.clock.advance(90_000);
  await scene.until("it is told", () => scene.edits.length === 1);
  assert.match(scene.edits[0]!.content!, /No agent is free now/);
  scene.prompts[0]!.end({ kind: "done", text: "x" });
  await scene.until("it is answered", () => scene.prompts.length === 2);
  assert.equal(scene.prompts[1]!.text, "meanwhile");
});

function direct(id: string, user: string) {
  const { place, author } = arrival("", "");
  return {
    place: { ...place, channelId: id, threadId: undefined, isDirect: true, guildId: undefined },
    author: { ...author, id: user },
  };
}

/** In direct messages a conversation has its channel's id. */
function hearDirect(scene: BrokerDeskScene, message: string, id: string, user: string): void {
  scene.broker.accept(arrival(message, "in private", direct(id, user)));
}

/** Its thread hangs under the message, and has its id. */
function hearInChannel(scene: BrokerDeskScene, message: string, text: string): void {
  const { place, author } = arrival("", "");
  const said = { place: { ...place, threadId: undefined }, author: { ...author, id: BOB } };
  scene.broker.accept(arrival(message, text, said), message);
}

test("C.1: /session list has the conversations of this channel and one's own, with state, age and cost", async (t) => {
  const scene = brokerDeskScene(t);
  assert.match((await scene.command("session list")).content!, /no conversations here/);
  await working(scene);
  hearInChannel(scene, "201", "elsewhere");
  const { author, place } = arrival("", "");
  const hidden = { ...place, threadId: "202" };
  scene.broker.accept(arrival("h1", "hidden", { place: hidden, author: { ...author, id: "9" } }));
  hearDirect(scene, "d1", "88", BOB);
  await scene.until("all work", () => scene.prompts.length === 4);
  const usd = { model: "m", input: 1, output: 1, cacheRead: 0, cacheWrite: 0, usd: 0.25 };
  const other = scene.prompts.find(({ conversation }) => conversation === "201")!;
  other.hooks.onUse(usd);
  other.end({ kind: "done", text: "x" });
  await scene.until("one is over", () => scene.broker.turns().length === 3);
  const mine = await scene.command("session list");
  assert.equal(mine.ephemeral, true);
  assert.equal(mine.content!.split("\n").length, 2);
  assert.match(mine.content!, /- <#200> running, <t:\d+:R>, 1 turn ← here/);
  assert.match(mine.content!, /- <#201> idle, <t:\d+:R>, 1 turn, \$0\.2500/);
  const asked = { user: BOB, channelId: "88", isDirect: true };
  const theirs = await scene.command("session list", {}, asked);
  assert.match(theirs.content!, /<#88> running/);
  assert.ok(!theirs.content!.includes("<#200>"));
});

test("C.1: /session attach goes on with another conversation, once its asker has said yes", async (t) => {
  const scene = brokerDeskScene(t);
  await working(scene);
  hearInChannel(scene, "201", "elsewhere");
  const { author, place } = arrival("", "");
  const hidden = { ...place, threadId: "202" };
  scene.broker.accept(arrival("h1", "else hid", { place: hidden, author: { ...author, id: BOB } }));
  await scene.until("all work", () => scene.prompts.length === 3);
  assert.deepEqual(await scene.complete("else"), [{ name: "elsewhere", value: "201" }]);
  const asked = await scene.command("session attach", { from: "<#201>" });
  assert.match(asked.content!, /go on here with what was said in <#201>: whoever reads here/);
  const other = await scene.pressOn(asked, "Yes, go on with it", { user: BOB });
  assert.match(wordOf(other), /Only who asked for it/);
  await scene.pressOn(asked, "Yes, go on with it");
  await scene.until("it is done", () => scene.edits.length === 1);
  assert.match(scene.edits[0]!.content!, /goes on here with what was said there/);
  assert.equal(scene.state().attached[THREAD]!.from, "201");
  assert.equal(scene.state().conversations.get(THREAD)!.sessionId, undefined);
  // In a thread in which nobody has spoken to it yet, too.
  const fresh = await scene.command("session attach", { from: "200" }, { channelId: "300" });
  await scene.pressOn(fresh, "Yes, go on with it", { channelId: "300" });
  await scene.until("it is done", () => scene.edits.length === 2);
  assert.equal(scene.state().attached["300"]!.from, "200");
  const later = brokerDeskScene(t, { journal: scene.journal });
  assert.equal(later.state().attached["300"]!.from, "200");
});

test("/session attach shows nobody what they may not see", async (t) => {
  const scene = brokerDeskScene(t);
  await working(scene);
  hearDirect(scene, "d1", "77", BOB);
  scene.hear("e1", "hidden", inThread("202"));
  const { place } = arrival("", "");
  scene.hear("x1", "of a channel that is not allowed", {
    place: { ...place, channelId: "102", threadId: "203" },
  });
  const thread = scene.discord.channels.get("201")!;
  scene.discord.channels.set("202", { ...thread, id: "202", type: 12, parentId: "100" });
  for (const from of ["77", "203", "999", "nonsense", ""]) {
    const answer = await scene.command("session attach", { from });
    assert.match(answer.content!, /There is no conversation/, from);
    assert.equal(answer.ephemeral, true);
  }
  const foreign = await scene.command("session attach", { from: "202" }, { user: BOB });
  assert.match(foreign.content!, /There is no conversation/);
  assert.match((await scene.command("session attach", { from: "202" })).content!, /Do it\?/);
  assert.match((await scene.command("session attach", { from: THREAD })).content!, /is this conv/);
  const inChannel = await scene.command("session attach", { from: "202" }, { channelId: "100" });
  assert.match(inChannel.content!, /works in a thread or in direct messages/);
  const before = scene.discord.rest.guild;
  scene.discord.rest.guild = async (id) => ({ ...await before(id), roles: [] });
  const unseen = await scene.command("session attach", { from: "202" });
  assert.match(unseen.content!, /There is no conversation/);
  assert.deepEqual(scene.state().attached, {});
});

test("B.108: /session export gives the transcript as a file to the one who asked", async (t) => {
  const scene = brokerDeskScene(t);
  await working(scene, "Build the *thing*");
  assert.match((await scene.command("session export")).content!, /Nothing was said here/);
  scene.said.push(
    { role: "person", at: 1_700_000_000_000, text: "Build it" },
    { role: "agent", at: 1_700_000_060_000, text: "Done." },
  );
  const answer = await scene.command("session export");
  assert.equal(answer.ephemeral, true);
  const [file] = answer.files!;
  assert.match(file!.name, /^conversation-\d{4}-\d\d-\d\d\.md$/);
  const text = new TextDecoder().decode(file!.bytes);
  assert.match(
    text,
    /^# Build the \*thing\*\n[^]*## Person, 2023-11-14 22:13:20 UTC\n\nBuild it\n/,
  );
  assert.match(text, /## Agent, 2023-11-14 22:14:20 UTC\n\nDone\.\n$/);
});

test("C.15: /cost is the table of the conversations' own use", async (t) => {
  const scene = brokerDeskScene(t);
  assert.match((await scene.command("cost")).content!, /Nothing was spent/);
  await working(scene);
  const use = { model: "k2", input: 10, output: 1, cacheRead: 0, cacheWrite: 0, usd: 0.25 };
  scene.prompts[0]!.hooks.onUse(use);
  scene.prompts[0]!.end({ kind: "done", text: "x" });
  await scene.until("it is over", () => scene.broker.turns().length === 0);
  const shown = await scene.command("cost", { by: "model", days: 1 });
  assert.match(
    shown.content!,
    /^```\nmodel +turns +in +out +cached +cost\nk2 .* \$0\.2500\n```$/,
  );
  assert.equal(shown.ephemeral, true);
});

test("B.108: /auth tells in direct messages how the agent is logged in, and asks for no secret", async (t) => {
  const scene = brokerDeskScene(t);
  assert.match((await scene.command("auth")).content!, /in direct messages with the bot only/);
  const answer = await scene.command("auth", {}, { channelId: "dm7", isDirect: true });
  assert.match(answer.content!, /kiro-cli login --use-device-flow/);
  assert.match(answer.content!, /Never write a key/);
  assert.equal(answer.ephemeral, true);
});

test("B.108: /remind sets, lists and drops, each person their own", async (t) => {
  const scene = brokerDeskScene(t);
  const wish = { when: "in 10 minutes", text: "look *here*" };
  const set = await scene.command("remind", wish, { id: "1" });
  assert.match(set.content!, /⏰ <t:\d+:R>, at <t:\d+:f>, you are told here/);
  // Told twice by Discord, it is one.
  await scene.command("remind", wish, { id: "1" });
  assert.equal(scene.reminders.of(ALICE).length, 1);
  const wrong = await scene.command("remind", { when: "soon", text: "x" });
  assert.match(wrong.content!, /Cannot read "soon"/);
  const listed = await scene.command("remind");
  assert.match(listed.content!, /1\. <t:\d+:R> in <#200>: look \\\*here\\\*/);
  const foreign = await scene.pressOn(listed, "Drop 1", { user: BOB });
  assert.match(wordOf(foreign), /over already/);
  assert.equal(scene.reminders.of(ALICE).length, 1);
  const dropped = await scene.pressOn(listed, "Drop 1");
  assert.equal(dropped.kind, "update");
  assert.match(wordOf(dropped), /is dropped\.\nYou have no/);
  assert.deepEqual(scene.state().reminders, {});
});

test("/waits lists what the conversation's agent waits for, and whoever may talk with it drops it", async (t) => {
  const scene = brokerDeskScene(t);
  assert.match((await scene.command("waits")).content!, /no conversation/i);
  scene.hear("h1", "wait for it");
  assert.match((await scene.command("waits")).content!, /waits for nothing/);
  const subject = { kind: "task", task: "t1" } as const;
  const wish = { conversation: THREAD, for: [ALICE], subject, atMost: 60_000 };
  scene.waits.set({ ...wish, id: "w1", note: "*plot* @everyone" }, "broker:herd");
  const listed = await scene.command("waits");
  assert.match(listed.content!, /1\. the moment when task t1 ends, <t:\d+:R> at the latest/);
  assert.ok(!listed.content!.includes("@everyone") && listed.content!.includes("\\*plot"));
  const refused = await scene.pressOn(listed, "Drop 1", { user: EVE });
  assert.equal(scene.waits.of(THREAD).length, 1, wordOf(refused));
  const dropped = await scene.pressOn(listed, "Drop 1", { user: BOB });
  assert.match(wordOf(dropped), /is dropped\.\nThe agent of this conversation waits for nothing/);
  assert.deepEqual(scene.state().waits, {});
});

test("a disk that refuses is told to the person, and nothing is said to be done", async (t) => {
  const scene = brokerDeskScene(t);
  scene.reminders.set = () => {
    throw new Error("No space left on the device");
  };
  const answer = await scene.command("remind", { when: "10m", text: "x" });
  assert.match(answer.content!, /That did not work: .*No space left/);
});

test("no answer, audit line or journal holds the interaction's token", async (t) => {
  const scene = brokerDeskScene(t);
  await working(scene);
  await scene.command("session list");
  await scene.command("reset", {}, { user: EVE });
  const all = JSON.stringify([scene.answers, scene.audit, scene.journal, scene.edits]);
  assert.ok(!all.includes("secret-token"));
});
