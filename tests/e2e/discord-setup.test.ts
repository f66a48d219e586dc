import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
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

/** A person at a terminal: `script` gives the program one. */
function atTerminal(argv: readonly string[], env: Record<string, string>) {
  const line = argv.map((one) => `'${one}'`).join(" ");
  const child = spawn("script", ["-qfec", line, "/dev/null"], { env });
  let shown = "";
  let heard = 0;
  const changed = new EventTarget();
  child.stdout.on("data", (bytes: Uint8Array) => {
    shown += new TextDecoder().decode(bytes);
    changed.dispatchEvent(new Event("more"));
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return {
    ended,
    shown: () => shown,
    end: () => child.kill("SIGKILL"),
    /** Answers when it is asked, and not before. */
    async answer(question: RegExp, text: string, first = () => {}): Promise<void> {
      const until = Date.now() + 20_000;
      while (!question.test(shown.slice(heard))) {
        if (Date.now() > until) assert.fail(`${question} was not asked:\n${shown.slice(heard)}`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, 500);
          changed.addEventListener("more", () => (clearTimeout(timer), resolve()), { once: true });
        });
      }
      heard = shown.length;
      first();
      child.stdin.write(`${text}\n`);
    },
  };
}

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
