import assert from "node:assert/strict";
import { test } from "node:test";
import { startSshd, withoutSshd } from "../../support/sshd.ts";
import { createSshScene } from "../../support/ssh-scene.ts";

const onSshd = { skip: withoutSshd };

test("a program runs there, with its outputs, its exit code and its signal", onSshd, async () => {
  await using server = await startSshd();
  await using scene = createSshScene();
  server.authorize(`${scene.key("id_ed25519")}.pub`);
  scene.trust(server);
  const host = scene.host(`127.0.0.1:${server.port}`);
  const good = await host.run(["sh", "-c", "cat; echo err >&2"], { input: "a'b\n" });
  assert.equal(good.lost, undefined);
  assert.deepEqual([good.ok, good.stdout, good.stderr], [true, "a'b\n", "err\n"]);
  const bad = await host.run(["sh", "-c", "exit 7"]);
  assert.deepEqual([bad.ok, bad.exitCode, bad.signal], [false, 7, undefined]);
  const killed = await host.run(["sh", "-c", "kill -SEGV $$"]);
  assert.deepEqual([killed.ok, killed.exitCode, killed.signal], [false, undefined, "SIGSEGV"]);
});
