import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runProcess } from "../../lib/base/process.ts";
import { auditOf } from "../support/daemon.ts";
import { startCodeServer } from "../support/code-server.ts";
import { discordScene } from "../support/discord-scene.ts";
import { withoutSshd as skip } from "../support/sshd.ts";

const yaml = (guild: string) =>
  `name: far
launcher: ./launch.sh
grid: all
slurm: {host: second, partition: none, time: 5, mem: 50M}
discord: {guild_id: "${guild}"}
monitor: {objective: none, rollout: [rest]}
remediation: {mode: notify}
parameters:
  x: {type: discrete, values: [1]}
`;

test(
  "a login's one-time code is given by an operator in the sweep's channel, in a form that nobody else sees",
  { skip },
  async (t) => {
    const scene = await discordScene(t, { name: "far", yaml });
    const { discord, alice, home, sweep } = scene;
    const ssh = (name: string) => join(home.env["HOME"]!, ".ssh", name);
    mkdirSync(ssh(""), { mode: 0o700 });
    await using codes = await startCodeServer({ folder: ssh(""), code: (n) => `code-${n}` });
    const config =
      `Host second\n  HostName 127.0.0.1\n  Port ${codes.port}\n  HostKeyAlias second\n`;
    writeFileSync(ssh("config"), config);
    writeFileSync(ssh("known_hosts"), `second ${codes.hostKey}\n`);
    scene.start();
    const channel = await scene.channel();
    const post = () => scene.posts().find(({ content }) => /needs a code/.test(content));
    await scene.until("it is asked for", () => post() !== undefined);
    assert.match(post()!.content, /Never write it as a message/);

    const viewer = discord.person("vera");
    const refused = await discord.click(viewer, post()!, "Give the code");
    assert.deepEqual([refused.form, refused.ephemeral], [undefined, true]);
    const early = await discord.fill(alice, post()!, "Give the code", "wrong");
    await scene.until("a wrong one", () => /not taken/.test(early.message()?.content ?? ""));
    assert.equal(early.ephemeral, true);
    const right = await discord.fill(alice, post()!, "Give the code", " code-1 ");
    await scene.until("the right one", () => /is reached/.test(right.message()?.content ?? ""));
    assert.equal(codes.logins, 1);
    await scene.until("all are told", () => /"second" is reached again/.test(scene.transcript()));
    const late = await discord.fill(alice, post()!, "Give the code", "code-2");
    await scene.until("no need", () => /reached already/.test(late.message()?.content ?? ""));

    assert.ok(!/code-1|wrong/.test(discord.transcript(channel)));
    const audit = auditOf(sweep.path).filter(({ event }) => event === "login-code");
    assert.deepEqual(audit.map(({ host }) => host), ["second", "second", "second"]);
    const places = [sweep.path, home.env["HOME"]!, home.env["XDG_STATE_HOME"] ?? sweep.path];
    const { stdout } = await runProcess(["grep", "-rlE", "code-[12]|wrong", ...places]);
    assert.equal(stdout, "");
    assert.deepEqual(discord.violations, []);
    assert.ok(readFileSync(ssh("known_hosts"), "utf8").startsWith("second "));
  },
);
