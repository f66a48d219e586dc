import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { createTranscriber } from "../../../lib/chat/transcribe.ts";
import { createHeldTime } from "../../support/held-time.ts";

const SOUND = { bytes: new Uint8Array([1, 2, 3]), name: "v.ogg", contentType: "audio/ogg" };
const never = new AbortController().signal;

async function service(
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => void,
) {
  const server = createServer(async (request, response) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of request) pieces.push(piece);
    answer(request, Buffer.concat(pieces).toString("latin1"), response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function transcriber(baseUrl: string, key: string | undefined = "sk-secret") {
  return createTranscriber({ fetch, clock: createSystemClock(), baseUrl, key, model: "whisper" });
}

test("the sound goes to the service as a form, with model and key, and its words come back", async () => {
  let seen = "";
  let authorization: string | undefined;
  let path: string | undefined;
  await using at = await service((request, body, response) => {
    seen = body;
    authorization = request.headers.authorization;
    path = request.url;
    response.end(JSON.stringify({ text: " hello there \n" }));
  });
  assert.deepEqual(await transcriber(at.baseUrl)(SOUND, never), { text: "hello there" });
  assert.equal(path, "/v1/audio/transcriptions");
  assert.equal(authorization, "Bearer sk-secret");
  assert.match(seen, /name="file"; filename="v.ogg"\r\n[^]*audio\/ogg/);
  assert.ok(seen.includes("\x01\x02\x03"));
  assert.match(seen, /name="model"\r\n\r\nwhisper/);
});

test("each failure is a value in words, without the key", async () => {
  const answers: [(response: ServerResponse) => void, RegExp][] = [
    [(r) => r.writeHead(401).end("sk-secret is bad"), /answered 401/],
    [(r) => r.end("<html>sk-secret"), /not understood/],
    [(r) => r.end("null"), /not understood/],
    [(r) => r.end('{"text":5}'), /not understood/],
    [(r) => r.end('{"text":" "}'), /no speech/],
    [(r) => r.destroy(), /could not be reached/],
    [
      (r) => r.writeHead(302, { location: "http://127.0.0.1:9/" }).end(),
      /could not be reached|302/,
    ],
  ];
  for (const [answer, reason] of answers) {
    await using at = await service((_, _body, response) => answer(response));
    const heard = await transcriber(at.baseUrl)(SOUND, never);
    assert.ok("failed" in heard);
    assert.match(heard.failed, reason);
    assert.doesNotMatch(heard.failed, /secret/);
  }
});

test("a service that never answers is given up, a cancel is thrown", async () => {
  await using at = await service(() => {});
  const held = createHeldTime(0);
  const slow = createTranscriber({
    fetch,
    clock: held.clock,
    baseUrl: at.baseUrl,
    key: undefined,
    model: "m",
  });
  assert.deepEqual(await slow(SOUND, never), { failed: "the service took too long" });
  assert.equal(held.clock.now(), 120_000);
  const stop = new AbortController();
  const asked = transcriber(at.baseUrl, undefined)(SOUND, stop.signal);
  stop.abort(new Error("stopped"));
  await assert.rejects(asked, /stopped/);
});
