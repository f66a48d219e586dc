import assert from "node:assert/strict";
import { test } from "node:test";
import { createFaults } from "../../support/discord/faults.ts";
import type { Faults } from "../../support/discord/faults.ts";
import { startDiscord } from "../../support/discord/start-discord.ts";
import type { FakeDiscord } from "../../support/discord/start-discord.ts";

/** A loopback with a channel, in time that a test lets pass. */
async function withFaults(
  use: (scene: {
    discord: FakeDiscord;
    faults: Faults;
    path: string;
    pass(ms: number): void;
    ask(method: string, path: string, body?: unknown, token?: string): Promise<Response>;
  }) => Promise<void>,
): Promise<void> {
  let now = 1_800_000_000_000;
  await using discord = await startDiscord({ clock: () => now });
  const channel = discord.makeChannel("tasks");
  await use({
    discord,
    faults: createFaults(discord, 7),
    path: `/channels/${channel.id}/messages`,
    pass: (ms) => void (now += ms),
    ask: (method, path, body, token = discord.token) =>
      fetch(`${discord.url}/v10${path}`, {
        method,
        headers: { authorization: `Bot ${token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
  });
}

/** The bot's session in this process, and what it hears. */
function attach(discord: FakeDiscord) {
  const heard: string[] = [];
  const session = discord.gateway.attach(discord.token, 1 | 1 << 9 | 1 << 15, (name, data) => {
    if (name === "MESSAGE_CREATE") heard.push((data as { content: string }).content);
  })!;
  return { heard, session };
}

test("a stale read gives what was there some seconds ago, a fresh one what is", () =>
  withFaults(async ({ discord, faults, path, pass, ask }) => {
    const alice = discord.person("alice");
    const channel = discord.channel("tasks")!;
    const first = discord.say(alice, channel, "one");
    const second = discord.say(alice, channel, "two");
    pass(60_000);
    discord.editMessage(first, "changed");
    discord.deleteMessage(second);
    discord.say(alice, channel, "three");
    const read = async () =>
      (await (await ask("GET", path)).json()).map(({ content }: { content: string }) => content);
    assert.deepEqual(await read(), ["three", "changed"]);
    pass(1);
    const fresh = faults.call({ what: { kind: "stale", ms: 0 } });
    assert.deepEqual(await read(), ["three", "changed"]);
    fresh();
    faults.call({ what: { kind: "stale", ms: 50_000 }, forMs: 10_000 });
    assert.deepEqual(await read(), ["two", "one"]);
    assert.equal((await ask("GET", `${path}/${second.id}`)).status, 200);
    pass(60_000);
    assert.deepEqual(await read(), ["three", "changed"]);
    assert.equal((await ask("GET", `${path}/${second.id}`)).status, 404);
  }));

test("a 5xx before success does nothing, one after success has done it", () =>
  withFaults(async ({ discord, faults, path, ask }) => {
    const send = async () => (await ask("POST", path, { content: "x" })).status;
    const count = () => discord.messages(discord.channel("tasks")!).length;
    faults.call({ what: { kind: "status", status: 503, when: "before" }, times: 1 });
    assert.deepEqual([await send(), count()], [503, 0]);
    faults.call({ what: { kind: "status", status: 502, when: "after" }, times: 1 });
    assert.deepEqual([await send(), count()], [502, 1]);
    assert.deepEqual([await send(), count()], [200, 2]);
  }));

test("a connection is cut before the answer, and in the middle of it", () =>
  withFaults(async ({ discord, faults, path, ask }) => {
    for (const when of ["after", "middle"] as const) {
      faults.call({ what: { kind: "drop", when }, times: 1 });
      await assert.rejects(async () => await (await ask("POST", path, { content: when })).text());
    }
    const said = discord.messages(discord.channel("tasks")!).map(({ content }) => content);
    assert.deepEqual(said, ["after", "middle"]);
  }));

test("limits of a route, of everything and of a shared bucket are told as Discord does", () =>
  withFaults(async ({ faults, path, ask }) => {
    const route = faults.call({
      what: { kind: "limit", seconds: 2, scope: "user" },
      route: /POST/,
    });
    assert.equal((await ask("GET", path)).status, 200);
    const limited = await ask("POST", path, { content: "x" });
    assert.deepEqual([limited.status, limited.headers.get("x-ratelimit-scope")], [429, "user"]);
    assert.deepEqual((await limited.json()).retry_after, 2);
    route();
    faults.call({ what: { kind: "limit", seconds: 600, scope: "shared" }, times: 1 });
    const shared = await ask("GET", path);
    assert.deepEqual([shared.headers.get("retry-after"), shared.headers.get("x-ratelimit-scope")], [
      "600",
      "shared",
    ]);
    await shared.text();
    faults.call({ what: { kind: "limit", seconds: 1, scope: "global" } });
    const everywhere = await ask("GET", "/users/@me");
    assert.equal(everywhere.headers.get("x-ratelimit-global"), "true");
    assert.equal((await everywhere.json()).global, true);
  }));

test("a delete succeeds and is answered as if there had been nothing", () =>
  withFaults(async ({ discord, faults, path, ask }) => {
    const { id } = await (await ask("POST", path, { content: "x" })).json();
    faults.call({ what: { kind: "gone" } });
    assert.equal((await ask("GET", path)).status, 200);
    const answer = await ask("DELETE", `${path}/${id}`);
    assert.deepEqual([answer.status, (await answer.json()).code], [404, 10008]);
    assert.deepEqual(discord.messages(discord.channel("tasks")!), []);
  }));

test("a fault befalls one bot and not the other", () =>
  withFaults(async ({ discord, faults, path, ask }) => {
    const worker = discord.addBot("worker");
    faults.call({ what: { kind: "status", status: 500, when: "before" }, bot: worker.person.id });
    assert.equal((await ask("GET", path)).status, 200);
    assert.equal((await ask("GET", path, undefined, worker.token)).status, 500);
  }));

test("events are doubled, lost and late; a session that resumes hears what it missed", () =>
  withFaults(({ discord, faults }) => {
    const { heard, session } = attach(discord);
    const alice = discord.person("alice");
    const say = (text: string) => discord.say(alice, discord.channel("tasks")!, text);
    faults.event({ fate: "twice", times: 1, name: /MESSAGE_CREATE/ });
    say("a");
    faults.event({ fate: "lost", times: 1 });
    say("b");
    faults.event({ fate: "late", times: 1 });
    say("c");
    say("d");
    assert.deepEqual(heard, ["a", "a", "d", "c"]);
    session.drop();
    say("e");
    assert.deepEqual(heard, ["a", "a", "d", "c"]);
    session.resume();
    assert.deepEqual(heard, ["a", "a", "d", "c", "e"]);
    assert.deepEqual(faults.counts, { "event twice": 1, "event lost": 1, "event late": 1 });
    return Promise.resolve();
  }));

test("in a freeze nothing is answered and nothing is told, and all of it after", () =>
  withFaults(async ({ discord, faults, path, ask }) => {
    const { heard } = attach(discord);
    const thaw = faults.freeze();
    let answered = false;
    const call = ask("GET", path).then((response) => {
      answered = true;
      return response.text();
    });
    discord.say(discord.person("alice"), discord.channel("tasks")!, "a");
    await discord.until("it is held", () => faults.counts["freeze"] === 1);
    assert.deepEqual([answered, heard.length], [false, 0]);
    thaw();
    await call;
    assert.deepEqual(heard, ["a"]);
  }));

test("the same seed draws the same faults", () =>
  withFaults(async ({ discord, path, ask }) => {
    const draw = async () => {
      createFaults(discord, 3).call({
        what: { kind: "status", status: 500, when: "before" },
        chance: 0.5,
      });
      const statuses = [];
      for (let i = 0; i < 16; i++) statuses.push((await ask("GET", path)).status);
      return statuses;
    };
    const first = await draw();
    assert.deepEqual(await draw(), first);
    assert.equal(new Set(first).size, 2);
  }));
