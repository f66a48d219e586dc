import assert from "node:assert/strict";
import { test } from "node:test";
import { createBrokerHistory } from "../../../lib/discord/broker-history.ts";
import { BOT, channel, memoryDiscord, unreachable } from "../../support/discord-rest.ts";
import { arrival } from "../chat/arrivals.ts";

const OTHER = { author: { id: "77", name: "reviewer", bot: true } };
const SIGNAL = new AbortController().signal;

function scene() {
  const discord = memoryDiscord();
  discord.channels.set("200", channel("200", "review", "", "1", "100"));
  const logged: string[] = [];
  const history = createBrokerHistory({
    rest: discord.rest,
    now: () => 0,
    log: (_, message) => void logged.push(message),
  });
  const say = (content: string, more: Parameters<typeof discord.say>[2] = {}) =>
    discord.say("200", content, more);
  return { discord, history, say, logged };
}

test("B.50: a bot that is called hears what was said since its own last word, by whom", async () => {
  const { history, say, discord, logged } = scene();
  say("old");
  say("my answer", { author: { id: BOT, bot: true } });
  say("please review", { author: { id: "1", name: "alice" } });
  say("two files changed", OTHER);
  say("", OTHER);
  const call = say("<@900> deploy it", OTHER);
  say("later");
  const since = await history.since("200", call.id, BOT, SIGNAL);
  assert.deepEqual(since.map(({ author, text }) => `${author.name}: ${text}`), [
    "alice: please review",
    "reviewer: two files changed",
  ]);
  discord.fail = () => {
    throw unreachable();
  };
  assert.deepEqual(await history.since("200", call.id, BOT, SIGNAL), [], "it is a help, no must");
  assert.equal(logged.length, 1);
});

test("B.50: an answer in several messages, of which one calls the bot, is handed over whole", async () => {
  const { history, say } = scene();
  const place = { channelId: "100", threadId: "200" };
  const file = { id: "5", name: "plan.md", url: "https://x/plan.md", bytes: 3, contentType: "" };
  const first = say("<@900> the plan", { ...OTHER, at: 1_000 });
  say("step one", { ...OTHER, at: 1_400 });
  const own = say("<@900> called again", { ...OTHER, at: 1_500 });
  say("step two", { ...OTHER, at: 1_800, attachments: [file] });
  say("nice", { at: 1_900, author: { id: "1" } });
  say("not of it", { ...OTHER, at: 2_000 });
  const heard = arrival({
    id: first.id,
    at: 1_000,
    content: first.content,
    place,
    author: { id: "77", isBot: true },
  });
  const whole = await history.whole(heard, (id) => id === own.id, SIGNAL);
  assert.equal(whole.content, "<@900> the plan\nstep one\nstep two");
  assert.deepEqual(whole.attachments.map(({ name }) => name), ["plan.md"]);
  const late = await history.whole({ ...heard, at: -20_000 }, () => false, SIGNAL);
  assert.equal(late.content, "<@900> the plan", "what comes much later is something else");
});
