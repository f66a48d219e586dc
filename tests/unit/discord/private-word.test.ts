import assert from "node:assert/strict";
import { test } from "node:test";
import { DiscordError } from "../../../lib/discord/discord-error.ts";
import { createPrivateWord } from "../../../lib/discord/private-word.ts";
import { memoryDiscord } from "../../support/discord-rest.ts";
import { createHeldTime } from "../../support/held-time.ts";

test("a refused person is told by direct message, once an hour", async () => {
  const discord = memoryDiscord();
  const time = createHeldTime(0);
  const tell = createPrivateWord({
    rest: discord.rest,
    clock: time.clock,
    sweep: "lr",
    log: () => {},
  });
  assert.equal(await tell("1", "Only operators may"), true);
  assert.equal(await tell("1", "Only operators may"), false);
  assert.equal(await tell("2", "Only operators may"), true);
  await time.clock.sleep(60 * 60_000);
  assert.equal(await tell("1", "Only operators may"), true);
  assert.deepEqual(discord.texts("dm1"), ["lr: Only operators may", "lr: Only operators may"]);
});

test("who takes no messages of bots is not told, and not asked again at once", async () => {
  const discord = memoryDiscord();
  discord.fail = (call) => {
    if (call === "send") {
      throw new DiscordError("Cannot send", { kind: "forbidden", status: 403, code: 50007 });
    }
  };
  const tell = createPrivateWord({
    rest: discord.rest,
    clock: createHeldTime(0).clock,
    sweep: "lr",
    log: () => {},
  });
  assert.equal(await tell("1", "Only operators may"), false);
  assert.equal(await tell("1", "Only operators may"), false);
  assert.equal(discord.calls.filter((one) => one === "openDirect").length, 1);
});
