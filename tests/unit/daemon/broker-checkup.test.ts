import assert from "node:assert/strict";
import { test } from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { botToken } from "../../../lib/daemon/bot-token.ts";
import { checkBots } from "../../../lib/daemon/broker-checkup.ts";
import { readHerdConfig } from "../../../lib/daemon/read-herd-config.ts";

const { broker } = readHerdConfig(
  `broker:
  discord: {allow_all_channels: true, allow_all_users: true}
  agent: {kind: acp, command: [sh]}
  bots:
    first: {discord: {bot_token_env: A}}
    second: {discord: {bot_token_env: B}}
    third: {discord: {bot_token_env: C}}
`,
  "x",
);

test("of two bots with one token under two variables the second one is bad, and told why", async () => {
  const env = { PATH: "/bin", A: "tok-1", B: " Bot tok-1 ", C: "tok-3" };
  const found = await checkBots(broker!, {
    ...{
      env,
      clock: createSystemClock(),
      log: { path: undefined, write() {} },
      signal: AbortSignal.abort(),
    },
    asksDiscord: false,
  });
  assert.deepEqual(
    found.filter(({ mark }) => mark === "bad").map(({ message }) => message),
    ['The bot "second" has the same token as "first"'],
  );
  assert.ok(!JSON.stringify(found).includes("tok-1"), "no token is shown");
});

test("a bot's token is its own, is not set, or is that of a bot before it", () => {
  const env = { A: "tok-1", B: "tok-1", C: " " };
  assert.deepEqual(broker!.bots.map((bot) => botToken(bot, broker!.bots, env)), [
    { text: "tok-1" },
    { twin: "first" },
    { unset: "C" },
  ]);
  assert.deepEqual(botToken(broker!.bots[1]!, broker!.bots, { A: "", B: "tok-1" }), {
    text: "tok-1",
  });
});
