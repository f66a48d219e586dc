import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import test from "node:test";
import { createControlClient } from "../../../lib/control/client.ts";
import type { Frame } from "../../../lib/control/sse-text.ts";
import { ask, serving, TOKEN, until } from "./serving.ts";
import type { Serving } from "./serving.ts";

const EVENTS = "/v1/sweeps/lr/events";
const said = (text: string) => ({
  type: "said" as const,
  said: { key: text, kind: "agent" as const, text },
});

/** A reader over a bare socket, which takes text only while it is not paused. */
function rawReader({ control }: Serving, path: string) {
  const socket = connect({ path: control.socketPath });
  const reader = { text: "", closed: false, socket };
  socket.setEncoding("utf8");
  socket.on("data", (piece) => reader.text += piece);
  socket.on("error", () => {});
  socket.on("close", () => reader.closed = true);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`);
  return reader;
}

function numbers(frames: readonly Frame[]): number[] {
  return frames.filter(({ event }) => event === "message").map(({ id }) => Number(id));
}

test("a stream tells what is written from now on, and from the beginning when asked", () =>
  serving(async (one) => {
    const { client, desk } = one;
    desk.write(said("before"));
    const now: Frame[] = [];
    const all: Frame[] = [];
    const stop = new AbortController();
    const listening = [
      client.events(EVENTS, { signal: stop.signal }, (frame) => void now.push(frame)),
      client.events(EVENTS, { after: 0, signal: stop.signal }, (frame) => void all.push(frame)),
    ];
    await until(() => desk.listeners() === 4, "both listen");
    desk.write(said("after"));
    await until(() => now.length === 1 && all.length === 2, "the events");
    assert.deepEqual(numbers(now), [2]);
    assert.deepEqual(numbers(all), [1, 2]);
    assert.deepEqual(JSON.parse(now[0]!.data), desk.events(1)[0]);
    stop.abort();
    await Promise.all(listening);
    await until(() => desk.listeners() === 0, "nothing is left behind");
  }));

test("a connection that breaks again and again loses no event and tells none twice", () =>
  serving(async ({ desk, control }) => {
    const heard: Frame[] = [];
    const stop = new AbortController();
    // Each answer is cut off after some frames, as a flaky network would.
    const { port } = control;
    const flaky = await flakyProxy(port);
    const through = createControlClient({
      address: { port: flaky.port },
      token: TOKEN,
    });
    const listening = through.events(EVENTS, { after: 0, signal: stop.signal }, (frame) => {
      heard.push(frame);
      if (heard.length === 400) stop.abort();
    });
    for (let i = 0; i < 400; i++) {
      desk.write(said(`event ${i} ${"x".repeat(200)}`));
      if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
    await listening;
    assert.deepEqual(numbers(heard), Array.from({ length: 400 }, (_, i) => i + 1));
    assert.ok(flaky.cuts() >= 3, `${flaky.cuts()} cuts`);
    await flaky.close();
    await until(() => desk.listeners() === 0, "nothing is left behind");
  }));

test("Last-Event-ID wins over where the stream once began, and nonsense is refused", () =>
  serving(async (one) => {
    const { desk, control: { port } } = one;
    for (const text of ["a", "b", "c"]) desk.write(said(text));
    const headers = { "last-event-id": "two" };
    assert.equal((await ask(port, "GET", EVENTS, { headers })).status, 400);
    const socket = connect({ path: one.control.socketPath });
    let text = "";
    socket.setEncoding("utf8").on("data", (piece) => text += piece);
    socket.write(
      `GET ${EVENTS}?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n` +
        "Last-Event-ID: 2\r\n\r\n",
    );
    await until(() => text.includes("id: 3"), "the third event");
    assert.match(text, /^HTTP\/1\.1 200[^]*content-type: text\/event-stream/i);
    assert.ok(!text.includes("id: 1\n") && !text.includes("id: 2\n"));
    socket.destroy();
    await until(() => desk.listeners() === 0, "nothing is left behind");
  }));

test("notices pass without an id, the last of each key, and do not move the place to resume", () =>
  serving(async ({ client, desk }) => {
    const heard: Frame[] = [];
    const stop = new AbortController();
    const listening = client.events(EVENTS, { after: 0, signal: stop.signal }, (frame) => {
      heard.push(frame);
    });
    await until(() => desk.listeners() === 2, "it listens");
    desk.notice({ key: "beat", kind: "heartbeat", text: "1 running" });
    desk.notice({ key: "beat", kind: "heartbeat", text: "2 running" });
    desk.write(said("x"));
    await until(() => heard.length >= 2, "both");
    stop.abort();
    await listening;
    const notices = heard.filter(({ event }) => event === "notice");
    assert.deepEqual(notices.map(({ data, marked }) => [JSON.parse(data).text, marked]), [
      ["2 running", false],
    ]);
    assert.deepEqual(numbers(heard), [1]);
  }));

test("only events of the types asked for are told", () =>
  serving(async ({ client, desk }) => {
    desk.write({ type: "unhalted" });
    desk.write(said("x"));
    desk.write({ type: "monitor-stopped", why: "y" });
    const heard: Frame[] = [];
    const stop = new AbortController();
    const path = `${EVENTS}?types=said,monitor-stopped`;
    await client.events(path, { after: 0, signal: stop.signal }, (frame) => {
      heard.push(frame);
      if (heard.length === 2) stop.abort();
    });
    assert.deepEqual(numbers(heard), [2, 3]);
  }));

test("silence is broken by a comment, so that both ends know that the other is there", () =>
  serving(async (one) => {
    const reader = rawReader(one, EVENTS);
    await until(() => reader.text.split(": still here").length > 4, "heartbeats");
    reader.socket.destroy();
    await until(() => one.desk.listeners() === 0, "nothing is left behind");
  }, { timing: { heartbeatMs: 10 } }));

test("a reader that takes nothing is cut off, and what it did not take was never read", () =>
  serving(async (one) => {
    const { desk } = one;
    const size = 20_000;
    for (let i = 0; i < 4000; i++) desk.write(said("x".repeat(size)));
    const reader = rawReader(one, `${EVENTS}?after=0`);
    reader.socket.pause();
    await until(() => desk.listeners() > 0, "it listens");
    await until(() => desk.listeners() === 0, "it is cut off");
    // 200 events a read, 4 MB each: of 80 MB only what the kernel's buffers hold was taken.
    assert.ok(desk.reads <= 8, `${desk.reads} reads`);
    reader.socket.resume();
    await until(() => reader.closed, "the end");
    assert.ok(reader.text.length < 40e6, `${reader.text.length}`);
    assert.deepEqual(one.errors, []);
  }, { timing: { stallMs: 150 } }));

test("a client that goes away in the middle leaves nothing behind", () =>
  serving(async (one) => {
    for (let i = 0; i < 20; i++) {
      const reader = rawReader(one, i % 2 === 0 ? EVENTS : "/v1/sweeps/lr/trials/0/log/follow");
      await until(() => reader.text.includes("still here"), "it listens");
      if (i % 3 === 0) reader.socket.resetAndDestroy();
      else reader.socket.destroy();
    }
    await until(() => one.desk.listeners() === 0, "nothing is left behind");
    assert.deepEqual(one.errors, []);
  }));

test("the stream of a sweep that is let go of ends and is not asked for again", () =>
  serving(async ({ client, desk, station }) => {
    const ended = client.events(EVENTS, {}, () => {});
    await until(() => desk.listeners() === 2, "it listens");
    await client.release("lr");
    desk.write({ type: "monitor-stopped", why: "released" });
    await ended;
    assert.equal(desk.listeners(), 0);
    assert.deepEqual(station.list, []);
  }));

test("a journal that cannot be read ends the stream and is told to the daemon", () =>
  serving(async (one) => {
    one.desk.events = () => {
      throw new Error("damaged");
    };
    const reader = rawReader(one, `${EVENTS}?after=0`);
    await until(() => reader.closed, "the end");
    assert.deepEqual(one.errors.map((error) => (error as Error).message), ["damaged"]);
    assert.equal(one.desk.listeners(), 0);
  }));

test("a log is followed from its last lines on, and from its beginning when it was written anew", () =>
  serving(async ({ client, desk }) => {
    desk.logs.set("0/stderr", "one\ntwo\nthree\n");
    const frames: Frame[] = [];
    const stop = new AbortController();
    const path = "/v1/sweeps/lr/trials/0/log/follow?stream=stderr&lines=2";
    const listening = client.events(path, { signal: stop.signal }, (frame) => {
      frames.push(frame);
    });
    const texts = () =>
      frames.map(({ event, data }) => event === "reset" ? 0 : JSON.parse(data).text);
    await until(() => frames.length === 1, "the last lines");
    desk.logs.set("0/stderr", "one\ntwo\nthree\nfour\n");
    await until(() => frames.length === 2, "the next line");
    desk.logs.set("0/stderr", "new\n");
    await until(() => frames.length === 4, "the new file");
    stop.abort();
    await listening;
    assert.deepEqual(texts(), ["two\nthree\n", "four\n", 0, "new\n"]);
    assert.deepEqual(frames.map(({ id }) => id), ["14", "19", "0", "4"]);
  }, { timing: { pollMs: [5, 10] } }));

/** Passes bytes on and cuts each connection after some of them. */
async function flakyProxy(target: number) {
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect({ host: "127.0.0.1", port: target });
    let passed = 0;
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    let head = "";
    client.on("data", (piece) => {
      // The daemon's own name: the proxy stands for a bad network, not for another host.
      head = piece.toString("latin1").replace(/^host: .*$/im, `host: 127.0.0.1:${target}`);
      upstream.write(head, "latin1");
    });
    upstream.on("data", (piece) => {
      passed += piece.length;
      client.write(piece);
      if (passed > 20_000) {
        cuts++;
        cut();
      }
    });
    for (const socket of [client, upstream]) socket.on("error", cut).on("close", cut);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    cuts: () => cuts,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
