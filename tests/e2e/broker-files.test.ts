import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { pictureHeader } from "../../lib/base/picture-header.ts";
import { brokerScene } from "../support/broker-scene.ts";
import type { FakeMessage } from "../support/discord/world.ts";
import { pngOf, RED } from "../support/pictures.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** An endpoint that is like OpenAI's: it hears what the file says, and fails for what begins with "noise". */
async function speechServer() {
  const heard: { key: string | undefined; model: string; text: string }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const type = request.headers["content-type"] ?? "";
    const form = await new Response(Buffer.concat(chunks), { headers: { "content-type": type } })
      .formData();
    const text = await (form.get("file") as File).text();
    heard.push({ key: request.headers.authorization, model: String(form.get("model")), text });
    const isNoise = text.startsWith("noise") || request.url !== "/v1/audio/transcriptions";
    response.writeHead(isNoise ? 500 : 200, { "content-type": "application/json" });
    response.end(isNoise ? "{}" : JSON.stringify({ text: `I heard ${text}` }));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    heard,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

const signs = ({ reactions }: FakeMessage) => [...reactions.keys()];

test("B.60, B.61, B.63, B.64, B.65, B.66, B.67, C.7: each kind of attachment reaches the agent as the page says, and nothing is left out without a line", async (t) => {
  await using speech = await speechServer();
  const scene = await brokerScene(t, {
    env: { STT_KEY: "stt-secret" },
    more: `  attachments: {image_side: 400}
  stt: {enabled: true, base_url: "${speech.url}", api_key_env: STT_KEY, echo_transcript: true}`,
  });
  const { discord } = scene;
  scene.start();
  await scene.ready();
  const ended = Math.floor(Date.now() / 1000) - 60;
  const asked = scene.mention("look at these", {
    files: [
      { name: "voice.ogg", bytes: bytesOf("hello"), contentType: "audio/ogg" },
      { name: "bad.ogg", bytes: bytesOf("noise"), contentType: "audio/ogg" },
      { name: "notes.md", bytes: bytesOf("# Title\n```\ncode\n```\n") },
      { name: "long.log", bytes: bytesOf("x".repeat(600_000)) },
      { name: "chart.png", bytes: pngOf(1_000, 500, () => RED), contentType: "image/png" },
      {
        name: "demo.mp4",
        bytes: bytesOf("video"),
        contentType: "video/mp4",
        query: `?ex=${ended.toString(16)}`,
      },
      { name: "model.bin", bytes: Uint8Array.of(0, 1, 2, 255) },
    ],
  });
  // Discord signs addresses anew each time a message is read.
  const video = asked.files.find(({ name }) => name === "demo.mp4")!;
  video.url = video.url.replace(/ex=.*/, `ex=${(ended + 86_400).toString(16)}`);
  const thread = await scene.thread(asked);
  await scene.until("it is answered", () => asked.reactions.has("🆗"));
  const [{ text, images } = { text: "", images: [] }] = scene.prompts();

  assert.deepEqual(speech.heard.map(({ text }) => text).sort(), ["hello", "noise"]);
  assert.ok(
    speech.heard.every(({ key, model }) =>
      key === "Bearer stt-secret" && model === "whisper-large-v3-turbo"
    ),
  );
  assert.match(text, /\[Voice message transcript: voice\.ogg\]\n```\nI heard hello/);
  const told = discord.transcript(thread);
  assert.match(told, /> 🎤 I heard hello/);
  assert.match(told, /> 🎤 \(transcription failed\) `bad\.ogg`: the service answered 500/);
  assert.ok(signs(asked).includes("⚠️"), signs(asked).join());

  assert.match(text, /\[File: notes\.md\]\n````\n# Title\n```\ncode\n```\n````/);
  assert.match(told, /`long\.log`/);
  const saved = (name: string) =>
    new RegExp(`filename: ${name}\n(?:.*\n)*?path: (.*)`).exec(text)?.[1] ?? "";
  assert.equal(readFileSync(saved("long.log"), "utf8").length, 600_000);
  assert.deepEqual([...readFileSync(saved("model.bin"))], [0, 1, 2, 255]);
  assert.equal(readFileSync(saved("bad.ogg"), "utf8"), "noise");

  assert.equal(images.length, 1);
  const picture = pictureHeader(new Uint8Array(Buffer.from(images[0]!, "base64")));
  assert.deepEqual([picture?.format, picture?.size], ["jpeg", { width: 400, height: 200 }]);

  assert.match(
    text,
    /\[Video attachment\]\nfilename: demo\.mp4\ncontent_type: video\/mp4\nsize_bytes: 5/,
  );
  assert.ok(text.includes(video.url), "the address is the fresh one");
  assert.doesNotMatch(readFileSync(scene.path("prompts.jsonl"), "utf8"), /stt-secret/);
  assert.deepEqual(discord.violations, []);
});

test("B.62, B.68: without a transcriber a voice message gets 🎤; files of the outbox arrive, and what cannot be sent is told", async (t) => {
  const scene = await brokerScene(t);
  const { discord } = scene;
  scene.start();
  await scene.ready();
  const voice = scene.mention("hear this", {
    files: [{ name: "voice.ogg", bytes: bytesOf("hello"), contentType: "audio/ogg" }],
  });
  await scene.until("it is answered", () => voice.reactions.has("🆗"));
  assert.ok(signs(voice).includes("🎤"));

  const asked = scene.mention("outbox");
  const thread = await scene.thread(asked);
  await scene.until("it is answered", () => asked.reactions.has("🆗"));
  const told = () => discord.transcript(thread);
  for (
    const line of [
      /huge\.bin` was not sent: it has 11 MB, and 10 MB is the most/,
      /leak\.txt` was not sent: it is a link/,
      /gone\.txt` was not sent: it was gone before it could be read/,
    ]
  ) await scene.until(`${line}`, () => line.test(told()));
  const files = discord.messages(thread).flatMap(({ files }) => files);
  assert.deepEqual(files.map(({ name }) => name), ["plot.svg"]);
  assert.equal(new TextDecoder().decode(files[0]!.bytes), "<svg/>");
  assert.deepEqual(discord.violations, []);
});
