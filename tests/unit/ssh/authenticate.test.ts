import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, unlinkSync } from "node:fs";
import { test } from "node:test";
import { SshError } from "../../../lib/ssh/ssh-error.ts";
import { startCodeSshd, withoutCodeSshd } from "../../support/code-sshd.ts";
import { startCodeServer } from "../../support/code-server.ts";
import { scriptedAsker } from "../../support/scripted-asker.ts";
import { createSshScene } from "../../support/ssh-scene.ts";
import { untilState } from "../../support/sshd-scene.ts";
import { startSshd, withoutSshd } from "../../support/sshd.ts";

const onSshd = { skip: withoutSshd };

const KEYS = [
  ["ed25519", {}],
  ["ecdsa", { type: "ecdsa" }],
  ["rsa", { type: "rsa" }],
  ["rsa in PEM", { type: "rsa", format: "PEM" }],
  ["rsa in PKCS8", { type: "rsa", format: "PKCS8" }],
] as const;

test(
  "keys of every usual type and format log in, with a passphrase and without",
  onSshd,
  async () => {
    await using server = await startSshd();
    for (const [says, options] of KEYS) {
      for (const passphrase of ["", "wise words"]) {
        await using scene = createSshScene();
        server.authorize(`${scene.key("mine", { ...options, passphrase })}.pub`);
        scene.trust(server);
        scene.config(`IdentityFile ~/.ssh/mine\n`);
        const { asker, asked } = scriptedAsker(({ attempt }) =>
          attempt === 1 ? "wrong" : passphrase
        );
        const host = scene.host(`127.0.0.1:${server.port}`, { asker });
        assert.match((await host.connect()).method, /^publickey \(~\/.ssh\/mine\)$/, says);
        assert.equal(asked.length, passphrase === "" ? 0 : 2, says);
        if (passphrase === "") continue;
        assert.deepEqual([asked[0]!.kind, asked[0]!.echo], ["passphrase", false]);
        // The opened key is kept: a reconnect asks nobody.
        server.cut();
        assert.equal((await host.run(["true"], { timeoutMs: 20_000 })).ok, true, says);
        assert.equal(asked.length, 2, says);
      }
    }
  },
);

test(
  "nobody is asked for the passphrase of a key that the server does not want",
  onSshd,
  async () => {
    await using server = await startSshd();
    await using scene = createSshScene();
    scene.key("id_rsa", { type: "rsa", passphrase: "secret words" });
    server.authorize(`${scene.key("id_ed25519")}.pub`);
    scene.trust(server);
    const { asker, asked } = scriptedAsker(() => "secret words");
    await scene.host(`127.0.0.1:${server.port}`, { asker }).connect();
    assert.deepEqual(asked, []);
  },
);

test("the agent's keys are used, only the named ones with IdentitiesOnly", onSshd, async () => {
  await using server = await startSshd({ config: ["MaxAuthTries 2"] });
  await using scene = createSshScene();
  const socket = scene.path("agent");
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  try {
    while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 10));
    for (const name of ["one", "two", "three", "four"]) {
      execFileSync("ssh-add", ["-q", scene.key(name)], {
        env: { SSH_AUTH_SOCK: socket },
        stdio: "ignore",
      });
      unlinkSync(scene.path(name));
    }
    server.authorize(scene.path("four.pub"));
    scene.trust(server);
    const env = { SSH_AUTH_SOCK: socket };
    const many = scene.host(`127.0.0.1:${server.port}`, { env });
    await assert.rejects(many.connect(), (error: SshError) => {
      assert.equal(error.step, "authentication");
      assert.match(error.hint ?? "", /IdentitiesOnly/);
      return true;
    });
    scene.config("IdentitiesOnly yes\nIdentityFile ~/.ssh/four\n");
    const one = scene.host(`127.0.0.1:${server.port}`, { env });
    assert.match((await one.connect()).method, /^publickey \(agent: test\)$/);
  } finally {
    agent.kill("SIGKILL");
    await new Promise((resolve) => agent.on("close", resolve));
  }
});

test(
  "a refusal says what was tried, why a key was left out, and is not repeated",
  onSshd,
  async () => {
    await using server = await startSshd();
    await using scene = createSshScene();
    scene.key("id_ed25519");
    chmodSync(scene.key("open"), 0o644);
    scene.config(
      "IdentityFile ~/.ssh/id_ed25519\nIdentityFile ~/.ssh/open\nIdentityFile ~/absent\n",
    );
    scene.trust(server);
    const host = scene.host(`127.0.0.1:${server.port}`);
    await assert.rejects(host.connect(), (error: SshError) => {
      assert.equal(error.step, "authentication");
      assert.match(error.message, /Tried publickey \(~\/.ssh\/id_ed25519\)/);
      assert.match(error.message, /~\/.ssh\/open: others may read it \(its mode is 0644\)/);
      assert.match(error.message, /~\/absent: it does not exist/);
      return true;
    });
    assert.equal(host.state.kind, "refused");
    const before = server.log();
    const ended = await host.run(["true"], { timeoutMs: 5000 });
    assert.match(ended.lost ?? "", /the server refused.*it did not run/);
    assert.equal(server.log(), before);
  },
);

test("a code is asked for, a wrong one again, and once after each cut", async () => {
  await using scene = createSshScene();
  await using server = await startCodeServer({ folder: scene.home, code: (n) => `code-${n}` });
  scene.trust(server as never);
  let wrong = true;
  const { asker, asked } = scriptedAsker(() => {
    const answer = wrong ? "nonsense" : `code-${server.logins + 1}`;
    wrong = false;
    return answer;
  });
  const host = scene.host(`127.0.0.1:${server.port}`, { asker });
  assert.equal((await host.connect()).method, "keyboard-interactive");
  assert.deepEqual(asked.map(({ attempt }) => attempt), [1, 2]);
  assert.deepEqual([asked[0]!.kind, asked[0]!.echo, asked[0]!.prompt], [
    "code",
    false,
    "Verification code:",
  ]);
  const down = new Promise<void>((resolve) =>
    host.onState(({ kind }) => kind !== "connected" && resolve())
  );
  server.cut();
  await down;
  const together = await Promise.all([host.run(["echo"]), host.run(["echo"])]);
  assert.deepEqual(together.map(({ stdout }) => stdout), ["ran", "ran"]);
  assert.equal(asked.length, 3);
});

test("OpenSSH asks for a key and then for a code that changes with each login", {
  skip: withoutCodeSshd(),
}, async () => {
  await using server = await startCodeSshd("publickey,keyboard-interactive");
  await using scene = createSshScene();
  server.authorize(`${scene.key("id_ed25519")}.pub`);
  scene.trust(server);
  const answers = ["nonsense", "code-1", "code-1", "code-2"];
  const { asker, asked } = scriptedAsker(() => answers.shift());
  const host = scene.host(`127.0.0.1:${server.port}`, { asker });
  const { method } = await host.connect();
  assert.equal(method, "publickey (~/.ssh/id_ed25519) and keyboard-interactive");
  server.cut();
  await untilState(host, "waiting");
  assert.equal((await host.run(["echo", "x"])).stdout, "x\n");
  assert.deepEqual(
    asked.map(({ kind, prompt, echo, attempt }) => [kind, prompt.split(" ").at(-2), echo, attempt]),
    [1, 2, 1, 2].map((attempt) => ["code", "Verification", false, attempt]),
  );
  assert.equal(server.logins(), 2);
});

test("OpenSSH refuses three wrong codes: it is said what was tried, and nobody is asked on", {
  skip: withoutCodeSshd(),
}, async () => {
  await using server = await startCodeSshd();
  await using scene = createSshScene();
  scene.trust(server);
  const { asker, asked } = scriptedAsker(() => "stale");
  const host = scene.host(`127.0.0.1:${server.port}`, { asker });
  await assert.rejects(host.connect(), (error: SshError) => {
    assert.deepEqual([error.step, error.passing], ["authentication", false]);
    assert.match(error.message, /the server refused\. Tried keyboard-interactive/);
    assert.match(error.hint!, /wait for the next one/);
    assert.doesNotMatch(`${error.message} ${error.hint}`, /stale/);
    return true;
  });
  assert.equal(asked.length, 3);
  assert.match((await host.run(["true"], { timeoutMs: 5000 })).lost ?? "", /it did not run/);
  assert.equal(asked.length, 3);
});

test("a key and then a code: both are wanted, and both are said", async () => {
  await using scene = createSshScene();
  const keyFirst = `${scene.key("id_ed25519")}.pub`;
  await using server = await startCodeServer({ folder: scene.home, code: () => "1", keyFirst });
  scene.trust(server as never);
  const { asker } = scriptedAsker(() => "1");
  const facts = await scene.host(`127.0.0.1:${server.port}`, { asker }).connect();
  assert.equal(facts.method, "publickey (~/.ssh/id_ed25519) and keyboard-interactive");
});

test("who does not answer is not asked again until somebody wants to connect", async () => {
  await using scene = createSshScene();
  await using server = await startCodeServer({ folder: scene.home, code: () => "1" });
  scene.trust(server as never);
  const known: { answer?: string } = {};
  const { asker, asked } = scriptedAsker(() => known.answer);
  const host = scene.host(`127.0.0.1:${server.port}`, { asker });
  assert.match((await host.run(["x"], { timeoutMs: 9000 })).lost ?? "", /nobody answered/);
  assert.match((await host.run(["x"], { timeoutMs: 9000 })).lost ?? "", /nobody answered/);
  assert.equal(asked.length, 1);
  known.answer = "1";
  await host.connect();
  assert.equal((await host.run(["x"])).stdout, "ran");
});

test("a password is asked for, and neither it nor a code is in an error", async () => {
  await using scene = createSshScene();
  await using server = await startCodeServer({
    folder: scene.home,
    code: () => "-",
    password: "open sesame",
  });
  scene.trust(server as never);
  const wrong = scriptedAsker(() => "my secret");
  const host = scene.host(`127.0.0.1:${server.port}`, { asker: wrong.asker });
  await assert.rejects(host.connect(), (error: SshError) => {
    assert.match(error.message, /Tried password/);
    assert.doesNotMatch(JSON.stringify([error.message, error.hint]), /my secret/);
    return true;
  });
  assert.deepEqual(wrong.asked.map(({ kind }) => kind), ["password", "password", "password"]);
  const right = scriptedAsker(() => "open sesame");
  const again = scene.host(`127.0.0.1:${server.port}`, { asker: right.asker });
  assert.equal((await again.connect()).method, "password");
});
