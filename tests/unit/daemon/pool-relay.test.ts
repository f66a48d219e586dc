import assert from "node:assert/strict";
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { createPoolRelay } from "../../../lib/daemon/pool-relay.ts";
import type { PoolHappening } from "../../../lib/tasks/pool-event.ts";
import { POOL_DEFAULTS } from "../../../lib/tasks/pool-defaults.ts";
import { applyToPool, emptyPool } from "../../../lib/tasks/pool-state.ts";
import { appendShared, relayFolder } from "../../../lib/tasks/relay-files.ts";
import { createRelayLink } from "../../../lib/tasks/relay-link.ts";
import { startRelayServer } from "../../../lib/tasks/relay-server.ts";
import { wishOf } from "../../support/pool-world.ts";

const KEY = "sk-ant-secret-of-the-daemon";
const MODEL = "claude-test";
const clock = createSystemClock();

type Upstream = (req: IncomingMessage, res: ServerResponse, body: string) => void | Promise<void>;

function event(res: ServerResponse, value: { type: string }): void {
  res.write(`event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`);
}

function says(text: string): Upstream {
  return (_req, res) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    const usage = { input_tokens: 1000, output_tokens: 1 };
    event(res, { type: "message_start", message: { usage } } as never);
    event(
      res,
      { type: "content_block_start", index: 0, content_block: { type: "text", text } } as never,
    );
    event(res, {
      type: "message_delta",
      delta: { stop_reason: "end_turn" },
      usage: { output_tokens: 200 },
    } as never);
    res.end();
  };
}

/** A daemon's relay, a worker's relay, and a model behind it; all real but the pool. */
async function relayScene(
  t: { after(act: () => unknown): void },
  upstream: Upstream,
  { usdPerTask = undefined as number | undefined } = {},
) {
  const pool = mkdtempSync(join(tmpdir(), "herd-relay-test-"));
  const asked: { headers: IncomingMessage["headers"]; body: string; url: string }[] = [];
  const server = createServer(async (req, res) => {
    let body = "";
    for await (const piece of req) body += piece;
    asked.push({ headers: req.headers, body, url: req.url ?? "" });
    await upstream(req, res, body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const state = emptyPool();
  let seq = 0;
  const happen = (...whats: PoolHappening[]) => {
    for (const what of whats) {
      applyToPool(state, { v: 1, seq: ++seq, at: Date.now(), by: "t", what });
    }
    for (const listener of listeners) listener();
  };
  const listeners = new Set<() => void>();
  const origin = { kind: "cli", by: "cli:t", name: undefined } as const;
  happen(
    { type: "worker-enrolled", worker: "slurm-1", labels: [], proof: "", via: "files" },
    { type: "worker-enrolled", worker: "other", labels: [], proof: "", via: "files" },
    { type: "worker-job-intended", worker: "slurm-1", number: 1, jobName: "j", slots: 1 },
    { type: "task-submitted", task: "t1", wish: wishOf("do it"), origin },
    {
      type: "task-assigned",
      task: "t1",
      epoch: 1,
      revision: 1,
      worker: "slurm-1",
      incarnation: "a",
    },
    { type: "attempt-accepted", task: "t1", epoch: 1 },
  );
  const price = { input: 3, output: 15, cacheRead: 0, cacheWrite: 0 };
  const config = {
    ...POOL_DEFAULTS,
    defaults: { ...POOL_DEFAULTS.defaults, model: "m" },
    backends: {
      main: { kind: "anthropic", baseUrl, apiKeyEnv: "THE_KEY" },
      // Others may ask for their attempts at this one, and for no other.
      open: { kind: "openai", baseUrl, relay: true },
    },
    models: { m: { backend: "main", model: MODEL, price, use: undefined } },
    budget: { usdPerDay: undefined, usdPerTask },
  };
  const audit: { event: string; why?: unknown; use?: unknown }[] = [];
  const relay = createPoolRelay({
    folder: pool,
    desk: {
      state: () => state,
      config: () => config,
      onChange(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    env: { THE_KEY: KEY },
    clock,
    log: { write: () => {} },
    audit: (event, fields) => void audit.push({ event, ...fields }),
  });
  relay.start();
  const folder = relayFolder(pool, "slurm-1");
  const link = createRelayLink({ folder, clock });
  const door = await startRelayServer({ link });
  const ticket = door.admit({ task: "t1", epoch: 1, onUse: () => {} });
  t.after(async () => {
    await door[Symbol.asyncDispose]();
    await relay[Symbol.asyncDispose]();
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    rmSync(pool, { recursive: true, force: true });
  });
  const ask = (
    body: unknown = { model: MODEL, max_tokens: 10, stream: true, messages: [] },
    how: { path?: string; token?: string; signal?: AbortSignal; headers?: Record<string, string> } =
      {},
  ) =>
    fetch(`${door.url}${how.path ?? "/v1/messages"}`, {
      method: "POST",
      headers: { "x-api-key": how.token ?? ticket.token, ...how.headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...(how.signal === undefined ? {} : { signal: how.signal }),
    });
  return { pool, folder, asked, state, happen, relay, link, door, ticket, audit, ask, baseUrl };
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 15_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`Waited for ${what}`);
    await new Promise((next) => setTimeout(next, 20));
  }
}

test("a call goes out with the daemon's key and comes back whole; nothing is left over", async (t) => {
  const scene = await relayScene(t, says("hello"));
  const times: number[] = [];
  for (let i = 0; i < 7; i++) {
    const begun = performance.now();
    const answer = await scene.ask();
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /"text":"hello"/);
    times.push(performance.now() - begun);
  }
  const median = times.sort((a, b) => a - b)[3]!;
  console.log(`relay: a call takes ${Math.round(median)} ms (median of ${times.length})`);
  assert.ok(median < 1_000);
  assert.equal(scene.asked[0]!.headers["x-api-key"], KEY);
  assert.equal(scene.asked[0]!.url, "/v1/messages");
  assert.deepEqual(readdirSync(scene.folder), ["index"]);
  assert.equal(statSync(join(scene.folder, "index")).mode & 0o777, 0o600);
  await until(() => scene.audit.filter(({ event }) => event === "relay").length === 7, "the audit");
  assert.deepEqual(scene.audit.at(-1)!.use, {
    model: MODEL,
    input: 1000,
    output: 200,
    cacheRead: 0,
    cacheWrite: 0,
    usd: 0.006,
  });
});

test("an answer streams: its pieces come while the model still speaks", async (t) => {
  const more = Promise.withResolvers<void>();
  const scene = await relayScene(t, async (_req, res) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.write("data: first\n\n");
    await more.promise;
    res.end("data: last\n\n");
  });
  const answer = await scene.ask();
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  assert.match((await reader.read()).value ?? "", /first/);
  more.resolve();
  let rest = "";
  for (let one = await reader.read(); !one.done; one = await reader.read()) rest += one.value;
  assert.match(rest, /last/);
});

test("giving a call up ends it at the model, as does the end of its attempt", async (t) => {
  let open = 0;
  const scene = await relayScene(t, (_req, res) => {
    open++;
    res.on("close", () => open--);
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.write("data: one\n\n");
  });
  const stop = new AbortController();
  const answer = await scene.ask(undefined, { signal: stop.signal });
  assert.equal(open, 1);
  stop.abort();
  await answer.text().catch(() => {});
  await until(() => open === 0, "the model to be left alone");
  const second = await scene.ask();
  assert.equal(open, 1);
  scene.happen({ type: "task-cancel-asked", task: "t1", why: "enough" });
  await until(() => open === 0, "the cancelled call to end");
  await second.text().catch(() => {});
  assert.equal((await scene.ask()).status, 403);
});

test("a hostile worker reaches no other host, path, model or attempt, and gets no tools of the provider", async (t) => {
  const scene = await relayScene(t, says("x"));
  const good = { model: MODEL, max_tokens: 10, messages: [] };
  const cases: [unknown, Parameters<typeof scene.ask>[1], number][] = [
    [{ ...good, model: "claude-dear" }, {}, 403],
    [`{"model":"claude-dear","model":"${MODEL}","mcp_servers":[{"url":"http://evil"}]}`, {}, 403],
    [{ ...good, tools: [{ type: "web_fetch_20250910", name: "web_fetch" }] }, {}, 403],
    [
      {
        ...good,
        messages: [{
          role: "user",
          content: [{ type: "image", source: { type: "url", url: "http://evil/?q=secret" } }],
        }],
      },
      {},
      403,
    ],
    ["no json", {}, 400],
    ["[1]", {}, 400],
    [good, { path: "/v1/files" }, 403],
    [good, { path: "/v1/messages/../../admin" }, 404],
    [good, { path: "//evil.example/v1/messages" }, 404],
    [good, { path: "/v1/messages?x=http://evil" }, 404],
    [good, { token: "guess" }, 401],
    [good, { token: "" }, 401],
    ["x".repeat(16 * 1024 * 1024 + 1), {}, 413],
  ];
  for (const [body, how, status] of cases) {
    const answer = await scene.ask(body, how).catch((error) => ({
      status: String(error),
      text: () => "",
    }));
    const text = await answer.text();
    assert.equal(answer.status, status, `${JSON.stringify(how)} ${text}`);
    assert.ok(!text.includes(KEY));
  }
  assert.equal(scene.asked.length, 0, "nothing of it reached the model");
  assert.ok(
    scene.audit.some(({ event, why }) =>
      event === "relay-refused" && /not "claude-dear"/.test(String(why))
    ),
  );
  const beta = await scene.ask(good, {
    headers: { "anthropic-beta": "ok-1", "x-evil": "1", host: "evil" },
  });
  assert.equal(beta.status, 200);
  assert.equal(scene.asked[0]!.headers["anthropic-beta"], "ok-1");
  assert.equal(scene.asked[0]!.headers["x-evil"], undefined);
});

test("a hostile worker's files: other attempts, other workers, links and odd names are refused", async (t) => {
  const scene = await relayScene(t, says("x"));
  await (await scene.ask()).text();
  const before = scene.asked.length;
  const body = JSON.stringify({ model: MODEL, max_tokens: 1, messages: [] });
  const good = { task: "t1", epoch: 1, path: "/v1/messages", body };
  const index = join(scene.folder, "index");
  const secret = join(scene.pool, "secret.txt");
  writeFileSync(secret, "outside", { mode: 0o600 });
  let number = 0;
  const put = (ask: unknown, answer?: (path: string) => void) => {
    const id = `${number++}`.padStart(32, "a");
    writeFileSync(join(scene.folder, `${id}.ask`), JSON.stringify(ask), { mode: 0o600 });
    const path = join(scene.folder, `${id}.answer`);
    if (answer === undefined) writeFileSync(path, "", { mode: 0o600 });
    else answer(path);
    appendShared(index, { ask: id });
    return path;
  };
  const answers = [
    put({ ...good, epoch: 2 }),
    put({ ...good, task: "t2" }),
    put({ ...good, task: "../../etc" }),
    put({ ...good, path: "/v1/messages/batches" }),
    put({ ...good, headers: { host: "evil" } }),
  ];
  const linked = [
    put(good, (path) => symlinkSync(secret, path)),
    put(good, (path) => linkSync(secret, path)),
  ];
  writeFileSync(index, `${readFileSync(index, "utf8")}{"ask":"../../secret"}\nnonsense\n`);
  await until(
    () => answers.every((path) => readFileSync(path, "utf8").includes('"end"')),
    "refusals",
  );
  for (const path of answers) assert.match(readFileSync(path, "utf8"), /"status":40[03]/);
  assert.equal(readFileSync(secret, "utf8"), "outside");
  assert.equal(linked.length, 2);
  // The same words in the folder of a worker that has no attempt.
  const other = relayFolder(scene.pool, "other");
  mkdirSync(other, { recursive: true, mode: 0o700 });
  scene.happen(
    {
      type: "task-submitted",
      task: "t9",
      wish: wishOf("do it"),
      origin: { kind: "cli", by: "x", name: undefined },
    },
    { type: "task-assigned", task: "t9", epoch: 1, revision: 1, worker: "other", incarnation: "b" },
  );
  const link = createRelayLink({ folder: other, clock });
  const frames: string[] = [];
  for (const task of ["t1", "t9"]) {
    for await (const frame of link.ask({ ...good, task }, new AbortController().signal)) {
      if ("data" in frame) frames.push(Buffer.from(frame.data, "base64").toString());
    }
  }
  assert.match(frames[0]!, /no such attempt/);
  assert.match(frames[1]!, /not given to this worker/);
  assert.equal(scene.asked.length, before, "none of it reached the model");
});

test("the task's budget stops its calls, also when the worker never tells what it used", async (t) => {
  const scene = await relayScene(t, says("x"), { usdPerTask: 0.01 });
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) {
    const answer = await scene.ask();
    await answer.text();
    statuses.push(answer.status);
    await scene.relay.settled();
  }
  assert.deepEqual(statuses, [200, 200, 403, 403], "a call costs $0.006");
  assert.equal(scene.asked.length, 2);
});

test("a server that quotes the key, redirects or breaks off tells the worker no secret", async (t) => {
  const steps: Upstream[] = [
    (_req, res) =>
      void res.writeHead(401, { "content-type": "application/json" }).end(
        `{"error":{"message":"bad ${KEY}"}}`,
      ),
    (_req, res) => void res.writeHead(307, { location: "http://evil.example/" }).end(),
    (_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write("data: half\n\n");
      setTimeout(() => res.destroy(), 100);
    },
    (_req, res) => void res.writeHead(429, { "retry-after": "7" }).end("{}"),
  ];
  const scene = await relayScene(t, (req, res, body) => steps.shift()!(req, res, body));
  const first = await scene.ask();
  assert.deepEqual([first.status, await first.text()], [401, '{"error":{"message":"bad ***"}}']);
  assert.equal((await scene.ask()).status, 502);
  const half = await scene.ask();
  await assert.rejects(half.text());
  const busy = await scene.ask();
  assert.deepEqual([busy.status, busy.headers.get("retry-after")], [429, "7"]);
});

test("a daemon that does not answer is told of, and one that came anew does not ask twice", async (t) => {
  const scene = await relayScene(t, says("x"));
  await scene.relay[Symbol.asyncDispose]();
  const folder = relayFolder(scene.pool, "alone");
  const link = createRelayLink({ folder, clock, silentMs: 300, pollMs: 20 });
  const frames = [];
  const ask = { task: "t1", epoch: 1, path: "/v1/messages", body: "{}" };
  for await (const frame of link.ask(ask, new AbortController().signal)) frames.push(frame);
  assert.deepEqual(frames, [{ broken: "The daemon, which asks the model, does not answer" }]);
  assert.ok(existsSync(join(folder, "index")));
  assert.deepEqual(readdirSync(folder), ["index"]);
});
