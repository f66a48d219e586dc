/** Connects as herd does, hears one message, sends one, closes, and says so. Run by a test in both runtimes. */
import process from "node:process";
import { createSystemClock } from "../../lib/base/clock.ts";
import { createDiscordLink } from "../../lib/discord/create-link.ts";

const link = createDiscordLink({
  token: "a.b.c",
  apiUrl: process.env["PROBE_API"] ?? "",
  env: process.env,
  clock: createSystemClock(),
  random: () => 0,
  log: { path: undefined, write: () => {} },
});
const heard = new Promise<string>((resolve) => {
  link.onEvent((event) => {
    if (event.type === "message") resolve(event.message.content);
  });
});
link.onState((state) => {
  if (state.phase === "waiting") process.stdout.write(`waiting: ${state.detail}\n`);
});
link.start();
process.stdout.write(`heard ${await heard}\n`);
const sent = await link.rest.send("9", { content: "x", nonce: "n" });
process.stdout.write(`sent ${sent.id}\n`);
await link[Symbol.asyncDispose]();
process.stdout.write(`${link.state().phase}\n`);
