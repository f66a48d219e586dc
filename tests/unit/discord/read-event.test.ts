import assert from "node:assert/strict";
import { test } from "node:test";
import { readEvent } from "../../../lib/discord/read-event.ts";
import { readMessage } from "../../../lib/discord/read-message.ts";

const MESSAGE = {
  id: "1100000000000000001",
  channel_id: "9",
  guild_id: "5",
  content: "hi <@77>",
  author: { id: "1", username: "ada", global_name: "Ada" },
  member: { roles: ["3"] },
  mentions: [{ id: "77", username: "dog" }],
  mention_roles: ["4"],
  mention_everyone: false,
  timestamp: "2026-01-01T00:00:00.000000+00:00",
  edited_timestamp: null,
  pinned: false,
  type: 19,
  message_reference: { message_id: "8", channel_id: "9" },
  referenced_message: { id: "8", author: { id: "77" } },
  attachments: [{ id: "2", filename: "a.yaml", url: "https://cdn/x", size: 7 }],
  embeds: [{ title: "📊 mnist" }],
};

const INTERACTION = {
  id: "1100000000000000001",
  token: "secret",
  application_id: "78",
  guild_id: "5",
  channel_id: "9",
  channel: { id: "9", type: 11, parent_id: "8" },
  member: {
    user: { id: "1", username: "ada" },
    nick: "Countess",
    roles: ["3"],
    permissions: "2048",
  },
};

test("a message is read with who said it, whom it names and what it answers", () => {
  const [event] = readEvent("MESSAGE_CREATE", MESSAGE) ?? [];
  assert.deepEqual(event, {
    type: "message",
    message: {
      id: "1100000000000000001",
      channelId: "9",
      guildId: "5",
      author: { id: "1", name: "Ada", bot: false, webhook: false },
      member: { userId: "1", name: "Ada", roles: ["3"], permissions: undefined },
      content: "hi <@77>",
      mentions: { users: ["77"], roles: ["4"], everyone: false },
      replyTo: { messageId: "8", authorId: "77" },
      at: Date.parse("2026-01-01"),
      editedAt: undefined,
      pinned: false,
      nonce: undefined,
      type: 19,
      attachments: [{
        id: "2",
        name: "a.yaml",
        url: "https://cdn/x",
        bytes: 7,
        contentType: "application/octet-stream",
      }],
      title: "📊 mnist",
      mentioned: [{ id: "77", name: "dog" }],
      extras: [{ kind: "embed", text: "📊 mnist" }],
    },
  });
});

test("bots and webhooks are marked; our own answer to a command is no webhook's", () => {
  const by = (change: object) => readMessage({ ...MESSAGE, ...change })?.author;
  assert.equal(by({ author: { id: "1", username: "x", bot: true } })?.bot, true);
  assert.equal(by({ webhook_id: "6" })?.webhook, true);
  assert.equal(by({ webhook_id: "78", application_id: "78" })?.webhook, false);
});

test("a forwarded message is no answer, and an answer to a deleted one names nobody", () => {
  const forward = { type: 0, message_reference: { type: 1, message_id: "8" } };
  assert.equal(readMessage({ ...MESSAGE, ...forward })?.replyTo, undefined);
  assert.deepEqual(readMessage({ ...MESSAGE, referenced_message: null })?.replyTo, {
    messageId: "8",
    authorId: undefined,
  });
});

test("an edit is heard; an embed that Discord added to a link is not", () => {
  assert.equal(readEvent("MESSAGE_UPDATE", MESSAGE)?.[0]?.type, "message-edited");
  assert.deepEqual(readEvent("MESSAGE_UPDATE", { id: "1", channel_id: "9", embeds: [] }), []);
});

test("deleted messages are told one by one", () => {
  const events = readEvent("MESSAGE_DELETE_BULK", { ids: ["1", "2"], channel_id: "9" });
  assert.deepEqual(events, [
    { type: "message-deleted", id: "1", channelId: "9" },
    { type: "message-deleted", id: "2", channelId: "9" },
  ]);
});

test("a slash command is read with its options, who gave it and when", () => {
  const data = {
    name: "tail",
    options: [
      { name: "index", type: 3, value: "7" },
      { name: "lines", type: 4, value: 20 },
      { name: "all", type: 5, value: false },
      { name: "file", type: 11, value: "2" },
    ],
    resolved: { attachments: { 2: { url: "https://cdn/f" } } },
  };
  const [event] = readEvent("INTERACTION_CREATE", { ...INTERACTION, type: 2, data }) ?? [];
  assert.deepEqual(event, {
    type: "interaction",
    interaction: {
      id: "1100000000000000001",
      token: "secret",
      applicationId: "78",
      guildId: "5",
      channelId: "9",
      parentId: "8",
      member: { userId: "1", name: "Countess", roles: ["3"], permissions: 2048n },
      at: Number((1100000000000000001n >> 22n) + 1420070400000n),
      kind: "command",
      name: "tail",
      options: { index: "7", lines: 20, all: false, file: "https://cdn/f" },
    },
  });
});

test("a question for completions says what is being typed", () => {
  const data = { name: "tail", options: [{ name: "index", type: 3, value: "1", focused: true }] };
  const [event] = readEvent("INTERACTION_CREATE", { ...INTERACTION, type: 4, data }) ?? [];
  assert.ok(event?.type === "interaction" && event.interaction.kind === "completion");
  assert.deepEqual(event.interaction.focused, { name: "index", value: "1" });
});

test("a click brings its button and its message; a menu's choice what was taken from it", () => {
  const message = { ...MESSAGE, channel_id: undefined };
  const click = (component_type: number) =>
    readEvent("INTERACTION_CREATE", {
      ...INTERACTION,
      type: 3,
      data: { custom_id: "refresh", component_type, values: ["a", 7, "b"] },
      message: { ...MESSAGE, ...message, channel_id: "9" },
    });
  const [event] = click(2) ?? [];
  assert.ok(event?.type === "interaction" && event.interaction.kind === "button");
  assert.equal(event.interaction.button, "refresh");
  assert.equal(event.interaction.message.title, "📊 mnist");
  assert.equal(event.interaction.values, undefined);
  const [choice] = click(3) ?? [];
  assert.ok(choice?.type === "interaction" && choice.interaction.kind === "button");
  assert.deepEqual([choice.interaction.button, choice.interaction.values], ["refresh", ["a", "b"]]);
  // A menu of users or roles is none of ours.
  assert.deepEqual(click(5), []);
});

test("in a private channel the user stands for the member", () => {
  const { member, guild_id: _, ...rest } = INTERACTION;
  const raw = { ...rest, user: member.user, type: 2, data: { name: "help" } };
  const [event] = readEvent("INTERACTION_CREATE", raw) ?? [];
  assert.ok(event?.type === "interaction");
  assert.deepEqual([event.interaction.member.name, event.interaction.guildId], ["ada", undefined]);
});

test("a guild that is lost differs from one with an outage", () => {
  assert.deepEqual(readEvent("GUILD_DELETE", { id: "5" }), [{
    type: "guild-gone",
    id: "5",
    lost: true,
  }]);
  const outage = [{ type: "guild-gone", id: "5", lost: false }];
  assert.deepEqual(readEvent("GUILD_DELETE", { id: "5", unavailable: true }), outage);
  assert.deepEqual(readEvent("GUILD_CREATE", { id: "5", unavailable: true }), outage);
  assert.deepEqual(readEvent("GUILD_CREATE", { id: "5" }), [{ type: "guild-here", id: "5" }]);
});

test("a changed channel also voids what was computed of permissions; a thread does not", () => {
  const raw = {
    id: "9",
    guild_id: "5",
    type: 0,
    name: "a",
    permission_overwrites: [{ id: "3", type: 0, allow: "1024", deny: "2048" }, { id: 4, type: 7 }],
  };
  const [changed, voided] = readEvent("CHANNEL_UPDATE", raw) ?? [];
  assert.ok(changed?.type === "channel-changed");
  assert.deepEqual(changed.channel.overwrites, [{
    id: "3",
    kind: "role",
    allow: 1024n,
    deny: 2048n,
  }]);
  assert.deepEqual(voided, { type: "permissions-changed", guildId: "5" });
  const thread = { ...raw, type: 11, parent_id: "8", thread_metadata: { archived: true } };
  const [event, ...more] = readEvent("THREAD_UPDATE", thread) ?? [];
  assert.ok(event?.type === "thread-changed" && event.thread.archived);
  assert.deepEqual([event.thread.parentId, more], ["8", []]);
  assert.deepEqual(readEvent("CHANNEL_DELETE", raw), [{
    type: "channel-deleted",
    id: "9",
    guildId: "5",
  }]);
});

test("changed roles void permissions", () => {
  const voided = [{ type: "permissions-changed", guildId: "5" }];
  assert.deepEqual(readEvent("GUILD_ROLE_UPDATE", { guild_id: "5", role: {} }), voided);
  assert.deepEqual(readEvent("GUILD_UPDATE", { id: "5" }), voided);
});

test("whatever Discord may send, nothing throws", () => {
  const names = [
    "READY",
    "MESSAGE_CREATE",
    "MESSAGE_DELETE",
    "INTERACTION_CREATE",
    "CHANNEL_UPDATE",
    "THREAD_DELETE",
    "GUILD_CREATE",
    "GUILD_ROLE_DELETE",
  ];
  const odd = [undefined, null, 7, "x", [], {}, {
    id: 5,
    author: [],
    data: null,
    type: 2,
    user: 3,
  }];
  for (const name of names) for (const data of odd) assert.ok(!readEvent(name, data)?.length, name);
  assert.deepEqual(readEvent("PRESENCE_UPDATE", {}), []);
});
