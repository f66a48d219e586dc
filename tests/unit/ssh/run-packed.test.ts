import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Ended } from "../../../lib/base/process.ts";
import { runPacked } from "../../../lib/ssh/run-packed.ts";
import { fewPrograms } from "../../support/deploy-scene.ts";
import { withoutSshd } from "../../support/sshd.ts";
import { openSshdScene, troubled } from "../../support/sshd-scene.ts";

const onSshd = { skip: withoutSshd };
const LINES = 'for i in $(seq 3000); do printf "%s|RUNNING|n1 ü\\0\\n" $i; done';

test(
  "a long output comes whole, a fraction of it on the wire, with its exit code",
  onSshd,
  async () => {
    await using scene = await openSshdScene();
    const { proxy, host } = await troubled(scene);
    await using _ = proxy;
    const plain = await host.run(["bash", "-c", LINES]);
    const before = proxy.received;
    const packed = await runPacked(host, ["bash", "-c", `${LINES}; echo bad >&2; exit 3`]);
    assert.equal(packed.stdout, plain.stdout);
    assert.deepEqual([packed.ok, packed.exitCode, packed.stderr], [false, 3, "bad\n"]);
    assert.ok(proxy.received - before < plain.stdout.length / 4, `${proxy.received - before}`);
    const empty = await runPacked(host, ["true"]);
    assert.deepEqual([empty.ok, empty.exitCode, empty.stdout], [true, 0, ""]);
    assert.equal((await runPacked(host, ["no-such-program"])).exitCode, 127);
  },
);

test("a host that cannot pack answers all the same, and a time limit is one", onSshd, async () => {
  await using scene = await openSshdScene();
  const host = scene.here();
  const PATH = fewPrograms(join(scene.home, "bin"), ["bash", "seq", "sleep"]);
  const { stdout, exitCode } = await runPacked(host, ["bash", "-c", `${LINES}; exit 4`], {
    env: { PATH },
  });
  assert.deepEqual([stdout.split("\n").length, exitCode], [3001, 4]);
  const late = await runPacked(host, ["sleep", "30"], { timeoutMs: 1_500 });
  assert.deepEqual([late.ok, late.timedOut], [false, true]);
});

test("an answer that was cut short is none", async () => {
  const run = (stdout: string) => ({
    run: (argv: readonly string[]) =>
      Promise.resolve({ argv, exitCode: 0, stdout, stderr: "", ok: true } as unknown as Ended),
  });
  for (
    const stdout of [
      "packed\n",
      "packed\nnot base64 at all",
      "packed\nH4sIAAAAAAAAA8tIzcnJBwCGphA2",
    ]
  ) {
    const { ok, exitCode, stderr } = await runPacked(run(stdout), ["squeue"]);
    assert.deepEqual([ok, exitCode], [false, undefined]);
    assert.match(stderr, /What squeue printed cannot be unpacked/);
  }
});
