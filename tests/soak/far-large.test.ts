import assert from "node:assert/strict";
import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { mirrorScene } from "../support/far-mirror.ts";
import { withoutSshd } from "../support/sshd.ts";

const MIB = 1024 * 1024;

function hashOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

test(
  "a log of 300 MB and 5,000 results come through ssh, in little memory",
  { skip: withoutSshd },
  () =>
    mirrorScene(async ({ mirror, there, here, writeThere }) => {
      const one = mirror();
      await one.open();
      mkdirSync(join(there, ".hyperherd/logs"), { recursive: true });
      const log = openSync(join(there, ".hyperherd/logs/0.out"), "w");
      for (let i = 0; i < 300; i++) writeSync(log, randomBytes(MIB));
      closeSync(log);
      for (let i = 0; i < 5_000; i++) {
        writeThere(`.hyperherd/results/${i % 500}/v${i}.json`, `{"v": ${i}}`);
      }
      const before = process.memoryUsage().rss;
      let most = 0;
      const watch = setInterval(
        () => most = Math.max(most, process.memoryUsage().rss - before),
        50,
      );
      const started = Date.now();
      const { files, isWhole } = await one.pull({ untilWhole: true });
      clearInterval(watch);
      console.log(`${Date.now() - started} ms, at most ${Math.round(most / MIB)} MiB more`);
      assert.deepEqual([isWhole, files >= 5_001], [true, true]);
      assert.ok(most < 200 * MIB, `${most / MIB} MiB`);
      assert.equal(statSync(join(here, ".hyperherd/logs/0.out")).size, 300 * MIB);
      const path = ".hyperherd/logs/0.out";
      assert.equal(hashOf(join(here, path)), hashOf(join(there, path)));
    }),
);
