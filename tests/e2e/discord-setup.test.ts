import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { atTerminal } from "../support/at-terminal.ts";
import { makeHome } from "../support/daemon.ts";
import { startDiscord } from "../support/discord/start-discord.ts";
import { HERD, makeSweep } from "../support/herd.ts";

const YAML = `# ours
name: first
launcher: ./launch.sh
scheduler: local
slurm: {partition: none, time: 5, mem: 50M}
grid: all
parameters:
  x: {type: discrete, values: [1, 2]}
`;

test("herd discord setup walks a person from nothing to a bot that works", async (t) => {
  const discord = await startDiscord();
  const home = makeHome({ NO_COLOR: "1", TERM: "xterm", DISCORD_API_URL: discord.url });
  const sweep = makeSweep({ yaml: YAML, launcher: "#!/bin/bash\n" }, "herd-setup-");
  discord.messageContent(false);
  discord.guild.members.delete(discord.bot.id);
  const person = atTerminal([HERD, "discord", "setup", sweep.path], home.env);
  t.after(async () => {
    person.end();
    await discord[Symbol.asyncDispose]();
    sweep.remove();
    home.remove();
  });

  await person.answer(/Paste the token here/, "no-token-at-all");
  await person.answer(/Paste the token here/, discord.token);
  await person.answer(/MESSAGE CONTENT INTENT is off[^]*Enter when it is on/, "");
  await person.answer(/Enter when it is on/, "", () => discord.messageContent(true));
  await person.answer(/Invite the bot[^]*permissions=\d+[^]*Enter when it is there/, "");
  await person.answer(
    /Enter when it is there/,
    "",
    () => void discord.guild.members.set(discord.bot.id, discord.bot),
  );
  await person.answer(/1\. lab \(\d+\)[^]*Number/, "7");
  await person.answer(/Number/, "1");
  assert.equal(await person.ended, 0, person.shown());

  assert.ok(!person.shown().includes(discord.token), "the token is not shown");
  const dotenv = join(sweep.path, ".env");
  assert.match(
    readFileSync(dotenv, "utf8"),
    new RegExp(`^DISCORD_BOT_TOKEN=.*${discord.token}`, "m"),
  );
  assert.equal(statSync(dotenv).mode & 0o777, 0o600);
  const yaml = sweep.read("hyperherd.yaml");
  assert.match(yaml, /^# ours$/m);
  assert.match(yaml, new RegExp(`guild_id: "${discord.guild.id}"`));
  assert.match(person.shown(), /All is well|It works/);

  const again = atTerminal([HERD, "discord", "setup", sweep.path], home.env);
  t.after(() => again.end());
  assert.equal(await again.ended, 0, again.shown());
  assert.match(again.shown(), /The token is there: it is of the bot "HerdDog"/);
  assert.match(again.shown(), /The sweep lives in the server "lab"/);
});
