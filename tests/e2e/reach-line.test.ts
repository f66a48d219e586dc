import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { runProcess } from "../../lib/base/process.ts";
import { HERD } from "../support/herd.ts";
import { openLossyLine, withoutLossyLine } from "../support/lossy-line.ts";
import { openReachScene } from "../support/reach-scene.ts";
import { withoutSshd } from "../support/sshd.ts";

/** In each direction. */
const DELAY_MS = 30;

test("a line that is slow and loses packets delays and changes nothing", {
  skip: withoutSshd || withoutLossyLine(),
}, async () => {
  await using line = await openLossyLine({ delayMs: DELAY_MS, loss: 0.03, seed: 1 });
  await using scene = await openReachScene({ line });
  const near = (command: string) =>
    runProcess([...line.near, "bash", "-c", command, "bash", HERD], {
      env: scene.here.env,
      timeoutMs: 90_000,
    });
  const begun = performance.now();
  const told = JSON.parse((await near('"$1" --host login version --json')).stdout);
  assert.equal(told.platform, `linux-${process.arch}`);
  assert.ok(performance.now() - begun > 10 * DELAY_MS, "the line is as slow as it should be");

  const bytes = randomBytes(100_000);
  const hash = createHash("sha256").update(bytes).digest("hex");
  const file = join(scene.here.env["HOME"]!, "bytes");
  writeFileSync(file, bytes);
  const there = await near(`"$1" --host login keep < '${file}'; echo $?`);
  assert.equal(there.stdout.trim(), "0", there.stderr);
  assert.deepEqual(readFileSync(join(scene.there, "kept")), bytes);
  const back = await near('"$1" --host login kept | sha256sum');
  assert.match(back.stdout, new RegExp(`^${hash}`), back.stderr);

  const checked = await near('"$1" hosts check login --json');
  assert.equal(JSON.parse(checked.stdout).ok, true, checked.stdout);
});
