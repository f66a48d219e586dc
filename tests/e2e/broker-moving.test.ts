import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { brokerScene } from "../support/broker-scene.ts";
import { startDiscord } from "../support/discord/start-discord.ts";
import { doc } from "../support/documented-keys.ts";
import { HERD } from "../support/herd.ts";
import { typedLines, typeLine } from "../support/typed-lines.ts";

const AGENT = new URL("../support/acp-chatter.py", import.meta.url).pathname;

test("who has OpenAB's files and docs/broker.md has herd's bots: its lines are typed as they stand", async (t) => {
  const discord = await startDiscord();
  t.after(() => discord[Symbol.asyncDispose]());
  const second = discord.addBot("Claude");
  const lab = discord.makeChannel("arena");
  const alice = discord.person("alice");
  let end = (): Promise<unknown> => Promise.resolve();
  // Before the scene is taken away.
  t.after(() => end());
  const scene = await brokerScene(t, { discord, yaml: "" });
  const { path } = scene;
  mkdirSync(path("bin"));
  symlinkSync(HERD, path("bin/herd"));
  for (const [name, program] of [["kiro", "kiro-cli"], ["claude", "claude-agent-acp"]] as const) {
    const script = `#!/bin/sh\nexec python3 ${AGENT} ${path(`${name}.jsonl`)}\n`;
    writeFileSync(path("bin", program), script, { mode: 0o755 });
    mkdirSync(path(name));
    writeFileSync(
      path(name, "config.toml"),
      '[discord]\nbot_token = "${DISCORD_BOT_TOKEN}"\n' +
        `allowed_channels = ["${lab.id}"]\nallow_bot_messages = "off"\nnonsense = 1\n` +
        `[agent]\ncommand = "${program}"\nargs = ["acp"]\nworking_dir = "${path(name)}"\n` +
        'env = { KEY = "a-secret-value" }\n[pool]\nmax_sessions = 4\nsession_ttl_hours = 24\n',
    );
  }
  const env = {
    ...process.env,
    ...scene.env,
    PATH: `${path("bin")}:${process.env["PATH"]}`,
  };
  end = () => typeLine("herd monitor --stop", { cwd: path(), env });
  const said: string[] = [];
  for (const line of typedLines(doc("broker.md"), "## Coming from OpenAB")) {
    if (line === "herd broker check") {
      // "Write the variables that the notes name into ~/.config/herd/.env"
      const names = [...said.join("\n").matchAll(/(?:variable) ([A-Z_]+)/g)].map(([, name]) =>
        name
      );
      assert.deepEqual([...new Set(names)], [
        "DISCORD_BOT_TOKEN_KIRO",
        "KEY",
        "DISCORD_BOT_TOKEN_CLAUDE",
      ]);
      const values = [discord.token, "k", second.token];
      const lines = [...new Set(names)].map((name, at) => `${name}=${values[at]}\n`).join("");
      writeFileSync(path(".config/herd/.env"), lines, { mode: 0o600 });
    }
    const { code, said: text } = await typeLine(line, { cwd: path(), env });
    assert.equal(code, 0, `${line}\n${text}`);
    said.push(text);
  }
  const all = said.join("\n");
  assert.match(all, /kiro: Left out what herd has no use for: discord\.nonsense/);
  assert.match(all, /2 bots, 2 agents/);
  assert.doesNotMatch(all, /✗|a-secret-value/);
  for (const { id } of [discord.bot, second.person]) {
    await scene.until("the bot is connected", () => discord.gateway.isConnected(id));
    const asked = discord.say(alice, lab, `<@${id}> hello`);
    await scene.until("it answers as before", () => asked.reactions.has("🆗"));
  }
  assert.deepEqual(discord.violations, []);
});
