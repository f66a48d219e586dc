import assert from "node:assert/strict";
import { test } from "node:test";
import {
  inviteUrl,
  may,
  missingPermissions,
  PERMISSION,
  permissionsIn,
  WANTED,
} from "../../../lib/discord/permissions.ts";
import type { Channel, Guild } from "../../../lib/discord/rest.ts";

const { VIEW_CHANNEL, SEND_MESSAGES, ADMINISTRATOR, PIN_MESSAGES, EMBED_LINKS, ATTACH_FILES } =
  PERMISSION;
const EVERYONE = "5";
const ROLE = "10";
const OTHER = "11";
const BOT = "77";

function guildWith(everyone: bigint, role = 0n, other = 0n): Guild {
  const named = (id: string, permissions: bigint) => ({
    id,
    name: id,
    permissions,
    managed: false,
  });
  const roles = [named(EVERYONE, everyone), named(ROLE, role), named(OTHER, other)];
  return { id: EVERYONE, name: "Lab", ownerId: "1", roles };
}

function channelWith(...overwrites: Channel["overwrites"]): Channel {
  const named = { id: "9", guildId: EVERYONE, type: 0, name: "a", topic: "" };
  return { ...named, parentId: undefined, overwrites, archived: false };
}

function allow(id: string, bits: bigint, kind: "role" | "member" = "role") {
  return { id, kind, allow: bits, deny: 0n };
}

function deny(id: string, bits: bigint, kind: "role" | "member" = "role") {
  return { id, kind, allow: 0n, deny: bits };
}

const BOTH = VIEW_CHANNEL | SEND_MESSAGES;
const bot = { userId: BOT, roles: [ROLE, OTHER] };

test("the owner and an administrator may do everything, whatever a channel denies", () => {
  const closed = channelWith(deny(EVERYONE, BOTH), deny(BOT, BOTH, "member"));
  assert.deepEqual(
    missingPermissions(permissionsIn(guildWith(0n), closed, { ...bot, userId: "1" })),
    [],
  );
  const guild = guildWith(0n, ADMINISTRATOR);
  assert.deepEqual(
    missingPermissions(permissionsIn(guild, closed, { ...bot, timeoutUntil: 9 }, 1)),
    [],
  );
});

test("roles add up with everyone's permissions, and roles that one has not do not count", () => {
  const guild = guildWith(VIEW_CHANNEL, SEND_MESSAGES, PIN_MESSAGES);
  assert.equal(permissionsIn(guild, undefined, { userId: BOT, roles: [ROLE] }), BOTH);
});

test("a role's allow is stronger than everyone's deny and another role's deny", () => {
  const guild = guildWith(BOTH);
  const channel = channelWith(deny(OTHER, SEND_MESSAGES), allow(ROLE, BOTH), deny(EVERYONE, BOTH));
  assert.equal(permissionsIn(guild, channel, bot), BOTH);
});

test("what is said of the member itself comes last", () => {
  const guild = guildWith(BOTH);
  const barred = channelWith(deny(BOT, SEND_MESSAGES, "member"), allow(ROLE, BOTH));
  assert.equal(permissionsIn(guild, barred, bot), VIEW_CHANNEL);
  const let_in = channelWith(allow(BOT, BOTH, "member"), deny(EVERYONE, BOTH));
  assert.equal(permissionsIn(guild, let_in, bot), BOTH);
});

test("an overwrite of a role with the member's id is not the member's", () => {
  const channel = channelWith(deny(BOT, BOTH, "role"));
  assert.equal(permissionsIn(guildWith(BOTH), channel, bot), BOTH);
});

test("who cannot see a channel can do nothing in it", () => {
  const channel = channelWith(deny(EVERYONE, VIEW_CHANNEL));
  assert.equal(permissionsIn(guildWith(BOTH | PIN_MESSAGES), channel, bot), 0n);
});

test("a time-out leaves looking, until it is over", () => {
  const guild = guildWith(BOTH | PERMISSION.READ_MESSAGE_HISTORY | PIN_MESSAGES);
  const held = { ...bot, timeoutUntil: 1_000 };
  const looking = VIEW_CHANNEL | PERMISSION.READ_MESSAGE_HISTORY;
  assert.equal(permissionsIn(guild, channelWith(), held, 999), looking);
  assert.ok(may(permissionsIn(guild, channelWith(), held, 1_000), "SEND_MESSAGES"));
});

test("without the right to send there are no embeds or files either; a thread has a right of its own", () => {
  const bits = VIEW_CHANNEL | EMBED_LINKS | ATTACH_FILES | PERMISSION.SEND_MESSAGES_IN_THREADS;
  const guild = guildWith(bits);
  assert.ok(!may(permissionsIn(guild, channelWith(), bot), "EMBED_LINKS"));
  assert.ok(may(permissionsIn(guild, { ...channelWith(), type: 11 }, bot), "EMBED_LINKS"));
});

test("each missing permission is named, with what still works without it", () => {
  const missing = missingPermissions(BOTH);
  assert.deepEqual(missing.map(({ label }) => label), WANTED.slice(2).map(({ label }) => label));
  for (const { without, label } of WANTED) {
    assert.match(without, /^[A-Z].*[^.]$/, label);
    assert.match(without, /still|goes on|is heard/, label);
  }
});

test("the invite asks for exactly what is needed", () => {
  const url = new URL(inviteUrl("123"));
  assert.equal(url.origin + url.pathname, "https://discord.com/oauth2/authorize");
  assert.equal(url.searchParams.get("client_id"), "123");
  assert.equal(url.searchParams.get("scope"), "bot applications.commands");
  const bits = [4n, 6n, 10n, 11n, 14n, 15n, 16n, 35n, 38n, 51n];
  const wanted = bits.reduce((sum, bit) => sum | 1n << bit, 0n);
  assert.equal(url.searchParams.get("permissions"), String(wanted));
});
