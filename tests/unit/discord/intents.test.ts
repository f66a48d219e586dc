import assert from "node:assert/strict";
import { test } from "node:test";
import { DAEMON_INTENTS } from "../../../lib/discord/intents.ts";

const GUILDS = 1 << 0, GUILD_MEMBERS = 1 << 1, PRESENCES = 1 << 8;
const GUILD_MESSAGES = 1 << 9, DIRECT_MESSAGES = 1 << 12, MESSAGE_CONTENT = 1 << 15;

test("B.3: a connection asks for what is used; of the privileged intents for Message Content alone", () => {
  assert.equal(DAEMON_INTENTS, GUILDS | GUILD_MESSAGES | DIRECT_MESSAGES | MESSAGE_CONTENT);
  assert.equal(DAEMON_INTENTS & (GUILD_MEMBERS | PRESENCES), 0);
});
