import assert from "node:assert/strict";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { RefusedError, UserError } from "../../../lib/base/errors.ts";
import { createControlApp } from "../../../lib/control/app.ts";
import { startControl } from "../../../lib/control/start-control.ts";
import { createScriptedStation } from "./scripted-station.ts";
import { ask, serving, TOKEN, until } from "./serving.ts";

const app = createControlApp(createScriptedStation(), {
  token: TOKEN,
  allowedHosts: [],
  user: "alice",
});
const onError = (error: unknown) => {
  throw error;
};

/** What comes back over a bare connection until it is closed. */
async function bare(port: number, ...pieces: string[]): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port });
  let text = "";
  let closed = false;
  socket.setEncoding("utf8").on("data", (piece) => text += piece);
  socket.on("error", () => {}).on("close", () => closed = true);
  for (const piece of pieces) socket.write(piece);
  await until(() => closed, "the end of the connection");
  return text;
}

const HEAD = (port: number) => `Host: 127.0.0.1:${port}\r\nAuthorization: Bearer ${TOKEN}\r\n`;

test("it listens on the loopback only, and its socket is for its user only", () =>
  serving(({ control, folder }) => {
    assert.equal(statSync(control.socketPath).mode & 0o777, 0o600);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    const socket = connect({ host: "127.0.0.2", port: control.port });
    return new Promise((resolve, reject) => {
      socket.once("error", () => resolve());
      socket.once("connect", () => reject(new Error("127.0.0.2 answers")));
    });
  }));

test("the socket of a dead daemon is replaced, that of a living one is not", () =>
  serving(async ({ control, folder }) => {
    await assert.rejects(
      startControl({ app, socketPath: control.socketPath, onError }),
      (error) => {
        assert.ok(error instanceof RefusedError);
        assert.match(error.message, /another daemon does/);
        return true;
      },
    );
    assert.equal((await ask(control.port, "GET", "/healthz")).status, 200);
    const stale = join(folder, "stale");
    await leaveSocket(stale);
    assert.ok(statSync(stale).isSocket());
    await using second = await startControl({ app, socketPath: stale, onError });
    assert.notEqual(second.port, control.port);
    assert.equal((await ask(second.port, "GET", "/healthz")).status, 200);
  }));

/** As a kill leaves it: a socket's file with nobody behind it. */
async function leaveSocket(path: string): Promise<void> {
  const { spawnSync } = await import("node:child_process");
  const script = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1])";
  const made = spawnSync("python3", ["-c", script, path]);
  assert.equal(made.status, 0, `${made.stderr}`);
}

test("a file that is no socket is left alone", () =>
  serving(async ({ folder }) => {
    const path = join(folder, "notes");
    writeFileSync(path, "mine");
    await assert.rejects(startControl({ app, socketPath: path, onError }), RefusedError);
    assert.ok(statSync(path).isFile());
  }));

test("a path that no socket can have is refused before anything is opened", () =>
  serving(async ({ folder }) => {
    const path = join(folder, "ü".repeat(50));
    assert.ok(path.length < 107);
    await assert.rejects(startControl({ app, socketPath: path, onError }), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /107/);
      return true;
    });
    assert.ok(!existsSync(path));
  }));

test("a port that is taken is said, and the socket is not left behind", () =>
  serving(async ({ folder }) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    const socketPath = join(folder, "second");
    const starting = startControl({ app, socketPath, port, onError: () => {} });
    await assert.rejects(starting, { code: "EADDRINUSE" });
    assert.ok(!existsSync(socketPath));
    await new Promise((resolve) => other.close(resolve));
  }));

test("a body over the limit is 413, told or not, and the next request is not read from it", () =>
  serving(async ({ control: { port }, desk }) => {
    const path = "/v1/sweeps/lr/messages";
    const large = JSON.stringify({ text: "x".repeat(2 << 20) });
    const told = await bare(
      port,
      `POST ${path} HTTP/1.1\r\n${HEAD(port)}Content-Type: application/json\r\n` +
        `Content-Length: ${large.length}\r\n\r\n`,
    );
    assert.match(told, /^HTTP\/1\.1 413 /);
    const hidden = "POST /v1/shutdown HTTP/1.1";
    const chunk = `${hidden}\r\n`.repeat(4000);
    const chunked = await bare(
      port,
      `POST ${path} HTTP/1.1\r\n${HEAD(port)}Content-Type: application/json\r\n` +
        "Transfer-Encoding: chunked\r\n\r\n",
      ...Array.from({ length: 20 }, () => `${chunk.length.toString(16)}\r\n${chunk}\r\n`),
      "0\r\n\r\n",
    );
    assert.match(chunked, /^HTTP\/1\.1 413 /);
    assert.equal(chunked.match(/HTTP\/1\.1 \d+/g)?.length, 1);
    assert.deepEqual(desk.received, []);
    assert.equal((await ask(port, "GET", "/healthz")).status, 200);
  }));

test("an action of the command line may be larger than other bodies", () =>
  serving(async ({ client, station }) => {
    station.performing = (_, action) => Promise.resolve({ done: true, action });
    const reason = "x".repeat(3 << 20);
    const action = { verb: "stop" as const, indices: [1], graceSeconds: 1, reason };
    const result = await client.perform("lr")(action);
    assert.deepEqual(result, { done: true, action } as unknown);
  }));

test("a client that dribbles its body is sent away, and others are answered meanwhile", () =>
  serving(async ({ control: { port } }) => {
    const slow = bare(
      port,
      `POST /v1/sweeps/lr/messages HTTP/1.1\r\n${HEAD(port)}Content-Type: application/json\r\n` +
        'Content-Length: 1000\r\n\r\n{"te',
    );
    assert.equal((await ask(port, "GET", "/v1/sweeps")).status, 200);
    assert.match(await slow, /^HTTP\/1\.1 408 [^]*"kind":"timeout"/);
  }, { body: { withinMs: 100 } }));

test("what is no HTTP ends the connection and nothing else", () =>
  serving(async ({ control: { port } }) => {
    const answer = await bare(port, "\x16\x03\x01 this is TLS\r\n\r\n");
    assert.ok(answer === "" || answer.startsWith("HTTP/1.1 400"), answer);
    assert.equal((await ask(port, "GET", "/healthz")).status, 200);
  }));

test("closing ends streams, lets an answer be finished, and leaves neither port nor socket", () =>
  serving(async ({ control, client, station, desk }) => {
    const finish = Promise.withResolvers<unknown>();
    let asked = false;
    station.performing = () => {
      asked = true;
      return finish.promise;
    };
    const socket = connect({ path: control.socketPath });
    let text = "";
    let ended = false;
    socket.setEncoding("utf8").on("data", (piece) => text += piece);
    socket.on("close", () => ended = true);
    socket.write(`GET /v1/sweeps/lr/events HTTP/1.1\r\n${HEAD(control.port)}\r\n`);
    const performing = client.perform("lr")({ verb: "clean" });
    await until(() => desk.listeners() > 0 && asked, "both are under way");
    const closing = control.close();
    await until(() => text.includes('event: end\ndata: {"released":false}'), "the stream's end");
    const late = await ask(control.port, "GET", "/v1/sweeps");
    assert.deepEqual([late.status, late.json.error.kind], [503, "interrupted"]);
    finish.resolve({ done: true, stopped: [] });
    assert.deepEqual(await performing, { done: true, stopped: [] } as unknown);
    await closing;
    await until(() => ended, "the end of its connection");
    assert.equal(desk.listeners(), 0);
    assert.ok(!existsSync(control.socketPath));
    await assert.rejects(ask(control.port, "GET", "/healthz"), { code: "ECONNREFUSED" });
    await control.close();
  }));
