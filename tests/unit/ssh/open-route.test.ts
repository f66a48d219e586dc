import assert from "node:assert/strict";
import { unlinkSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { SshError } from "../../../lib/ssh/ssh-error.ts";
import { openSshdScene, type SshdScene } from "../../support/sshd-scene.ts";
import { type Sshd, startSshd, withoutSshd } from "../../support/sshd.ts";

const onSshd = { skip: withoutSshd };

/** A second server, each with a key pair of its own that the other does not take. */
async function jumpOf(scene: SshdScene, config: readonly string[] = []): Promise<Sshd> {
  const jump = await startSshd({ config });
  jump.authorize(`${scene.key("jump_key")}.pub`);
  scene.trust(jump);
  scene.config(
    `Host far\nHostName 127.0.0.1\nPort ${scene.server.port}\nProxyJump jump\n` +
      `Host jump\nHostName 127.0.0.1\nPort ${jump.port}\nIdentityFile ~/.ssh/jump_key\nIdentitiesOnly yes\n`,
  );
  return jump;
}

test(
  "a host behind a jump host is reached, each with its own key and its own known key",
  onSshd,
  async () => {
    await using scene = await openSshdScene();
    await using jump = await jumpOf(scene);
    const host = scene.host("far");
    assert.deepEqual((await host.connect()).jumps, ["jump"]);
    assert.equal((await host.run(["echo", "x"])).stdout, "x\n");
    assert.match(jump.log(), /Accepted publickey/);
  },
);

test("a chain of jump hosts is followed in its order", onSshd, async () => {
  await using scene = await openSshdScene();
  await using _ = await jumpOf(scene);
  await using second = await startSshd();
  second.authorize(scene.path("id_ed25519.pub"));
  scene.trust(second);
  const jumps = `jump,root@127.0.0.1:${second.port}`;
  scene.config(
    `Host far\nHostName 127.0.0.1\nPort ${scene.server.port}\nProxyJump ${jumps}\n` +
      `Host jump\nHostName 127.0.0.1\nPort ${_.port}\nIdentityFile ~/.ssh/jump_key\n`,
  );
  const facts = await scene.host("far").connect();
  assert.deepEqual(facts.jumps, ["jump", "127.0.0.1"]);
});

test("what fails at the jump host, or behind it, says where", onSshd, async () => {
  await using scene = await openSshdScene();
  await using jump = await jumpOf(scene, ["DisableForwarding yes"]);
  await assert.rejects(scene.host("far").connect(), (error: SshError) => {
    assert.equal(error.step, "jump");
    assert.match(error.message, /Cannot connect to "far" from its jump host "jump"/);
    return true;
  });
  unlinkSync(scene.path("jump_key"));
  unlinkSync(scene.path("jump_key.pub"));
  await assert.rejects(scene.host("far").connect(), (error: SshError) => {
    assert.deepEqual([error.step, error.host], ["authentication", "jump"]);
    assert.match(error.message, /^On the way to "far", at its jump host "jump": Cannot log in/);
    return true;
  });
  await jump.stop();
  await assert.rejects(scene.host("far").connect(), (error: SshError) => {
    assert.deepEqual([error.step, error.host, error.passing], ["connect", "jump", true]);
    return true;
  });
});

test("a cut at the jump host is a cut of the host, and both are made again", onSshd, async () => {
  await using scene = await openSshdScene();
  await using jump = await jumpOf(scene);
  const host = scene.host("far");
  await host.connect();
  const running = host.run(["sleep", "987"]);
  setTimeout(() => jump.cut(), 300);
  assert.match((await running).lost ?? "", /nobody knows/);
  assert.equal((await host.run(["echo", "x"], { timeoutMs: 20_000 })).stdout, "x\n");
});

test(
  "a ProxyJump that leads in a circle is said, one that names the host itself is left out",
  onSshd,
  async () => {
    await using scene = await openSshdScene();
    scene.config(
      "Host a\nHostName a.invalid\nProxyJump b\nHost b\nHostName b.invalid\nProxyJump a\n",
    );
    await assert.rejects(scene.host("a").connect(), /leads in a circle/);
    scene.config(`Host *\nProxyJump root@127.0.0.1:${scene.server.port}\n`);
    assert.deepEqual((await scene.here().connect()).jumps, []);
  },
);

test(
  "an unknown name, a closed port and a silent server are three different errors",
  onSshd,
  async () => {
    await using scene = await openSshdScene();
    const step = async (name: string) => {
      let found: SshError | undefined;
      await scene.host(name).connect().catch((error) => found = error);
      return `${found?.step} ${found?.passing}`;
    };
    assert.equal(await step("no-such-host.invalid"), "resolve true");
    assert.equal(await step("127.0.0.1:1"), "connect true");
    const silent: Server = createServer((socket) => {
      socket.resume().end("HTTP/1.1 400 Bad\r\n\r\n");
    });
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    assert.equal(
      await step(`127.0.0.1:${(silent.address() as { port: number }).port}`),
      "connect true",
    );
    await new Promise((resolve) => silent.close(resolve));
  },
);

test("a port and a socket of the host are reached through it", onSshd, async () => {
  await using scene = await openSshdScene();
  const host = scene.here();
  const answer = createServer((socket) => {
    socket.on("data", (bytes) => socket.end(`heard ${bytes}`));
  });
  const path = join(scene.home, "socket");
  for (const place of [path, 0] as const) {
    await new Promise<void>((resolve) =>
      place === 0 ? answer.listen(0, "127.0.0.1", resolve) : answer.listen(place, resolve)
    );
    const { port } = place === 0 ? answer.address() as { port: number } : { port: 0 };
    const way = await host.forward(
      place === 0 ? { host: "127.0.0.1", port } : { socketPath: path },
    );
    way.write("hello");
    let heard = "";
    for await (const bytes of way) heard += bytes;
    assert.equal(heard, "heard hello");
    await new Promise((resolve) => answer.close(resolve));
  }
  await assert.rejects(
    host.forward({ socketPath: join(scene.home, "none") }),
    (error: SshError) => error.step === "channel",
  );
});
