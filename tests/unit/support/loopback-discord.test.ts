import assert from "node:assert/strict";
import { test } from "node:test";
import { startDiscord } from "../../support/discord/start-discord.ts";
import type { FakeDiscord } from "../../support/discord/start-discord.ts";

/** A hand on the clock. */
function heldClock(start = 1_800_000_000_000) {
  let now = start;
  return { clock: () => now, pass: (ms: number) => void (now += ms), now: () => now };
}

interface Said {
  status: number;
  // deno-lint-ignore no-explicit-any -- Discord's JSON, read by its tests
  json: any;
  headers: Headers;
}

async function call(
  { url }: FakeDiscord,
  token: string,
  method: string,
  path: string,
  body?: unknown,
  files: Record<string, string> = {},
): Promise<Said> {
  const form = new FormData();
  if (body !== undefined) form.set("payload_json", JSON.stringify(body));
  for (const [name, text] of Object.entries(files)) form.set(name, new File([text], `${name}.txt`));
  const isForm = Object.keys(files).length > 0;
  const response = await fetch(`${url}/v10${path}`, {
    method,
    headers: {
      authorization: `Bot ${token}`,
      ...(isForm || body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(isForm ? { body: form } : body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = text === "" ? undefined : JSON.parse(text);
  return { status: response.status, json, headers: response.headers };
}

/** A session of the gateway, and what it was told. */
async function listen(
  { gateway }: FakeDiscord,
  token: string,
  intents: number,
) {
  const socket = new WebSocket(gateway.url);
  const events: { name: string; data: Record<string, unknown> }[] = [];
  const ready = Promise.withResolvers<void>();
  const waiting = new Set<() => void>();
  socket.onmessage = ({ data }) => {
    const { op, t, d } = JSON.parse(`${data}`);
    if (op === 10) socket.send(JSON.stringify({ op: 2, d: { token, intents } }));
    if (op !== 0) return;
    events.push({ name: t, data: d });
    if (t === "GUILD_CREATE") ready.resolve();
    waiting.forEach((look) => look());
  };
  await ready.promise;
  return {
    events,
    names: () => events.map(({ name }) => name),
    until(holds: () => boolean): Promise<void> {
      return new Promise((resolve, reject) => {
        const late = setTimeout(
          () => reject(new Error(`Not told: ${JSON.stringify(events)}`)),
          5_000,
        );
        const look = () => {
          if (!holds()) return;
          clearTimeout(late);
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    },
    async [Symbol.asyncDispose]() {
      if (socket.readyState === WebSocket.CLOSED) return;
      const closed = new Promise((resolve) => socket.onclose = resolve);
      socket.close();
      await closed;
    },
  };
}

const GUILDS = 1;
const MESSAGES = 1 << 9;
const REACTIONS = 1 << 10;
const CONTENT = 1 << 15;

test("each bot has its own token, user, rights and intents", async () => {
  await using discord = await startDiscord();
  const worker = discord.addBot("worker", { content: false });
  const stranger = discord.addBot("stranger", { joined: false });
  const channel = discord.makeChannel("tasks");
  const path = `/channels/${channel.id}/messages`;
  assert.equal((await call(discord, worker.token, "GET", "/users/@me")).json.username, "worker");
  assert.equal((await call(discord, "nobody's", "GET", "/users/@me")).status, 401);
  assert.equal(
    (await call(discord, stranger.token, "GET", `/guilds/${discord.guild.id}`)).status,
    404,
  );
  const own = await call(discord, worker.token, "POST", path, { content: "hello" });
  assert.equal(own.json.author.id, worker.person.id);
  const other = await call(discord, discord.token, "PATCH", `${path}/${own.json.id}`, {
    content: "x",
  });
  assert.equal(other.json.code, 50005);
  discord.overwrite(channel, worker.person, { deny: ["SEND_MESSAGES"] });
  assert.equal(
    (await call(discord, worker.token, "POST", path, { content: "x" })).json.code,
    50013,
  );
  discord.overwrite(channel, worker.person, { deny: ["VIEW_CHANNEL"] });
  assert.equal((await call(discord, worker.token, "GET", path)).json.code, 50001);
  discord.overwrite(channel, worker.person);
  await call(discord, discord.token, "POST", path, { content: "secret" });
  await call(discord, discord.token, "POST", path, { content: `<@${worker.person.id}> for you` });
  const { json } = await call(discord, worker.token, "GET", path);
  assert.deepEqual(json.map((one: { content: string }) => one.content), [
    `<@${worker.person.id}> for you`,
    "",
    "hello",
  ]);
  discord.revokeToken(worker);
  assert.equal((await call(discord, worker.token, "GET", "/users/@me")).status, 401);
  assert.equal((await call(discord, discord.token, "GET", "/users/@me")).status, 200);
});

test("each bot has its own gateway session and hears what it may see", async () => {
  await using discord = await startDiscord();
  const worker = discord.addBot("worker");
  const open = discord.makeChannel("open");
  const closed = discord.makeChannel("closed");
  discord.overwrite(closed, worker.person, { deny: ["VIEW_CHANNEL"] });
  const alice = discord.person("alice");
  await using first = await listen(discord, discord.token, GUILDS | MESSAGES | CONTENT | REACTIONS);
  await using second = await listen(discord, worker.token, GUILDS | MESSAGES);
  const said = discord.say(alice, open, "words");
  discord.say(alice, closed, "not for workers");
  discord.react(alice, said, "✅");
  discord.editMessage(said, "other words");
  discord.deleteMessage(said);
  await first.until(() => first.names().includes("MESSAGE_DELETE"));
  await second.until(() => second.names().includes("MESSAGE_DELETE"));
  assert.deepEqual(first.names().slice(2), [
    "MESSAGE_CREATE",
    "MESSAGE_CREATE",
    "MESSAGE_REACTION_ADD",
    "MESSAGE_UPDATE",
    "MESSAGE_DELETE",
  ]);
  assert.deepEqual(second.names().slice(2), ["MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE"]);
  assert.equal(first.events[2]!.data["content"], "words");
  assert.equal(second.events[2]!.data["content"], "");
  discord.gateway.cut(1_000, worker.person.id);
  await discord.until("it is cut", () => !discord.gateway.isConnected(worker.person.id));
  assert.equal(discord.gateway.isConnected(discord.bot.id), true);
});

test("one thread per message, archived and locked as Discord does it", async () => {
  const time = heldClock();
  await using discord = await startDiscord({ clock: time.clock });
  const worker = discord.addBot("worker");
  const boss = discord.addBot("boss", { permissions: ["MANAGE_THREADS"] });
  const channel = discord.makeChannel("pool");
  const card = (await call(discord, discord.token, "POST", `/channels/${channel.id}/messages`, {
    content: "card",
  })).json;
  const start = `/channels/${channel.id}/messages/${card.id}/threads`;
  const thread = await call(discord, discord.token, "POST", start, {
    name: "mailbox",
    auto_archive_duration: 60,
  });
  assert.equal(thread.json.id, card.id);
  assert.equal(thread.json.owner_id, discord.bot.id);
  const second = await call(discord, worker.token, "POST", start, { name: "mine" });
  assert.deepEqual([second.status, second.json.code], [400, 160004]);
  const box = `/channels/${thread.json.id}/messages`;
  const status = (await call(discord, worker.token, "POST", box, { content: "READY" })).json;
  assert.equal((await call(discord, worker.token, "GET", box)).json.length, 1);

  time.pass(61 * 60_000);
  assert.equal(
    (await call(discord, worker.token, "GET", `/channels/${card.id}`)).json.thread_metadata
      .archived,
    true,
  );
  const edit = await call(discord, worker.token, "PATCH", `${box}/${status.id}`, { content: "x" });
  assert.deepEqual([edit.status, edit.json.code], [400, 50083]);
  assert.equal((await call(discord, worker.token, "POST", box, { content: "awake" })).status, 200);
  assert.equal(
    (await call(discord, worker.token, "PATCH", `${box}/${status.id}`, { content: "x" })).status,
    200,
  );

  discord.setThread(discord.channels.get(card.id)!, { locked: true });
  const refused = await call(discord, worker.token, "POST", box, { content: "x" });
  assert.deepEqual([refused.status, refused.json.code], [403, 160005]);
  assert.equal((await call(discord, boss.token, "POST", box, { content: "x" })).status, 200);
  const rename = await call(discord, worker.token, "PATCH", `/channels/${card.id}`, { name: "x" });
  assert.equal(rename.json.code, 50013);
});

test("timestamps, ids, Date header and limits follow the server's own clock", async () => {
  const time = heldClock();
  await using discord = await startDiscord({ clock: time.clock });
  discord.skewMs = 3_600_000;
  const channel = discord.makeChannel("tasks");
  const path = `/channels/${channel.id}/messages`;
  const sent = await call(discord, discord.token, "POST", path, { content: "a" });
  assert.equal(Date.parse(sent.json.timestamp), time.now() + 3_600_000);
  assert.equal(Date.parse(sent.headers.get("date")!), time.now() + 3_600_000);
  assert.equal(Number(BigInt(sent.json.id) >> 22n) + 1_420_070_400_000, time.now() + 3_600_000);
  assert.equal(sent.json.edited_timestamp, null);
  time.pass(5_000);
  const at = discord.now();
  await call(discord, discord.token, "PATCH", `${path}/${sent.json.id}`, { content: "b" });
  time.pass(60_000);
  const read = await call(discord, discord.token, "GET", `${path}/${sent.json.id}`);
  assert.equal(Date.parse(read.json.edited_timestamp), at);
  const missing = await call(discord, discord.token, "GET", `${path}/1`);
  assert.deepEqual([missing.status, missing.json.code], [404, 10008]);
  assert.equal(Date.parse(missing.headers.get("date")!), discord.now());
});

test("old messages may be edited a few times only, and Discord names no time to wait", async () => {
  const time = heldClock();
  await using discord = await startDiscord({ clock: time.clock });
  const channel = discord.makeChannel("tasks");
  const path = `/channels/${channel.id}/messages`;
  const { id } = (await call(discord, discord.token, "POST", path, { content: "a" })).json;
  const edit = () => call(discord, discord.token, "PATCH", `${path}/${id}`, { content: "b" });
  for (let i = 0; i < 10; i++) assert.equal((await edit()).status, 200);
  time.pass(61 * 60_000);
  const answers = [];
  for (let i = 0; i < 6; i++) answers.push(await edit());
  const last = answers.pop()!;
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 200, 200]);
  assert.deepEqual([last.status, last.json.code, last.json.retry_after], [429, 30046, undefined]);
});

test("a nonce holds for a few minutes and for its author", async () => {
  const time = heldClock();
  await using discord = await startDiscord({ clock: time.clock });
  const worker = discord.addBot("worker");
  const channel = discord.makeChannel("tasks");
  const send = (token: string, enforce_nonce = true) =>
    call(discord, token, "POST", `/channels/${channel.id}/messages`, {
      content: "a",
      nonce: "n",
      enforce_nonce,
    }).then(({ json }) => json.id);
  const first = await send(discord.token);
  assert.equal(await send(discord.token), first);
  const foreign = await send(worker.token);
  assert.notEqual(foreign, first);
  const unenforced = await send(discord.token, false);
  assert.notEqual(unenforced, first);
  time.pass(6 * 60_000);
  const late = await send(discord.token);
  assert.equal([first, foreign, unenforced].includes(late), false);
});

test("messages come after, before and by number, the newest first", async () => {
  await using discord = await startDiscord();
  const channel = discord.makeChannel("tasks");
  const alice = discord.person("alice");
  const ids = Array.from({ length: 7 }, (_, i) => discord.say(alice, channel, `${i}`).id);
  const get = async (query: string) =>
    (await call(discord, discord.token, "GET", `/channels/${channel.id}/messages?${query}`)).json
      .map((one: { id: string }) => ids.indexOf(one.id));
  assert.deepEqual(await get("limit=2"), [6, 5]);
  assert.deepEqual(await get(`after=${ids[2]}&limit=2`), [4, 3]);
  assert.deepEqual(await get(`before=${ids[2]}&limit=50`), [1, 0]);
  const wrong = await call(
    discord,
    discord.token,
    "GET",
    `/channels/${channel.id}/messages?limit=101`,
  );
  assert.equal(wrong.json.code, 50035);
});

test("an edit keeps the attachments that it lists, and files are given out", async () => {
  await using discord = await startDiscord();
  const channel = discord.makeChannel("tasks");
  const path = `/channels/${channel.id}/messages`;
  const sent = await call(discord, discord.token, "POST", path, { content: "a" }, {
    "files[0]": "one",
    "files[1]": "two",
  });
  const [one, two] = sent.json.attachments;
  assert.equal(await (await fetch(one.url)).text(), "one");
  const edited = await call(discord, discord.token, "PATCH", `${path}/${sent.json.id}`, {
    attachments: [{ id: two.id }, { id: 0, filename: "files[0].txt" }],
  }, { "files[0]": "three" });
  assert.deepEqual(edited.json.attachments.length, 2);
  assert.equal(await (await fetch(edited.json.attachments[1].url)).text(), "three");
  assert.equal((await fetch(one.url)).status, 404);
  const bare = await call(discord, discord.token, "PATCH", `${path}/${sent.json.id}`, {
    attachments: [],
  });
  assert.deepEqual(bare.json.attachments, []);
});

test("people cannot send slash commands that are not registered so", async () => {
  await using discord = await startDiscord();
  const channel = discord.makeChannel("tasks");
  const alice = discord.person("alice");
  const worker = discord.addBot("worker");
  const commands = [{
    name: "task",
    description: "t",
    options: [{
      type: 1,
      name: "submit",
      description: "s",
      options: [
        { type: 3, name: "text", description: "t", required: true, max_length: 20 },
        { type: 5, name: "now", description: "n" },
        { type: 3, name: "how", description: "h", choices: [{ name: "a", value: "a" }] },
      ],
    }],
  }];
  const path = `/applications/${worker.person.id}/guilds/${discord.guild.id}/commands`;
  assert.equal((await call(discord, worker.token, "PUT", path, commands)).status, 200);
  await using session = await listen(discord, worker.token, GUILDS);
  await using other = await listen(discord, discord.token, GUILDS);
  const wrong: [string, Record<string, string | number | boolean>, RegExp][] = [
    ["task remove", {}, /no \/task remove/],
    ["task submit", {}, /needs "text"/],
    ["task submit", { text: "x".repeat(21) }, /too long/],
    ["task submit", { text: "x", what: "y" }, /has no "what"/],
    ["task submit", { text: "x", now: "yes" }, /of type 5/],
    ["task submit", { text: "x", how: "b" }, /none of the choices/],
  ];
  for (const [name, options, why] of wrong) {
    assert.throws(() => discord.slash(alice, channel, name, options), why);
  }
  const answer = discord.slash(alice, channel, "task submit", { text: "x", now: true });
  await session.until(() => session.names().includes("INTERACTION_CREATE"));
  const { id, token, data } = session.events.at(-1)!.data as unknown as {
    id: string;
    token: string;
    data: unknown;
  };
  assert.deepEqual(data, {
    id: "1",
    name: "task",
    type: 1,
    options: [{
      name: "submit",
      type: 1,
      options: [{ name: "text", type: 3, value: "x" }, { name: "now", type: 5, value: true }],
    }],
  });
  await call(discord, "", "POST", `/interactions/${id}/${token}/callback`, {
    type: 4,
    data: { content: "yes" },
  });
  assert.equal((await answer).message()?.author.id, worker.person.id);
  assert.equal(other.names().includes("INTERACTION_CREATE"), false);
});
