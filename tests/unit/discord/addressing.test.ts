import assert from "node:assert/strict";
import { test } from "node:test";
import { addressed } from "../../../lib/discord/addressing.ts";
import type { Message } from "../../../lib/discord/message.ts";

const ME = { id: "900", names: ["HerdDog", "The Dog (lab)"] };

function said(content: string, more: Partial<Message> = {}): Parameters<typeof addressed>[0] {
  const users = [...content.matchAll(/<@!?(\d+)>/g)].map(([, id]) => id!);
  return {
    author: { id: "1", name: "alice", bot: false, webhook: false },
    content,
    mentions: { users, roles: [], everyone: false },
    replyTo: undefined,
    ...more,
  };
}

const HEARD: readonly [content: string, text: string][] = [
  ["<@900> how is it going?", "how is it going?"],
  ["<@!900> stop", "stop"],
  ["please stop, <@900>", "please stop,"],
  ["@HerdDog stop", "stop"],
  ["@herddog   stop", "stop"],
  ["HERDDOG: stop", "stop"],
  ["herddog, bump mem to 32G", "bump mem to 32G"],
  ["  HerdDog : stop", "stop"],
  ["The Dog (lab): stop", "stop"],
  ["@The dog (LAB) stop", "stop"],
  ["HerdDog: one\ntwo", "one\ntwo"],
  ["@HerdDog", ""],
];

const NOT_HEARD = [
  "stop",
  "HerdDog is asleep",
  "herddogs: stop",
  "@HerdDogs stop",
  "hey HerdDog: stop",
  "<@901> stop",
  "<@&900> stop",
  "@everyone stop",
  "<#900> stop",
  "",
];

test("three ways to address the bot, in any case, and the text without the address", () => {
  for (const [content, text] of HEARD) {
    assert.deepEqual(addressed(said(content), ME), { text }, content);
  }
});

test("everything else is ignored, mentions of roles, of others and of everybody included", () => {
  for (const content of NOT_HEARD) assert.equal(addressed(said(content), ME), undefined, content);
});

test("an answer to one of the bot's messages is heard, to somebody else's it is not", () => {
  const answering = (authorId: string) => said("stop", { replyTo: { messageId: "5", authorId } });
  assert.deepEqual(addressed(answering("900"), ME), { text: "stop" });
  assert.equal(addressed(answering("901"), ME), undefined);
});

test("G.3.22: bots and webhooks are not heard, however they address it", () => {
  for (const who of [{ bot: true, webhook: false }, { bot: false, webhook: true }]) {
    const author = { id: "7", name: "HerdDog", ...who };
    for (const [content] of HEARD) {
      assert.equal(
        addressed(said(content, { author, replyTo: { messageId: "5", authorId: "900" } }), ME),
        undefined,
      );
    }
  }
});
