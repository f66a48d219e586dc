import assert from "node:assert/strict";
import { test } from "node:test";
import { writeAnswer, writeMessage } from "../../../lib/discord/write-message.ts";

test("G.3.26: nobody is pinged, whatever the text, the kind of message or the answer", () => {
  const message = { content: "@everyone @here <@1> <@&2>", replyTo: "8" };
  for (const purpose of ["post", "edit", "answer"] as const) {
    const { allowed_mentions } = writeMessage(message, purpose).body as Record<string, unknown>;
    assert.deepEqual(allowed_mentions, { parse: [], replied_user: false });
  }
  const { data } = writeAnswer({ kind: "message", message }).body as { data: typeof message };
  assert.deepEqual("allowed_mentions" in data && data.allowed_mentions, {
    parse: [],
    replied_user: false,
  });
});

test("those who are named are pinged, and only they", () => {
  const { body } = writeMessage({ content: "<@1>", pings: { users: ["1"] } }, "post");
  assert.deepEqual(body, { content: "<@1>", allowed_mentions: { parse: [], users: ["1"] } });
});

test("buttons stand in rows; an empty list takes them away", () => {
  const rows = [[
    { id: "a", label: "Yes", style: "danger", emoji: "✅" },
    { id: "b", label: "", style: "secondary", emoji: "🔄", disabled: true },
  ], []] as const;
  const { components } = writeMessage({ rows }, "post").body as { components: unknown };
  assert.deepEqual(components, [{
    type: 1,
    components: [
      { type: 2, style: 4, custom_id: "a", label: "Yes", emoji: { name: "✅" } },
      { type: 2, style: 2, custom_id: "b", emoji: { name: "🔄" }, disabled: true },
    ],
  }]);
  assert.deepEqual(writeMessage({ rows: [] }, "edit").body as typeof components & object, {
    components: [],
    allowed_mentions: { parse: [] },
  });
});

test("an embed's picture and footer are written as Discord has them", () => {
  const embeds = [{ title: "t", color: 0xff0000, footer: "f", image: "attachment://p.png" }];
  const { body } = writeMessage({ embeds }, "post");
  assert.deepEqual((body as { embeds: unknown }).embeds, [{
    title: "t",
    color: 0xff0000,
    footer: { text: "f" },
    image: { url: "attachment://p.png" },
  }]);
});

test("an edit changes what it names and nothing else: no nonce, no flags, no reply", () => {
  const message = { content: "x", nonce: "n", replyTo: "8", silent: true, ephemeral: true };
  const { nonce, enforce_nonce, flags, message_reference } = writeMessage(message, "edit")
    .body as Record<string, unknown>;
  assert.deepEqual([nonce, enforce_nonce, flags, message_reference], Array(4).fill(undefined));
});

test("flags of a private and of a quiet message", () => {
  const flags = (message: object) =>
    (writeMessage(message, "answer").body as { flags: number }).flags;
  assert.deepEqual([flags({ ephemeral: true }), flags({ silent: true })], [64, 4096]);
  assert.equal(flags({ ephemeral: true, silent: true }), 4160);
});

test("first answers have Discord's numbers", () => {
  const message = { content: "x" };
  const types = [
    writeAnswer({ kind: "message", message }),
    writeAnswer({ kind: "defer", ephemeral: false }),
    writeAnswer({ kind: "defer-update" }),
    writeAnswer({ kind: "update", message }),
    writeAnswer({ kind: "choices", choices: [{ name: "a", value: 1 }] }),
  ].map(({ body }) => (body as { type: number }).type);
  assert.deepEqual(types, [4, 5, 6, 7, 8]);
  assert.deepEqual(writeAnswer({ kind: "defer", ephemeral: false }).body, { type: 5 });
});
