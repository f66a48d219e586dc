import assert from "node:assert/strict";
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { MirrorError } from "../../../lib/mirror/mirror-error.ts";
import { RemoteFileError } from "../../../lib/ssh/remote-files.ts";
import { mirrorScene } from "../../support/far-mirror.ts";
import { withoutSshd } from "../../support/sshd.ts";

const onSshd = { skip: withoutSshd };

test(
  "what jobs need is there, with its mode; what was taken away goes",
  onSshd,
  () =>
    mirrorScene(async ({ mirror, write, readThere, there, here }) => {
      write("src/a.py", "a = 1\n");
      write(".hyperherd/submissions/s1/job.sbatch", "#!/bin/bash\n");
      write(".hyperherd/results/3/_signal", "prune\n");
      write(".hyperherd/results/2.json", "{}\n");
      const one = mirror();
      const first = await one.push();
      assert.equal(first.files, 5);
      assert.equal(readThere("src/a.py"), "a = 1\n");
      assert.equal(statSync(join(there, "run.sh")).mode & 0o777, 0o750);
      assert.equal(statSync(join(there, ".hyperherd")).mode & 0o777, 0o700);
      assert.ok(existsSync(join(there, ".hyperherd/events/s1")));
      assert.equal(readThere(".hyperherd/manifest.json"), "[]\n", "trainers look for it");
      assert.deepEqual(await one.push(), { files: 0, bytes: 0, kept: [] });
      write("src/a.py", "a = 2\n");
      rmSync(join(here, ".hyperherd/results/3/_signal"));
      assert.equal((await one.push()).files, 1);
      assert.equal(readThere("src/a.py"), "a = 2\n");
      assert.ok(!existsSync(join(there, ".hyperherd/results/3/_signal")));
    }),
);

test(
  "what jobs write comes here, each byte once",
  onSshd,
  () =>
    mirrorScene(async ({ mirror, writeThere, read, there, here }) => {
      const one = mirror();
      await one.open();
      writeThere(".hyperherd/logs/0.out", "line one\n");
      writeThere(".hyperherd/results/0/stream/lo ss.jsonl", "1\n");
      writeThere(".hyperherd/events/s1/0.tsv", "start\n");
      const first = await one.pull();
      assert.deepEqual([first.files, first.bytes], [3, 17]);
      assert.ok(Math.abs(first.skewMs) < 2_000, `${first.skewMs}`);
      appendFileSync(join(there, ".hyperherd/logs/0.out"), "line two\n");
      const second = await one.pull();
      assert.deepEqual([second.files, second.bytes], [1, 9]);
      assert.equal(read(".hyperherd/logs/0.out"), "line one\nline two\n");
      // A heartbeat: the record is touched and nothing is written.
      const later = Date.now() / 1000 + 40;
      utimesSync(join(there, ".hyperherd/events/s1/0.tsv"), later, later);
      assert.equal((await one.pull()).files, 0);
      const seen = statSync(join(here, ".hyperherd/events/s1/0.tsv")).mtimeMs / 1000;
      assert.ok(Math.abs(seen - later) < 2, `${seen} ${later}`);
      assert.equal((await one.pull()).files, 0);
    }),
);

test(
  "a file that another one took the place of is fetched whole",
  onSshd,
  () =>
    mirrorScene(async ({ mirror, writeThere, read, there }) => {
      const one = mirror();
      await one.open();
      writeThere(".hyperherd/results/0/final.json", "old and long\n");
      await one.pull();
      writeThere(".hyperherd/results/0/next", "new\n");
      renameSync(
        join(there, ".hyperherd/results/0/next"),
        join(there, ".hyperherd/results/0/final.json"),
      );
      await one.pull();
      assert.equal(read(".hyperherd/results/0/final.json"), "new\n");
      assert.ok(!existsSync(join(there, ".hyperherd/results/0/final.json.coming")));
    }),
);

test(
  "another life of herd goes on where the last one was, and fetches nothing twice",
  onSshd,
  () =>
    mirrorScene(async ({ mirror, write, writeThere, read, there }) => {
      write("src/a.py", "a\n");
      const first = mirror();
      await first.push();
      writeThere(".hyperherd/logs/0.out", "one\n");
      await first.pull();
      await first[Symbol.asyncDispose]();
      appendFileSync(join(there, ".hyperherd/logs/0.out"), "two\n");
      const second = mirror();
      assert.equal((await second.push()).files, 0);
      assert.deepEqual(await second.pull().then(({ files, bytes }) => [files, bytes]), [1, 4]);
      assert.equal(read(".hyperherd/logs/0.out"), "one\ntwo\n");
    }),
);

test(
  "what somebody changed there is kept beside it, and told",
  onSshd,
  () =>
    mirrorScene(async ({ mirror, write, writeThere, readThere, warnings }) => {
      write("src/a.py", "mine\n");
      writeThere("src/a.py", "was here before\n");
      const one = mirror();
      assert.deepEqual((await one.push()).kept, [{ path: "src/a.py", as: "src/a.py.there" }]);
      assert.equal(readThere("src/a.py.there"), "was here before\n");
      writeThere("src/a.py", "changed there\n");
      write("src/a.py", "changed here\n");
      await one.push();
      assert.deepEqual(
        [readThere("src/a.py"), readThere("src/a.py.there-2")],
        ["changed here\n", "changed there\n"],
      );
      assert.equal(warnings.length, 2);
    }),
);

test(
  "a cut connection is an error that passes, and nothing is lost by it",
  onSshd,
  () =>
    mirrorScene(async ({ mirror, ssh, writeThere, read }) => {
      const one = mirror();
      await one.open();
      const long = "x".repeat(200_000);
      for (let i = 0; i < 40; i++) writeThere(`.hyperherd/logs/${i}.out`, `${i} ${long}\n`);
      const pulling = one.pull();
      setTimeout(ssh.server.cut, 60);
      const outcome = await pulling.then(() => "whole", (error: unknown) => error);
      if (outcome !== "whole") {
        assert.ok(outcome instanceof MirrorError && outcome.kind === "unreachable", `${outcome}`);
      }
      await untilItWorks(() => one.pull());
      for (let i = 0; i < 40; i++) assert.equal(read(`.hyperherd/logs/${i}.out`), `${i} ${long}\n`);
    }),
);

test(
  "what jobs are told goes at once and takes no code with it; a life that was killed owes it still",
  onSshd,
  () =>
    mirrorScene(async ({ mirror, write, readThere, there }) => {
      write("src/a.py", "one\n");
      const first = mirror();
      await first.push();
      write("src/a.py", "edited while jobs run\n");
      write(".hyperherd/results/3/_signal", "prune\n");
      await first.tell();
      assert.deepEqual(
        [readThere("src/a.py"), readThere(".hyperherd/results/3/_signal")],
        ["one\n", "prune\n"],
      );
      // Killed before it could bring this one there.
      write(".hyperherd/results/4/_signal", "pause\n");
      await mirror().pull();
      assert.equal(readThere(".hyperherd/results/4/_signal"), "pause\n");
      assert.ok(existsSync(join(there, "src/a.py")), "nothing of sync was taken away");
    }),
);

test(
  "a YAML that is broken keeps no job from being told, and nothing from coming",
  onSshd,
  () =>
    mirrorScene(async ({ mirror, write, writeThere, readThere, read }) => {
      const one = mirror({
        wish() {
          throw new UserError("Cannot read the YAML");
        },
      });
      write(".hyperherd/submissions/s1/void", "");
      await one.tell();
      assert.equal(readThere(".hyperherd/submissions/s1/void"), "");
      writeThere(".hyperherd/logs/0.out", "one\n");
      await one.pull();
      assert.equal(read(".hyperherd/logs/0.out"), "one\n");
      await assert.rejects(one.push(), /Cannot read the YAML/);
    }),
);

test(
  "what was sent by a life that could not write it down is not sent again, nor kept as somebody's",
  onSshd,
  () =>
    mirrorScene(async ({ mirror, write, here }) => {
      write("src/a.py", "one\n");
      await mirror().push();
      const memory = join(here, ".hyperherd/mirror.json");
      const before = readFileSync(memory);
      // Of another length: SFTP tells times in whole seconds.
      write("src/a.py", "second\n");
      const second = mirror();
      await second.push();
      await second[Symbol.asyncDispose]();
      writeFileSync(memory, before);
      assert.deepEqual(await mirror().push(), { files: 0, bytes: 0, kept: [] });
    }),
);

test(
  "a black hole is noticed in time, and a write that it cut in half is never taken for whole",
  onSshd,
  () =>
    mirrorScene(async (scene) => {
      const { mirror, write, there, readThere } = scene;
      const { proxy, host } = await scene.troubled(
        "ServerAliveInterval 1\nServerAliveCountMax 2\n",
      );
      const one = mirror({ host });
      write("src/model.py", "old\n");
      await one.push();
      const text = "new\n".repeat(1_000_000);
      write("src/model.py", text);
      const begun = Date.now();
      const sent = proxy.sent;
      const pushing = one.push().then(() => "whole", (error: Error) => error);
      while (proxy.sent < sent + 500_000) await new Promise((next) => setTimeout(next, 1));
      proxy.freeze();
      const outcome = await pushing;
      assert.ok(outcome instanceof MirrorError && outcome.kind === "unreachable", `${outcome}`);
      assert.ok(Date.now() - begun < 8_000, `${Date.now() - begun} ms`);
      assert.equal(readThere("src/model.py"), "old\n");
      // What was on its way arrives late, when nobody waits for it any more.
      proxy.thaw();
      await untilItWorks(() => one.push());
      assert.equal(readThere("src/model.py"), text);
      assert.deepEqual(readdirSync(join(there, "src")).filter((name) => name.endsWith(".py")), [
        "model.py",
      ]);
    }),
);

test(
  "a disk there that is full is told with what to look at, takes no room, and is filled when there is some",
  onSshd,
  () =>
    mirrorScene(async ({ mirror, ssh, write, there, readThere }) => {
      const host = ssh.here();
      const full = { ...host, files: { ...host.files } };
      let isFull = true;
      full.files.write = async (path, bytes, options) => {
        if (!isFull || !path.endsWith(".coming")) {
          return await host.files.write(path, bytes, options);
        }
        await host.files.write(path, new Uint8Array(10), options);
        throw new RemoteFileError("UNKNOWN", path, `Cannot write "${path}" there: failure`);
      };
      write("src/a.py", "a\n");
      const one = mirror({ host: full });
      await assert.rejects(one.push(), (error) =>
        error instanceof MirrorError && error.kind === "unusable" &&
        /disk there full.*quota/.test(error.hint ?? ""));
      const left = readdirSync(join(there, "src")).filter((name) =>
        name.endsWith(".coming")
      );
      assert.deepEqual(left, []);
      isFull = false;
      await one.push();
      assert.equal(readThere("src/a.py"), "a\n");
    }),
);

test(
  "a file that may not be read here is named, with how to leave it out",
  onSshd,
  () =>
    mirrorScene(async ({ mirror, write, here }) => {
      write("src/a.py", "a\n");
      const hidden = join(here, "src/a.py");
      const one = mirror({
        wish() {
          // Gone between the listing and the reading, which even root cannot read.
          setTimeout(() => rmSync(hidden, { force: true }));
          return { needed: ["hyperherd.yaml"], patterns: ["src"] };
        },
      });
      await assert.rejects(one.push(), (error) =>
        error instanceof MirrorError && /Cannot send "src\/a\.py"/.test(error.message) &&
        /"sync"/.test(error.hint ?? ""));
    }),
);

test(
  "one session at a time is enough",
  onSshd,
  () =>
    mirrorScene(async ({ mirror, write, writeThere, read, readThere }) => {
      const one = mirror();
      write("src/a.py", "a\n");
      const pushing = one.push();
      writeThere(".hyperherd/logs/0.out", "one\n");
      await Promise.all([pushing, one.pull(), one.tell(), one.pull()]);
      assert.equal(readThere("src/a.py"), "a\n");
      await one.pull();
      assert.equal(read(".hyperherd/logs/0.out"), "one\n");
    }, { config: ["MaxSessions 1"] }),
);

test(
  "a server without SFTP is told, with what to do",
  onSshd,
  () =>
    mirrorScene(async ({ mirror }) => {
      await assert.rejects(mirror().open(), (error) =>
        error instanceof MirrorError && error.kind === "unusable" &&
        /Cannot open SFTP/.test(error.message) && /sftp subsystem/.test(error.hint ?? ""));
    }, { shell: "/bin/bash" }),
);

async function untilItWorks<T>(act: () => Promise<T>): Promise<T> {
  for (let tries = 0;; tries++) {
    try {
      return await act();
    } catch (error) {
      if (tries > 20) throw error;
      await new Promise((next) => setTimeout(next, 200));
    }
  }
}
