import assert from "node:assert/strict";
import { test } from "node:test";
import { createBrokerHistory } from "../../../lib/discord/broker-history.ts";
import type { Arrival } from "../../../lib/chat/arrival.ts";
import type { Message } from "../../../lib/discord/message.ts";
import { arrival, inThread } from "../../support/chat-scene.ts";
import { memoryDiscord, unreachable } from "../../support/discord-rest.ts";

const SIGNAL = new AbortController().signal;
const NOW = 1_700_000_000_000;

function scene() {
  const discord = memoryDiscord();
  const logged: string[] = [];
  const history = createBrokerHistory({
    rest: discord.rest,
    now: () => NOW,
    log: (_, message) => void logged.push(message),
  });
  return { discord, logged, history };
}

function attached(id: string, endsInMs: number, name = "a.txt"): Message["attachments"][number] {
  const ex = Math.floor((NOW + endsInMs) / 1_000).toString(16);
  const url = `https://cdn.discordapp.com/${id}/${name}?ex=${ex}`;
  return { id, name, url } as Message["attachments"][number];
}

function spoken(more: Partial<Arrival>): Arrival {
  return arrival("1", "and this?", { ...inThread("200"), ...more });
}

test("what was said before a message is told oldest first, with names of files, without empty ones", async () => {
  const { discord, history } = scene();
  discord.say("200", "one");
  discord.say("200", "");
  discord.say("elsewhere", "not here");
  discord.say("200", "", { attachments: [attached("5", 0, "plot.png")] });
  discord.say("200", "forwarded:", { extras: [{ kind: "forwarded", text: "old words" }] as never });
  const asked = discord.say("200", "the question");
  discord.say("200", "after it");
  const texts = (await history.before("200", asked.id, SIGNAL)).map(({ text }) => text);
  assert.deepEqual(texts, ["one", "[attached: plot.png]", "forwarded:\nold words"]);
});

test("at most fifty earlier messages, the newest", async () => {
  const { discord, history } = scene();
  for (let n = 0; n < 60; n++) discord.say("200", `word ${n}`);
  const asked = discord.say("200", "the question");
  const texts = await history.before("200", asked.id, SIGNAL);
  assert.deepEqual([texts.length, texts[0]!.text, texts.at(-1)!.text], [50, "word 10", "word 59"]);
});

test("what cannot be read is left out and logged; a turn that was stopped reads nothing more", async () => {
  const { discord, history, logged } = scene();
  discord.fail = () => {
    throw unreachable();
  };
  assert.deepEqual(await history.before("200", "1", SIGNAL), []);
  const quoted = { id: "9", author: { id: "2", name: "bob" }, text: "" };
  assert.deepEqual((await history.complete(spoken({ quoted }), SIGNAL)).quoted, quoted);
  assert.deepEqual(logged, [
    "Cannot read what was said before",
    "Cannot read what a message answers",
  ]);
  const stopped = AbortSignal.abort(new Error("stopped"));
  await assert.rejects(history.before("200", "1", stopped), /stopped/);
});

test("a quoted message gets its words, and is not read when it has them", async () => {
  const { discord, history } = scene();
  const first = discord.say("200", "the first word", { author: { id: "2", name: "bob" } });
  const quoted = { id: first.id, author: { id: "2", name: "" }, text: "" };
  const { quoted: found } = await history.complete(spoken({ quoted }), SIGNAL);
  assert.deepEqual(found, { ...quoted, author: { id: "2", name: "bob" }, text: "the first word" });
  const known = { ...quoted, text: "known" };
  assert.deepEqual((await history.complete(spoken({ quoted: known }), SIGNAL)).quoted, known);
  assert.deepEqual(discord.calls, ["message"]);
});

test("an address that ends within ten minutes is fetched anew; one that lasts is kept", async () => {
  const { discord, history } = scene();
  const [soon, later] = [attached("5", 9 * 60_000), attached("6", 86_400_000)];
  const fresh = { ...soon, url: "https://cdn.discordapp.com/5/a.txt?ex=ffffffff" };
  const message = discord.say("200", "see", { attachments: [fresh, later] });
  const old = spoken({ id: message.id, attachments: [soon, later] as never });
  const urls = (await history.complete(old, SIGNAL)).attachments.map(({ url }) => url);
  assert.deepEqual(urls, [fresh.url, later.url]);
  const lasting = spoken({ id: message.id, attachments: [later] as never });
  await history.complete(lasting, SIGNAL);
  assert.deepEqual(discord.calls, ["message"]);
  discord.fail = () => {
    throw unreachable();
  };
  assert.equal((await history.complete(old, SIGNAL)).attachments[0]!.url, soon.url);
});
