import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding } from "../../../lib/base/finding.ts";
import { checkDiscord, type DiscordCheck } from "../../../lib/discord/check-discord.ts";
import { DiscordError, type DiscordErrorKind } from "../../../lib/discord/discord-error.ts";
import { inviteUrl, PERMISSION, WANTED } from "../../../lib/discord/permissions.ts";
import { proxyFor } from "../../../lib/discord/proxy.ts";
import type { Channel, Guild } from "../../../lib/discord/rest.ts";

const EVERYTHING = WANTED.reduce((bits, { name }) => bits | PERMISSION[name], 0n);

function no(kind: DiscordErrorKind, message = "Cannot do it: no"): () => Promise<never> {
  return () => Promise.reject(new DiscordError(message, { kind }));
}

function guildWith(permissions: bigint): Guild {
  const roles = [{ id: "5", name: "@everyone", permissions, managed: false }];
  return { id: "5", name: "Lab", ownerId: "1", roles };
}

const CHANNEL: Channel = {
  id: "9",
  guildId: "5",
  type: 0,
  name: "mnist",
  topic: "",
  parentId: undefined,
  overwrites: [],
  archived: false,
};

function checkWith(
  rest: Partial<DiscordCheck["rest"]> = {},
  change: Partial<DiscordCheck> = {},
): Promise<readonly Finding[]> {
  return checkDiscord({
    token: "a.b.c",
    guildId: "5",
    channelId: "9",
    proxy: undefined,
    rest: {
      me: () => Promise.resolve({ id: "77", name: "HerdDog" }),
      application: () => Promise.resolve({ id: "78", name: "Herd", messageContent: true }),
      gateway: () => Promise.resolve({ url: "wss://x", remaining: 999, resetAfterMs: 0 }),
      guilds: () => Promise.resolve([{ id: "6", name: "Other lab" }]),
      guild: () => Promise.resolve(guildWith(EVERYTHING)),
      member: () => Promise.resolve({ userId: "77", name: "HerdDog", bot: true, roles: [] }),
      channel: () => Promise.resolve(CHANNEL),
      ...rest,
    },
    ...change,
  });
}

function troubles(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ mark }) => mark !== "good");
}

test("all is well when it is", async () => {
  const findings = await checkWith();
  assert.deepEqual(troubles(findings), []);
  assert.match(findings.map(({ message }) => message).join("\n"), /HerdDog[^]*Lab[^]*#mnist/);
});

test("a missing token is told without asking anybody", async () => {
  const [finding, ...rest] = await checkWith({ me: no("unreachable") }, { token: "" });
  assert.equal(finding?.message, "DISCORD_BOT_TOKEN is not in the environment");
  assert.deepEqual([finding?.mark, rest], ["bad", []]);
});

test("a refused token says where to make a new one", async () => {
  const [finding] = await checkWith({ me: no("unauthorized") });
  assert.deepEqual([finding?.mark, finding?.message], ["bad", "Discord refuses the bot token"]);
  assert.match(finding?.mend ?? "", /Reset Token/);
});

test("MESSAGE CONTENT INTENT that is off says where to click, and what works without", async () => {
  const [finding] = troubles(
    await checkWith({
      application: () => Promise.resolve({ id: "78", name: "Herd", messageContent: false }),
    }),
  );
  assert.equal(finding?.mark, "doubt");
  assert.match(finding?.message ?? "", /slash commands and buttons work/);
  assert.match(finding?.mend ?? "", /Bot.*MESSAGE CONTENT INTENT.*Privileged Gateway Intents/);
});

test("a server that is not seen lists those that are, and the invite", async () => {
  for (const kind of ["missing", "forbidden"] as const) {
    const [finding] = troubles(await checkWith({ guild: no(kind) }));
    assert.equal(finding?.mark, "bad");
    assert.equal(finding?.message, 'The bot cannot see server "5": it has not been invited');
    assert.ok(finding?.mend?.includes('"Other lab" (6)'));
    assert.ok(finding?.mend?.includes(inviteUrl("78")));
  }
});

test("a bot in no server, and a sweep without a server, get the invite as well", async () => {
  const [finding] = troubles(
    await checkWith({ guilds: () => Promise.resolve([]) }, { guildId: undefined }),
  );
  assert.equal(finding?.message, "discord.guild_id is not set");
  assert.ok(finding?.mend?.includes("The bot is in no server: invite it by https://"));
});

test("each missing permission is told by name and with what still works", async () => {
  const lacking = EVERYTHING & ~PERMISSION.PIN_MESSAGES & ~PERMISSION.SEND_MESSAGES &
    ~PERMISSION.MANAGE_CHANNELS;
  const found = troubles(await checkWith({ guild: () => Promise.resolve(guildWith(lacking)) }));
  assert.deepEqual(found.map(({ mark }) => mark), ["bad", "doubt", "doubt", "doubt"]);
  const text = found.map(({ message }) => message).join("\n");
  assert.match(text, /lacks the permission "Send Messages" in channel "#mnist"/);
  assert.match(text, /"Pin Messages".*still updated in place/);
  assert.doesNotMatch(text, /Manage Channels/, "the channel is there");
});

test("without a channel yet, Manage Channels counts", async () => {
  const lacking = EVERYTHING & ~PERMISSION.MANAGE_CHANNELS;
  const [finding] = troubles(
    await checkWith({ guild: () => Promise.resolve(guildWith(lacking)) }, { channelId: undefined }),
  );
  assert.match(finding?.message ?? "", /"Manage Channels" on server "Lab"/);
});

test("a channel that is hidden, of another server or no text channel is told", async () => {
  const of = async (channel: () => Promise<Channel>) =>
    troubles(await checkWith({ channel })).map(({ message }) => message);
  assert.deepEqual(await of(no("forbidden")), ['Channel "9" is not visible to the bot']);
  const foreign = () => Promise.resolve({ ...CHANNEL, guildId: "6" });
  assert.deepEqual(await of(foreign), ['Channel "9" does not belong to server "Lab"']);
  const voice = () => Promise.resolve({ ...CHANNEL, type: 2 });
  assert.deepEqual(await of(voice), ['Channel "9" is no text channel']);
});

test("when nothing answers, the proxy is named, without its password", async () => {
  const proxy = proxyFor("https://discord.com", { HTTPS_PROXY: "http://u:hidden@proxy:3128" });
  const silent = { me: no("unreachable", "Cannot ask who the bot is: no answer") };
  const [finding] = await checkWith(silent, { proxy });
  assert.equal(finding?.message, "Cannot ask who the bot is: no answer");
  assert.match(finding?.mend ?? "", /the proxy http:\/\/proxy:3128 \(HTTPS_PROXY\)/);
  assert.doesNotMatch(JSON.stringify(finding), /hidden/);
  assert.match((await checkWith(silent))[0]?.mend ?? "", /set HTTPS_PROXY/);
});

test("few sessions left for the day are told", async () => {
  const gateway = () => Promise.resolve({ url: "wss://x", remaining: 3, resetAfterMs: 3_600_001 });
  const [finding] = troubles(await checkWith({ gateway }));
  assert.match(finding?.message ?? "", /only 3 more new sessions within 2 h/);
});

test("a fault of herd's own is thrown, not told as Discord's", async () => {
  await assert.rejects(checkWith({ me: () => Promise.reject(new TypeError("a bug")) }), TypeError);
});
