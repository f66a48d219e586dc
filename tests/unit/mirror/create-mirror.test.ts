import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { createMirror, type Mirror } from "../../../lib/mirror/create-mirror.ts";
import { MirrorError } from "../../../lib/mirror/mirror-error.ts";
import { workspacePaths } from "../../../lib/store/paths.ts";
import { createSshScene, type SshScene } from "../../support/ssh-scene.ts";
import { type Sshd, startSshd, withoutSshd } from "../../support/sshd.ts";

const onSshd = { skip: withoutSshd };

/** A workspace here, a folder there, a real server between them. */
interface MirrorScene {
  ssh: SshScene;
  server: Sshd;
  here: string;
  there: string;
  warnings: string[];
  mirror(more?: { here?: string; adopts?: boolean; patterns?: readonly string[] }): Mirror;
  write(path: string, text: string): void;
  read(path: string): string;
  writeThere(path: string, text: string): void;
  readThere(path: string): string;
}

async function scene(act: (scene: MirrorScene) => Promise<void>): Promise<void> {
  await using server = await startSshd();
  await using ssh = createSshScene();
  server.authorize(`${ssh.key("id_ed25519")}.pub`);
  ssh.trust(server);
  const here = join(ssh.home, "my sweep");
  const there = join(ssh.home, "far 'away' $HOME");
  const warnings: string[] = [];
  const write = (path: string, text: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  write(join(here, "hyperherd.yaml"), "name: test\n");
  write(join(here, "run.sh"), "echo hello\n");
  chmodSync(join(here, "run.sh"), 0o750);
  const mirrors: Mirror[] = [];
  await act({
    ...{ ssh, server, here, there, warnings },
    mirror({ here: root = here, adopts = false, patterns = ["src"] } = {}) {
      const made = createMirror({
        host: ssh.host(`127.0.0.1:${server.port}`),
        here: workspacePaths(root),
        pathsAt: (other) => workspacePaths(other),
        wish: () => ({
          path: there,
          name: "test",
          files: {
            needed: ["hyperherd.yaml", "run.sh"],
            patterns: patterns.filter((one) => existsSync(join(root, one))),
          },
        }),
        adopts,
        isWished: false,
        user: "ana",
        clock: createSystemClock(),
        log: (level, message) => level === "warn" ? void warnings.push(message) : undefined,
      });
      mirrors.push(made);
      return made;
    },
    write: (path, text) => write(join(here, path), text),
    read: (path) => readFileSync(join(here, path), "utf8"),
    writeThere: (path, text) => write(join(there, path), text),
    readThere: (path) => readFileSync(join(there, path), "utf8"),
  });
  for (const one of mirrors) await one[Symbol.asyncDispose]();
}

test(
  "what jobs need is there, with its mode; what was taken away goes",
  onSshd,
  () =>
    scene(async ({ mirror, write, readThere, there, here }) => {
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
    scene(async ({ mirror, writeThere, read, there, here }) => {
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
    scene(async ({ mirror, writeThere, read, there }) => {
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
    scene(async ({ mirror, write, writeThere, read, there }) => {
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
    scene(async ({ mirror, write, writeThere, readThere, warnings }) => {
      write("src/a.py", "mine\n");
      writeThere("src/a.py", "was here before\n");
      const one = mirror();
      assert.deepEqual((await one.push()).kept, ["src/a.py"]);
      assert.equal(readThere("src/a.py.there"), "was here before\n");
      writeThere("src/a.py", "changed there\n");
      write("src/a.py", "changed here\n");
      await one.push();
      assert.deepEqual(
        [readThere("src/a.py"), readThere("src/a.py.there")],
        ["changed here\n", "changed there\n"],
      );
      assert.equal(warnings.length, 2);
    }),
);

test(
  "two workspaces do not send from one folder, nor into one that herd runs in",
  onSshd,
  () =>
    scene(async ({ ssh, mirror, writeThere, there }) => {
      await mirror().open();
      const other = join(ssh.home, "other");
      mkdirSync(other);
      writeFileSync(join(other, "hyperherd.yaml"), "name: test\n");
      writeFileSync(join(other, "run.sh"), "");
      await assert.rejects(mirror({ here: other }).open(), /jobs are sent there from ana@/);
      await mirror({ here: other, adopts: true }).open();
      rmSync(join(there, ".hyperherd/mirror-of.json"));
      writeThere(".hyperherd/journal.jsonl", "{}\n");
      await assert.rejects(mirror().open(), /a sweep of its own/);
    }),
);

test(
  "a cut connection is an error that passes, and nothing is lost by it",
  onSshd,
  () =>
    scene(async ({ mirror, server, writeThere, read }) => {
      const one = mirror();
      await one.open();
      const long = "x".repeat(200_000);
      for (let i = 0; i < 40; i++) writeThere(`.hyperherd/logs/${i}.out`, `${i} ${long}\n`);
      const pulling = one.pull();
      setTimeout(server.cut, 60);
      const outcome = await pulling.then(() => "whole", (error: unknown) => error);
      if (outcome !== "whole") {
        assert.ok(outcome instanceof MirrorError && outcome.kind === "unreachable", `${outcome}`);
      }
      for (let tries = 0; tries < 20; tries++) {
        if (await one.pull().then(() => true, () => false)) break;
        await new Promise((next) => setTimeout(next, 200));
      }
      for (let i = 0; i < 40; i++) assert.equal(read(`.hyperherd/logs/${i}.out`), `${i} ${long}\n`);
    }),
);
