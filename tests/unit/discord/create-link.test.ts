import assert from "node:assert/strict";
import { test } from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import type { Clock } from "../../../lib/base/clock.ts";
import type { Log } from "../../../lib/base/log.ts";
import { createDiscordLink } from "../../../lib/discord/create-link.ts";
import type { GatewayEvent } from "../../../lib/discord/gateway-event.ts";
import { INTENT, NEEDED_INTENTS } from "../../../lib/discord/intents.ts";
import type { DiscordLink, LinkState } from "../../../lib/discord/link.ts";
import { startConnectProxy } from "../../support/connect-proxy.ts";
import {
  type GatewayPeer,
  type LoopbackGateway,
  startLoopbackGateway,
} from "../../support/loopback-gateway.ts";
import { type ScriptedReply, startLoopbackRest } from "../../support/loopback-rest.ts";
import { createSteppedClock } from "../../support/stepped-clock.ts";

const TOKEN = "MTIz.secret.token-of-a-test";

interface Scene extends AsyncDisposable {
  gateway: LoopbackGateway;
  link: DiscordLink;
  states: LinkState[];
  events: GatewayEvent[];
  entries: { message: string; facts: unknown }[];
  until<T extends LinkState["phase"]>(phase: T): Promise<Extract<LinkState, { phase: T }>>;
  event(type: GatewayEvent["type"]): Promise<GatewayEvent>;
}

async function startScene(options: {
  clock?: Clock;
  random?: () => number;
  hello?: unknown;
  intents?: number;
  env?: Record<string, string>;
  token?: string;
  gatewayHost?: string;
  reply?: (number: number, gateway: string) => ScriptedReply;
} = {}): Promise<Scene> {
  const gateway = await startLoopbackGateway("hello" in options ? { hello: options.hello } : {});
  const at = options.gatewayHost === undefined
    ? gateway.url
    : gateway.url.replace("127.0.0.1", options.gatewayHost);
  const rest = await startLoopbackRest((_, number) =>
    options.reply?.(number, at) ?? {
      json: { url: at, session_start_limit: { remaining: 900, reset_after: 1_000 } },
    }
  );
  const entries: Scene["entries"] = [];
  const log: Log = {
    path: undefined,
    write: (_, message, facts) => void entries.push({ message, facts }),
  };
  const link = createDiscordLink({
    token: options.token ?? TOKEN,
    apiUrl: rest.url,
    env: options.env ?? {},
    clock: options.clock ?? createSystemClock(),
    random: options.random ?? (() => 0),
    log,
    ...(options.intents === undefined ? {} : { intents: options.intents }),
  });
  const states: LinkState[] = [];
  const events: GatewayEvent[] = [];
  const watchers = new Set<() => void>();
  const changed = () => [...watchers].forEach((watch) => watch());
  link.onState((state) => (states.push(state), changed()));
  link.onEvent((event) => (events.push(event), changed()));

  function wait<T>(what: string, look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        watchers.delete(again);
        const seen = JSON.stringify({ states, events: events.map(({ type }) => type), entries });
        reject(new Error(`No ${what} within 8 s: ${seen}`));
      }, 8_000);
      function again() {
        const found = look();
        if (found === undefined) return;
        clearTimeout(deadline);
        watchers.delete(again);
        resolve(found);
      }
      watchers.add(again);
      again();
    });
  }

  return {
    gateway,
    link,
    states,
    events,
    entries,
    // deno-lint-ignore no-explicit-any -- narrowed by its phase
    until: (phase): Promise<any> =>
      wait(phase, () => link.state().phase === phase ? link.state() : undefined),
    event: (type) => wait(type, () => events.find((event) => event.type === type)),
    async [Symbol.asyncDispose]() {
      await link[Symbol.asyncDispose]();
      await rest[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

function ready(peer: GatewayPeer, url: string, session = "s1") {
  peer.dispatch("READY", {
    v: 10,
    user: { id: "77", username: "HerdDog", bot: true },
    application: { id: "78" },
    session_id: session,
    resume_gateway_url: url,
    guilds: [{ id: "5", unavailable: true }],
  });
}

async function connectFirst(scene: Scene): Promise<GatewayPeer> {
  scene.link.start();
  const peer = await scene.gateway.peer();
  await peer.next(({ op }) => op === 2);
  ready(peer, scene.gateway.url);
  await scene.until("connected");
  return peer;
}

function said(id: string, content = "hi") {
  return {
    id,
    channel_id: "9",
    guild_id: "5",
    content,
    timestamp: "2026-01-01T00:00:00.000Z",
    author: { id: "1", username: "ada", global_name: "Ada" },
    member: { nick: "Countess", roles: ["3"] },
    mentions: [],
    mention_roles: [],
    mention_everyone: false,
    type: 0,
    attachments: [],
    embeds: [],
  };
}

test("it identifies after Hello, with the intents that are needed and no compression", async () => {
  await using scene = await startScene();
  scene.link.start();
  const peer = await scene.gateway.peer();
  const { d } = await peer.next(({ op }) => op === 2);
  assert.equal(d.token, `Bot ${TOKEN}`);
  assert.equal(d.intents, INTENT.guilds | INTENT.guildMessages | INTENT.messageContent);
  assert.equal(d.compress, false);
  const query = new URL(peer.path, "ws://x").searchParams;
  assert.deepEqual([query.get("v"), query.get("encoding"), query.get("compress")], [
    "10",
    "json",
    null,
  ]);
  ready(peer, scene.gateway.url);
  const state = await scene.until("connected");
  assert.deepEqual([state.me, state.applicationId], [{ id: "77", name: "HerdDog" }, "78"]);
  assert.equal(state.detail, undefined);
});

test("events come in order, as what they mean", async () => {
  await using scene = await startScene();
  const peer = await connectFirst(scene);
  peer.dispatch("MESSAGE_CREATE", said("100"));
  peer.dispatch("MESSAGE_CREATE", said("101"));
  peer.dispatch("GUILD_DELETE", { id: "5" });
  await scene.event("guild-gone");
  assert.deepEqual(scene.events.map((event) => event.type), [
    "ready",
    "message",
    "message",
    "guild-gone",
  ]);
  const [, first] = scene.events;
  assert.equal(first?.type === "message" && first.message.member?.name, "Countess");
});

test("a cut connection is resumed where it was, and what comes twice is told once", async () => {
  await using scene = await startScene();
  const peer = await connectFirst(scene);
  peer.dispatch("MESSAGE_CREATE", said("100"));
  await scene.event("message");
  peer.cut();
  const again = await scene.gateway.peer();
  const { d } = await again.next(({ op }) => op === 6);
  assert.deepEqual([d.session_id, d.seq, d.token], ["s1", 2, `Bot ${TOKEN}`]);
  again.dispatch("MESSAGE_CREATE", said("100"));
  again.dispatch("MESSAGE_CREATE", said("102"));
  again.dispatch("RESUMED", {});
  await scene.event("resumed");
  const heard = scene.events.flatMap((event) => event.type === "message" ? event.message.id : []);
  assert.deepEqual(heard, ["100", "102"]);
  assert.equal((await scene.until("connected")).me.id, "77");
});

test("a cut connection is resumed fifty times without a new session", async () => {
  await using scene = await startScene();
  let peer = await connectFirst(scene);
  for (let cuts = 0; cuts < 50; cuts++) {
    peer.cut();
    peer = await scene.gateway.peer();
    await peer.next(({ op }) => op === 6);
    peer.dispatch("RESUMED", {});
    await scene.until("connected");
  }
  assert.equal(scene.gateway.connections(), 51);
});

test("when Discord asks for a new connection (op 7), the session goes on in a new one at once", async () => {
  const clock = createSteppedClock();
  await using scene = await startScene({ clock, random: () => 1 });
  const peer = await connectFirst(scene);
  clock.advance(120_000);
  peer.send({ op: 7, d: null });
  const again = await scene.gateway.peer();
  await again.next(({ op }) => op === 6);
  assert.notEqual(await peer.closed, 1000, "1000 would end the session");
});

test("a session that may go on after op 9 is resumed, another is begun anew", async () => {
  const clock = createSteppedClock();
  await using scene = await startScene({ clock });
  let peer = await connectFirst(scene);
  clock.advance(60_000);
  peer.send({ op: 9, d: true });
  await clock.sleeping((all) => all.includes(1_000));
  clock.advance(1_000);
  peer = await scene.gateway.peer();
  await peer.next(({ op }) => op === 6);
  peer.send({ op: 9, d: false });
  await clock.sleeping((all) => all.includes(1_000));
  clock.advance(1_000);
  peer = await scene.gateway.peer();
  await peer.next(({ op }) => op === 2);
  ready(peer, scene.gateway.url, "s2");
  await scene.until("connected");
  assert.equal(scene.events.filter(({ type }) => type === "ready").length, 2);
});

test("an op 9 before READY leads to a second Identify no sooner than Discord allows", async () => {
  const clock = createSteppedClock();
  await using scene = await startScene({ clock });
  scene.link.start();
  const peer = await scene.gateway.peer();
  await peer.next(({ op }) => op === 2);
  peer.send({ op: 9, d: false });
  await clock.sleeping((all) => all.includes(1_000));
  clock.advance(1_000);
  await clock.sleeping((all) => all.includes(4_000));
  assert.equal(scene.gateway.connections(), 1);
  clock.advance(4_000);
  const again = await scene.gateway.peer();
  await again.next(({ op }) => op === 2);
});

test("a heartbeat that is not answered ends the connection, which is then resumed", async () => {
  const clock = createSteppedClock();
  await using scene = await startScene({ clock, random: () => 0.5 });
  const peer = await connectFirst(scene);
  await clock.sleeping((all) => all.includes(20_625));
  clock.advance(20_625);
  const beat = await peer.next(({ op }) => op === 1);
  assert.equal(beat.d, 1, "the number of READY");
  peer.send({ op: 11 });
  // The answer has been read once the event behind it has.
  peer.dispatch("MESSAGE_CREATE", said("100"));
  await scene.event("message");
  await clock.sleeping((all) => all.includes(41_250));
  clock.advance(41_250);
  await peer.next(({ op }) => op === 1);
  await clock.sleeping((all) => all.includes(41_250));
  clock.advance(41_250);
  const waiting = await scene.until("waiting");
  assert.match(waiting.detail, /gone silent/);
  clock.advance(60_000);
  const again = await scene.gateway.peer();
  await again.next(({ op }) => op === 6);
});

test("a gateway that wants a heartbeat every 0 ms gets one per second and nothing loops", async () => {
  const clock = createSteppedClock();
  await using scene = await startScene({ clock, hello: { heartbeat_interval: 0 } });
  const peer = await connectFirst(scene);
  await clock.sleeping((all) => all.includes(0));
  clock.advance(0);
  await peer.next(({ op }) => op === 1);
  assert.deepEqual(await clock.sleeping((all) => all.length > 0), [1_000]);
});

for (const odd of [1e15, "soon", null, -5]) {
  test(`a heartbeat interval of ${JSON.stringify(odd)} makes no loop`, async () => {
    const clock = createSteppedClock();
    await using scene = await startScene({
      clock,
      random: () => 1,
      hello: { heartbeat_interval: odd },
    });
    await connectFirst(scene);
    const [length = 0] = await clock.sleeping((all) => all.length > 0);
    assert.ok(length >= 1_000 && length <= 300_000, String(length));
  });
}

test("a request for a heartbeat (op 1) is answered at once", async () => {
  await using scene = await startScene();
  const peer = await connectFirst(scene);
  peer.send({ op: 1, d: null });
  assert.equal((await peer.next(({ op, d }) => op === 1 && d === 1)).d, 1);
});

test("a refused token (4004) ends the trying and says what to do, without the token", async () => {
  await using scene = await startScene();
  scene.link.start();
  const peer = await scene.gateway.peer();
  await peer.next(({ op }) => op === 2);
  peer.close(4004, "Authentication failed.");
  const state = await scene.until("refused");
  assert.equal(state.why, "token");
  assert.match(state.detail, /refuses the bot token/);
  assert.match(state.hint, /developer portal/);
  assert.ok(!JSON.stringify([scene.states, scene.entries]).includes(TOKEN));
  assert.equal(scene.gateway.connections(), 1);
});

test("a token that REST refuses ends the trying as well", async () => {
  await using scene = await startScene({
    reply: () => ({ status: 401, json: { message: "401: Unauthorized", code: 0 } }),
  });
  scene.link.start();
  assert.equal((await scene.until("refused")).why, "token");
});

test("a missing token is told without anything being asked", async () => {
  await using scene = await startScene({ token: " " });
  scene.link.start();
  const state = await scene.until("refused");
  assert.match(state.detail, /DISCORD_BOT_TOKEN is not in the environment/);
});

test("without MESSAGE CONTENT INTENT (4014) it goes on without it, and says so", async () => {
  const clock = createSteppedClock();
  await using scene = await startScene({ clock });
  scene.link.start();
  const peer = await scene.gateway.peer();
  await peer.next(({ op }) => op === 2);
  peer.close(4014, "Disallowed intent(s).");
  await clock.sleeping((all) => all.includes(5_000));
  clock.advance(5_000);
  const again = await scene.gateway.peer();
  const { d } = await again.next(({ op }) => op === 2);
  assert.equal(d.intents, NEEDED_INTENTS & ~INTENT.messageContent);
  ready(again, scene.gateway.url);
  const state = await scene.until("connected");
  assert.match(state.detail ?? "", /MESSAGE CONTENT INTENT is off/);
  assert.match(state.hint ?? "", /Privileged Gateway Intents/);
});

for (const code of [4010, 4011, 4012, 4013]) {
  test(`close code ${code} ends the trying with a hint`, async () => {
    await using scene = await startScene();
    scene.link.start();
    const peer = await scene.gateway.peer();
    await peer.next(({ op }) => op === 2);
    peer.close(code, "no");
    const state = await scene.until("refused");
    assert.ok(state.detail.includes(String(code)) && state.hint !== "");
    assert.equal(state.why, code === 4013 ? "intents" : "other");
  });
}

for (const code of [4003, 4007, 4009]) {
  test(`close code ${code} leads to a new session`, async () => {
    const clock = createSteppedClock();
    await using scene = await startScene({ clock });
    const peer = await connectFirst(scene);
    clock.advance(120_000);
    peer.close(code);
    const again = await scene.gateway.peer();
    await again.next(({ op }) => op === 2);
  });
}

test("feasibility 3.5: an unreachable gateway is tried again after waits that double up to five minutes", async () => {
  let now = 1_700_000_000_000;
  const clock: Clock = {
    now: () => now,
    sleep(ms, signal) {
      now += ms;
      return signal?.aborted ? Promise.reject(signal.reason) : Promise.resolve();
    },
  };
  await using nobody = await startLoopbackGateway();
  const url = nobody.url;
  await nobody[Symbol.asyncDispose]();
  await using scene = await startScene({
    clock,
    random: () => 1,
    reply: () => ({ json: { url, session_start_limit: { remaining: 1, reset_after: 0 } } }),
  });
  const waits: number[] = [];
  const enough = new Promise<void>((resolve) => {
    scene.link.onState((state) => {
      if (state.phase !== "waiting") return;
      waits.push(state.retryAt - state.since);
      assert.equal(state.tries, waits.length);
      assert.equal(state.detail, "Cannot connect to Discord: connection refused");
      if (waits.length === 11) resolve(scene.link[Symbol.asyncDispose]());
    });
  });
  scene.link.start();
  await enough;
  assert.deepEqual(waits.slice(0, 4), [2_000, 4_000, 8_000, 16_000]);
  assert.deepEqual(waits.slice(-2), [300_000, 300_000]);
});

test("with no sessions left it waits until Discord allows one, and says so", async () => {
  const clock = createSteppedClock();
  await using scene = await startScene({
    clock,
    reply: (_, at) => ({
      json: { url: at, session_start_limit: { remaining: 0, reset_after: 7_200_000 } },
    }),
  });
  scene.link.start();
  const waiting = await scene.until("waiting");
  assert.match(waiting.detail, /no new session for 120 min/);
  assert.equal(waiting.retryAt - waiting.since, 7_200_000);
  assert.equal(scene.gateway.connections(), 0);
  clock.advance(7_200_000);
  await scene.gateway.peer();
});

test("a listener that throws is logged, and the next one still hears", async () => {
  await using scene = await startScene();
  const heard: string[] = [];
  const off = scene.link.onEvent(() => {
    throw new Error("a fault in a listener");
  });
  scene.link.onEvent((event) => heard.push(event.type));
  const peer = await connectFirst(scene);
  off();
  assert.deepEqual(heard, ["ready"]);
  assert.equal(scene.entries.filter((entry) => /listener/.test(entry.message)).length, 1);
  peer.dispatch("MESSAGE_CREATE", said("100"));
  await scene.event("message");
  assert.equal(scene.entries.filter((entry) => /listener/.test(entry.message)).length, 1);
});

test("what is no JSON, no object or no readable event is passed over", async () => {
  await using scene = await startScene();
  const peer = await connectFirst(scene);
  for (const odd of [null, 7, [], { op: 0 }, { op: 0, t: "MESSAGE_CREATE", d: null, s: "x" }]) {
    peer.send(odd);
  }
  peer.dispatch("MESSAGE_CREATE", { ...said("100"), id: 100 });
  peer.dispatch("INTERACTION_CREATE", { id: "1", type: 2, token: "hidden-token" });
  peer.dispatch("MESSAGE_CREATE", said("101"));
  await scene.event("message");
  assert.deepEqual(scene.events.map(({ type }) => type), ["ready", "message"]);
  assert.ok(!JSON.stringify(scene.entries).includes("hidden-token"));
});

test("closing ends the session in order, leaves no connection and begins no other", async () => {
  const scene = await startScene();
  const peer = await connectFirst(scene);
  await scene.link[Symbol.asyncDispose]();
  assert.equal(await peer.closed, 1000);
  assert.equal(scene.link.state().phase, "closed");
  assert.equal(scene.gateway.connections(), 1);
  await scene[Symbol.asyncDispose]();
});

test("closing does not wait for a back-off or a server that says nothing", async () => {
  const silent = await startScene({ hello: undefined });
  silent.link.start();
  await silent.gateway.peer();
  await silent.link[Symbol.asyncDispose]();
  assert.equal(silent.link.state().phase, "closed");
  await silent[Symbol.asyncDispose]();
});

test("where HTTP_PROXY says so, the gateway is reached through it, with its password", async () => {
  await using proxy = await startConnectProxy();
  await using scene = await startScene({
    gatewayHost: "gateway.discord.test",
    env: { http_proxy: `http://ada:pa%3Ass@127.0.0.1:${proxy.port}`, no_proxy: "127.0.0.1" },
  });
  await connectFirst(scene);
  assert.deepEqual(proxy.seen, [{
    authority: `gateway.discord.test:${new URL(scene.gateway.url).port}`,
    authorization: `Basic ${btoa("ada:pa:ss")}`,
  }]);
});

test("a proxy that wants a password is named as the reason, without the one that it got", async () => {
  await using proxy = await startConnectProxy({ refuse: 407 });
  const clock = createSteppedClock();
  await using scene = await startScene({
    clock,
    random: () => 1,
    gatewayHost: "gateway.discord.test",
    env: { HTTP_PROXY: `http://ada:hidden@127.0.0.1:${proxy.port}`, NO_PROXY: "127.0.0.1" },
  });
  scene.link.start();
  const waiting = await scene.until("waiting");
  assert.match(waiting.detail, /the proxy wants a user and password/);
  assert.ok(!JSON.stringify([scene.states, scene.entries]).includes("hidden"));
});
