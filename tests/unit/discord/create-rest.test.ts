import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, createSystemClock } from "../../../lib/base/clock.ts";
import type { Log } from "../../../lib/base/log.ts";
import { createDiscordRest } from "../../../lib/discord/create-rest.ts";
import { DiscordError } from "../../../lib/discord/discord-error.ts";
import type { Outgoing } from "../../../lib/discord/message.ts";
import {
  type ScriptedReply,
  type SeenRequest,
  startLoopbackRest,
} from "../../support/loopback-rest.ts";
import { createSteppedClock } from "../../support/stepped-clock.ts";

const TOKEN = "MTIz.secret.token-of-a-test";
const SENT: Outgoing = { content: "hi", nonce: "n1" };

function message(id: string) {
  return { id, channel_id: "9", content: "hi", author: { id: "1", username: "dog", bot: true } };
}

/** Time that is gone at once. */
function createHurriedClock(): Clock & { slept: number[] } {
  let now = 1_700_000_000_000;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    sleep(ms, signal) {
      slept.push(ms);
      now += ms;
      return signal?.aborted ? Promise.reject(signal.reason) : Promise.resolve();
    },
  };
}

async function startScene(
  reply: (request: SeenRequest, number: number) => ScriptedReply,
  clock: Clock = createSystemClock(),
) {
  const server = await startLoopbackRest(reply);
  const entries: unknown[] = [];
  const log: Log = { path: undefined, write: (...entry) => void entries.push(entry) };
  const rest = createDiscordRest({
    token: TOKEN,
    baseUrl: `${server.url}/api/v10/`,
    proxy: undefined,
    clock,
    log,
    random: () => 0.5,
  });
  return {
    rest,
    entries,
    seen: server.seen,
    async [Symbol.asyncDispose]() {
      await rest[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function errorOf(promise: Promise<unknown>): Promise<DiscordError> {
  const error = await promise.then(() => undefined, (error) => error);
  assert.ok(error instanceof DiscordError, String(error));
  return error;
}

test("G.3.26: a message pings nobody, bears its nonce and is enforced by it", async () => {
  await using scene = await startScene(() => ({ json: message("100") }));
  const sent = await scene.rest.send("9", { content: "@everyone <@1>", nonce: "n1", silent: true });
  assert.equal(sent.id, "100");
  const [request] = scene.seen;
  assert.deepEqual([request?.method, request?.path], ["POST", "/api/v10/channels/9/messages"]);
  assert.equal(request?.headers.authorization, `Bot ${TOKEN}`);
  assert.deepEqual(JSON.parse(request!.body), {
    content: "@everyone <@1>",
    allowed_mentions: { parse: [] },
    flags: 4096,
    nonce: "n1",
    enforce_nonce: true,
  });
});

test("files go as multipart, with the rest as payload_json", async () => {
  await using scene = await startScene(() => ({ json: message("100") }));
  const bytes = new TextEncoder().encode("a,b\n1,2\n");
  await scene.rest.send("9", {
    ...SENT,
    files: [{ name: 'we "ird".csv', bytes, contentType: "text/csv" }],
  });
  const [request] = scene.seen;
  assert.match(request?.headers["content-type"] ?? "", /^multipart\/form-data/);
  assert.match(request!.body, /name="files\[0\]"/);
  assert.match(request!.body, /a,b\n1,2\n/);
  const payload = JSON.parse(request!.body.match(/name="payload_json"\r\n\r\n(.*)\r\n/)![1]!);
  assert.deepEqual(payload.attachments, [{ id: "0", filename: 'we "ird".csv' }]);
  assert.deepEqual(payload.allowed_mentions, { parse: [] });
});

test("a no of Discord's is told with the action, its words and its number", async () => {
  await using scene = await startScene(() => ({
    status: 403,
    json: { message: "Missing Permissions", code: 50013 },
  }));
  const error = await errorOf(scene.rest.send("123", SENT));
  assert.equal(error.message, 'Cannot send to channel "123": Missing Permissions (50013)');
  assert.deepEqual([error.kind, error.status, error.code, error.method, error.route], [
    "forbidden",
    403,
    50013,
    "POST",
    "/channels/123/messages",
  ]);
  assert.equal(scene.seen.length, 1);
});

test("of a refused form the first field at fault is told", async () => {
  await using scene = await startScene(() => ({
    status: 400,
    json: {
      message: "Invalid Form Body",
      code: 50035,
      errors: { embeds: { 0: { title: { _errors: [{ code: "X", message: "Too long." }] } } } },
    },
  }));
  const error = await errorOf(scene.rest.edit("1", "2", { content: "x" }));
  assert.equal(error.kind, "rejected");
  assert.match(error.message, /Invalid Form Body \(50035\), embeds\.0\.title: Too long$/);
});

for (const [status, kind] of [[401, "unauthorized"], [404, "missing"]] as const) {
  test(`HTTP ${status} of Discord's is ${kind}`, async () => {
    await using scene = await startScene(() => ({ status, json: { message: "no", code: 0 } }));
    assert.equal((await errorOf(scene.rest.me())).kind, kind);
  });
}

test("a page of somebody in between is no answer of Discord's: a channel is not missing by it", async () => {
  for (const status of [403, 404, 302, 200]) {
    await using scene = await startScene(() => ({ status, text: "<html>Please log in</html>" }));
    const error = await errorOf(scene.rest.channel("9"));
    assert.equal(error.kind, "unreachable", String(status));
    assert.match(error.message, /^Cannot look up channel "9": the answer is not Discord's/);
  }
});

test("dropped connections and 5xx are tried again where it does no harm, with growing pauses", async () => {
  const clock = createHurriedClock();
  await using scene = await startScene((_, number) => {
    if (number === 1) return { drop: true };
    return number < 4 ? { status: 502, text: "<html>bad gateway</html>" } : { json: message("1") };
  }, clock);
  assert.equal((await scene.rest.send("9", SENT)).id, "1");
  assert.deepEqual(clock.slept, [500, 1_000, 2_000]);
  assert.equal(new Set(scene.seen.map(({ body }) => body)).size, 1, "the same nonce each time");
});

test("trying ends after four times, with what happened", async () => {
  await using scene = await startScene(() => ({ drop: true }), createHurriedClock());
  const error = await errorOf(scene.rest.edit("9", "1", { content: "x" }));
  assert.equal(error.kind, "unreachable");
  assert.match(
    error.message,
    /^Cannot edit message "1" of channel "9": 127\.0\.0\.1:\d+ does not answer/,
  );
  assert.equal(scene.seen.length, 4);
});

test("a post without a nonce is not tried again when nobody knows how it ended", async () => {
  await using scene = await startScene(() => ({ drop: true }), createHurriedClock());
  await errorOf(scene.rest.send("9", { content: "x" }));
  await errorOf(scene.rest.createChannel("5", { name: "a", topic: "" }));
  assert.equal(scene.seen.length, 2);
});

test("a delete that was carried out before its answer was lost is a success", async () => {
  await using scene = await startScene(
    (_, number) =>
      number === 1 ? { drop: true } : { status: 404, json: { code: 10008, message: "Unknown" } },
    createHurriedClock(),
  );
  await scene.rest.remove("9", "1");
  assert.equal((await errorOf(scene.rest.remove("9", "2"))).kind, "missing");
});

test("a dropped connection does not stop what comes after it in the same channel", async () => {
  await using scene = await startScene((_, number) =>
    number === 1 ? { drop: true } : { json: message("2") }
  );
  await errorOf(scene.rest.send("9", { content: "x" }));
  assert.equal((await scene.rest.send("9", { content: "y" })).id, "2");
});

test("messages to one channel keep their order through a 429, and others do not wait for them", async () => {
  const clock = createSteppedClock();
  let limited = false;
  await using scene = await startScene(({ body, path }) => {
    if (path.includes("/9/") && body.includes("one") && !limited) {
      limited = true;
      return { status: 429, json: { message: "slow", retry_after: 2.5, global: false } };
    }
    return { json: message("1") };
  }, clock);
  const sends = ["one", "two", "three"].map((content) => scene.rest.send("9", { content }));
  await clock.sleeping((all) => all.includes(2_500));
  await scene.rest.send("8", { content: "elsewhere" });
  clock.advance(2_500);
  await Promise.all(sends);
  const contents = scene.seen.map(({ body }) => JSON.parse(body).content);
  assert.deepEqual(contents, ["one", "elsewhere", "one", "two", "three"]);
});

test("a global limit stops every route until it is over", async () => {
  const clock = createSteppedClock();
  await using scene = await startScene((_, number) =>
    number === 1
      ? {
        status: 429,
        headers: { "x-ratelimit-global": "true", "retry-after": "3" },
        json: { message: "slow", retry_after: 3, global: true },
      }
      : { json: message("1") }, clock);
  const first = scene.rest.send("9", SENT);
  await clock.sleeping((all) => all.includes(3_000));
  const other = scene.rest.message("8", "1");
  await clock.sleeping((all) => all.length === 2);
  assert.equal(scene.seen.length, 1);
  clock.advance(3_000);
  await Promise.all([first, other]);
});

test("a call waits before it would be refused, also where another route has used up the bucket", async () => {
  const clock = createSteppedClock();
  const headers = (remaining: string) => ({
    "x-ratelimit-bucket": "shared",
    "x-ratelimit-remaining": remaining,
    "x-ratelimit-reset-after": "4.0",
    "x-ratelimit-limit": "2",
  });
  await using scene = await startScene((_, number) => ({
    headers: headers(number === 1 ? "1" : "0"),
    json: message("1"),
  }), clock);
  await scene.rest.pin("9", "1");
  await scene.rest.unpin("9", "1");
  const third = scene.rest.pin("9", "2");
  await clock.sleeping((all) => all.includes(4_000));
  assert.equal(scene.seen.length, 2);
  clock.advance(4_000);
  await third;
});

test("a limit that is longer than a minute is told instead of waited for", async () => {
  await using scene = await startScene(() => ({
    status: 429,
    json: { message: "slow", retry_after: 600.5, global: false },
  }), createHurriedClock());
  const error = await errorOf(scene.rest.editChannel("9", { name: "new" }));
  assert.deepEqual([error.kind, error.retryAfterMs], ["limited", 600_500]);
  const next = await errorOf(scene.rest.editChannel("9", { name: "newer" }));
  assert.equal(next.kind, "limited");
  assert.equal(scene.seen.length, 1, "the second is not even asked");
});

test("too many edits of an old message are told at once, and hold nothing else back", async () => {
  const clock = createHurriedClock();
  await using scene = await startScene(
    ({ method }) =>
      method === "PATCH"
        ? { status: 429, json: { code: 30046, message: "Maximum number of edits reached" } }
        : { json: message("8") },
    clock,
  );
  await assert.rejects(scene.rest.edit("9", "7", { content: "x" }), (error: DiscordError) => {
    assert.deepEqual([error.kind, error.code, error.status], ["limited", 30046, 429]);
    return true;
  });
  await scene.rest.send("9", SENT);
  assert.deepEqual([scene.seen.length, clock.slept], [2, []]);
});

test("429 without a time to wait, or for ever, is no loop", async () => {
  const clock = createHurriedClock();
  await using scene = await startScene(() => ({ status: 429, text: "" }), clock);
  assert.equal((await errorOf(scene.rest.me())).kind, "limited");
  assert.ok(scene.seen.length <= 11 && clock.slept.every((ms) => ms >= 50));
});

test("the signal ends the waiting for a limit, for others and for an answer", async () => {
  const clock = createSteppedClock();
  const answer = Promise.withResolvers<void>();
  await using scene = await startScene(
    ({ path }) =>
      path.includes("/9/")
        ? { status: 429, json: { message: "slow", retry_after: 30, global: false } }
        : { json: message("1"), after: answer.promise },
    clock,
  );
  const stop = new AbortController();
  const calls = [
    scene.rest.send("9", SENT, stop.signal),
    scene.rest.send("9", SENT, stop.signal),
    scene.rest.send("8", SENT, stop.signal),
  ];
  await clock.sleeping((all) => all.includes(30_000));
  stop.abort(new Error("enough"));
  for (const call of calls) await assert.rejects(call, /^Error: enough$/);
  answer.resolve();
  assert.deepEqual(await clock.sleeping(() => true), []);
});

test("closing ends every call with a DiscordError", async () => {
  const answer = Promise.withResolvers<void>();
  await using scene = await startScene(() => ({ json: {}, after: answer.promise }));
  const call = errorOf(scene.rest.me());
  await scene.rest[Symbol.asyncDispose]();
  assert.match((await call).message, /^Cannot ask who the bot is: the connection is being closed$/);
  answer.resolve();
});

test("the first answer to an interaction passes every queue and says no token to anybody", async () => {
  const clock = createSteppedClock();
  await using scene = await startScene(({ path }) => {
    if (path.includes("callback")) return { status: 204 };
    return { status: 429, json: { message: "slow", retry_after: 30, global: true } };
  }, clock);
  const held = scene.rest.send("9", SENT).catch(() => {});
  await clock.sleeping((all) => all.includes(30_000));
  await scene.rest.respond({ id: "4", token: "in/ter" }, { kind: "defer", ephemeral: true });
  const request = scene.seen.at(-1);
  assert.equal(request?.path, "/api/v10/interactions/4/in%2Fter/callback");
  assert.equal(request?.headers.authorization, undefined);
  assert.deepEqual(JSON.parse(request!.body), { type: 5, data: { flags: 64 } });
  await scene.rest[Symbol.asyncDispose]();
  await held;
});

test("a first answer whose own answer was lost counts as given", async () => {
  await using scene = await startScene(
    (_, number) =>
      number === 1 ? { drop: true } : { status: 400, json: { code: 40060, message: "Already" } },
    createHurriedClock(),
  );
  await scene.rest.respond({ id: "4", token: "t" }, { kind: "defer-update" });
  assert.equal(scene.seen.length, 2);
});

test("no error, no log entry and no cause holds the bot's or an interaction's token", async () => {
  const replies: ScriptedReply[] = [
    { drop: true },
    { status: 500, text: "" },
    { status: 404, json: { code: 10015, message: "Unknown Webhook" } },
    { status: 200, text: "nonsense" },
    { json: {} },
  ];
  for (const reply of replies) {
    await using scene = await startScene(() => reply, createHurriedClock());
    const errors = [
      await errorOf(scene.rest.followUp("1", "interaction-secret", { content: "x" })),
      await errorOf(scene.rest.editResponse("1", "interaction-secret", { content: "x" })),
    ];
    const all = errors.map((error) =>
      `${error.message} ${error.stack} ${error.route} ${error.cause}`
    );
    assert.ok(
      !/interaction-secret|token-of-a-test/.test(JSON.stringify([all, scene.entries])),
      String(all),
    );
  }
});

test("messages come oldest first, and odd ones are left out", async () => {
  await using scene = await startScene(() => ({
    json: [
      message("1100000000000000003"),
      { id: 7 },
      message("1100000000000000002"),
      message("99"),
    ],
  }));
  const found = await scene.rest.messages("9", { after: "5", limit: 500 });
  assert.deepEqual(found.map(({ id }) => id), [
    "99",
    "1100000000000000002",
    "1100000000000000003",
  ]);
  assert.equal(scene.seen[0]?.path, "/api/v10/channels/9/messages?limit=100&after=5");
});

test("servers and pins are read to their last page", async () => {
  const page = Array.from({ length: 200 }, (_, at) => ({ id: String(1000 + at), name: `g${at}` }));
  await using scene = await startScene(({ path }) => {
    if (path.includes("guilds")) return { json: path.includes("after=0") ? page : [] };
    return path.includes("before")
      ? { json: { items: [{ message: message("2") }], has_more: false } }
      : {
        json: {
          items: [{ message: message("1"), pinned_at: "2026-01-01T00:00:00Z" }],
          has_more: true,
        },
      };
  });
  assert.equal((await scene.rest.guilds()).length, 200);
  assert.deepEqual((await scene.rest.pins("9")).map(({ id }) => id), ["1", "2"]);
});

test("an id out of a file cannot lead a call elsewhere", async () => {
  await using scene = await startScene(() => ({ json: message("1") }));
  await scene.rest.send("../users/@me", SENT);
  assert.equal(scene.seen[0]?.path, "/api/v10/channels/..%2Fusers%2F%40me/messages");
});

test("slash commands go in one call, required options first", async () => {
  await using scene = await startScene(() => ({ json: [] }));
  await scene.rest.putCommands("1", "5", [{
    name: "tail",
    description: "Last lines",
    options: [
      { name: "lines", description: "d", type: "whole", required: false, least: 1, most: 1000 },
      { name: "index", description: "d", type: "text", required: true, autocomplete: true },
    ],
  }]);
  const [request] = scene.seen;
  assert.deepEqual([request?.method, request?.path], [
    "PUT",
    "/api/v10/applications/1/guilds/5/commands",
  ]);
  assert.deepEqual(JSON.parse(request!.body), [{
    type: 1,
    name: "tail",
    description: "Last lines",
    contexts: [0],
    options: [
      { type: 3, name: "index", description: "d", required: true, autocomplete: true },
      { type: 4, name: "lines", description: "d", required: false, min_value: 1, max_value: 1000 },
    ],
  }]);
});
