import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { WorkerOrders, WorkerReport } from "../../../lib/tasks/exchange.ts";
import { createHttpLink } from "../../../lib/tasks/via-http.ts";
import { answerExchange } from "../../../lib/tasks/via-http-door.ts";
import { LinkError } from "../../../lib/tasks/worker-link.ts";
import { RESOLVED } from "../../support/pool-world.ts";
import { createSteppedClock } from "../../support/stepped-clock.ts";

const SECRET = "s3cret-of-w1";

const REPORT: WorkerReport = {
  worker: "w1",
  incarnation: "life",
  startedAt: 1,
  number: 7,
  version: "1",
  host: "h",
  slots: 1,
  labels: [],
  sandboxes: ["none"],
  leaving: false,
  attempts: [],
};

const ORDERS: WorkerOrders = {
  worker: "w1",
  incarnation: "life",
  number: 7,
  assign: [{ task: "t1", epoch: 1, revision: 1, prompt: "do", ...RESOLVED }],
  cancel: [],
  settled: [],
  drain: false,
  stop: false,
  fenceMs: 200_000,
};

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const gives = (status: number, text: string): Handler => (_, response) =>
  void response.writeHead(status, { "content-type": "application/json" }).end(text);

/** A server at a socket or a port of 127.0.0.1, which ends with every connection to it. */
async function withServer(
  handle: Handler,
  act: (base: { url: string } | { socketPath: string }) => Promise<void>,
  socketPath?: string,
): Promise<void> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    handle(request, response, body);
  });
  await new Promise<void>((done) =>
    socketPath === undefined ? server.listen(0, "127.0.0.1", done) : server.listen(socketPath, done)
  );
  try {
    const { port } = server.address() as AddressInfo;
    await act(
      socketPath === undefined ? { url: `http://127.0.0.1:${port}/base/` } : { socketPath },
    );
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

const ASK = { signal: new AbortController().signal, waitMs: 0 };

async function failure(asked: Promise<unknown>): Promise<LinkError> {
  const error = await asked.then(() => assert.fail("it was answered"), (error) => error);
  assert.ok(error instanceof LinkError, String(error));
  assert.ok(!error.message.includes(SECRET), "no secret in an error");
  return error;
}

test("a report goes out with its secret in a header only, over TCP and over a socket", async () => {
  const folder = mkdtempSync(join(tmpdir(), "herd-http-"));
  try {
    for (const socketPath of [undefined, join(folder, "s")]) {
      let seen: string[] = [];
      const handle: Handler = (request, response, body) => {
        const { method, url, headers } = request;
        seen = [method!, url!, headers.authorization!, headers.host!.replace(/:\d+$/, "")];
        assert.deepEqual(JSON.parse(body), REPORT);
        gives(200, JSON.stringify(ORDERS))(request, response, body);
      };
      await withServer(handle, async (base) => {
        const link = createHttpLink({ base, worker: "w1", secret: SECRET });
        assert.deepEqual(await link.exchange(REPORT, { ...ASK, waitMs: 15_000 }), ORDERS);
      }, socketPath);
      const base = socketPath === undefined ? "/base" : "";
      assert.deepEqual(seen, [
        "POST",
        `${base}/v1/pool/workers/w1/exchange?wait=15`,
        `Bearer ${SECRET}`,
        socketPath === undefined ? "127.0.0.1" : "localhost",
      ]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("D.11.3: an error is an error and never orders that ask for nothing", async () => {
  const cases: [number, string, LinkError["kind"]][] = [
    [401, JSON.stringify(ORDERS), "refused"],
    [404, "{}", "refused"],
    [429, JSON.stringify(ORDERS), "unreachable"],
    [500, JSON.stringify(ORDERS), "unreachable"],
    [502, "<html>", "unreachable"],
    [413, "{}", "unreadable"],
    [302, "", "unreadable"],
    [200, "", "unreadable"],
    [200, "[]", "unreadable"],
    [200, "{}", "unreadable"],
    [200, JSON.stringify({ ...ORDERS, fenceMs: 0 }), "unreadable"],
    [
      200,
      JSON.stringify({ ...ORDERS, assign: [{ ...ORDERS.assign[0], task: "../x" }] }),
      "unreadable",
    ],
    [200, JSON.stringify({ ...ORDERS, assign: Array(2_000).fill(ORDERS.assign[0]) }), "unreadable"],
    [200, `"${"x".repeat(5 * 1024 * 1024)}"`, "unreadable"],
  ];
  for (const [status, text, kind] of cases) {
    await withServer(gives(status, text), async (base) => {
      const link = createHttpLink({ base, worker: "w1", secret: SECRET });
      assert.equal(
        (await failure(link.exchange(REPORT, ASK))).kind,
        kind,
        `${status} ${text.slice(0, 40)}`,
      );
    });
  }
});

test("keys of a newer herd in an answer are let go", async () => {
  const newer = JSON.stringify({ ...ORDERS, later: 1, assign: [{ ...ORDERS.assign[0], more: 2 }] });
  await withServer(gives(200, newer), async (base) => {
    const link = createHttpLink({ base, worker: "w1", secret: SECRET });
    assert.deepEqual(await link.exchange(REPORT, ASK), ORDERS);
  });
});

test("D.11.4: nobody there, a connection that breaks and an answer that never ends are no answers", async () => {
  const nobody = createHttpLink({
    base: { socketPath: "/nowhere/s" },
    worker: "w1",
    secret: SECRET,
  });
  assert.equal((await failure(nobody.exchange(REPORT, ASK))).kind, "unreachable");
  const cuts: Handler[] = [
    (request) => void request.socket.destroy(),
    (_, response) => {
      response.writeHead(200, { "content-length": 1_000 });
      response.write(JSON.stringify(ORDERS).slice(0, 50), () => response.destroy());
    },
    () => {},
    (_, response) => void response.writeHead(200).write("{"),
  ];
  for (const cut of cuts) {
    await withServer(cut, async (base) => {
      const link = createHttpLink({ base, worker: "w1", secret: SECRET, timeoutMs: 200 });
      assert.equal((await failure(link.exchange(REPORT, ASK))).kind, "unreachable");
    });
  }
});

test("an abort ends the request at once, with the signal's own reason", async () => {
  const reached = Promise.withResolvers<IncomingMessage>();
  await withServer((request) => reached.resolve(request), async (base) => {
    const link = createHttpLink({ base, worker: "w1", secret: SECRET });
    const abort = new AbortController();
    const asked = link.exchange(REPORT, { signal: abort.signal, waitMs: 60_000 });
    const request = await reached.promise;
    const closed = new Promise((done) => request.socket.once("close", done));
    abort.abort("news");
    await assert.rejects(asked, (reason) => reason === "news");
    await closed;
    await assert.rejects(
      link.exchange(REPORT, { signal: abort.signal, waitMs: 0 }),
      (why) => why === "news",
    );
  });
});

test("the daemon holds a report until there is something to say, and no longer than asked", async () => {
  const clock = createSteppedClock();
  const listeners = new Set<() => void>();
  let orders: WorkerOrders = { ...ORDERS, assign: [] };
  const desk = {
    exchange: () => orders,
    ordersFor: () => orders,
    onChange(listener: () => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const signal = new AbortController().signal;
  const ask = (waitMs: number, given = signal) =>
    answerExchange({ desk, clock }, REPORT, { waitMs, signal: given });

  assert.deepEqual(await ask(0), orders);

  const patient = ask(15_000);
  await clock.sleeping((lengths) => lengths.includes(15_000));
  listeners.forEach((tell) => tell());
  assert.equal((await clock.sleeping(() => true)).length, 1, "a change that is not its own");
  orders = ORDERS;
  listeners.forEach((tell) => tell());
  assert.deepEqual(await patient, ORDERS);

  assert.deepEqual(await ask(15_000), ORDERS, "at once");
  orders = { ...ORDERS, assign: [] };
  const long = ask(10 * 3_600_000);
  await clock.sleeping((lengths) => lengths.includes(60_000));
  clock.advance(60_000);
  assert.deepEqual((await long).assign, []);

  const gone = new AbortController();
  const left = ask(15_000, gone.signal);
  gone.abort("hung up");
  await assert.rejects(left, (why) => why === "hung up");
  assert.equal(listeners.size, 0);
});
