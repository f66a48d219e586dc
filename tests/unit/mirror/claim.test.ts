import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type MirrorScene, mirrorScene } from "../../support/far-mirror.ts";
import { withoutSshd } from "../../support/sshd.ts";

const onSshd = { skip: withoutSshd };

function otherWorkspace({ ssh }: MirrorScene): string {
  const other = join(ssh.home, "other");
  mkdirSync(other);
  writeFileSync(join(other, "hyperherd.yaml"), "name: test\n");
  writeFileSync(join(other, "run.sh"), "");
  return other;
}

test(
  "two workspaces do not send from one folder, nor into one that herd runs in",
  onSshd,
  () =>
    mirrorScene(async (scene) => {
      const { mirror, writeThere, readThere, there } = scene;
      await mirror().push();
      writeThere(".hyperherd/results/0/final.json", "theirs\n");
      const other = otherWorkspace(scene);
      await assert.rejects(mirror({ here: other }).open(), /jobs are sent there from ana@/);
      const second = mirror({ here: other, adopts: true });
      await second.push();
      // Its results would be taken for those of the new sweep.
      assert.equal((await second.pull()).files, 0);
      const [aside = ""] = readdirSync(there).filter((name) =>
        name.startsWith(".hyperherd.before")
      );
      assert.equal(readThere(join(aside, "results/0/final.json")), "theirs\n");
      rmSync(join(there, ".hyperherd/mirror-of.json"));
      writeThere(".hyperherd/journal.jsonl", "{}\n");
      await assert.rejects(mirror().open(), /a sweep of its own/);
    }),
);

test(
  "who was there first notices that another one took the folder: nothing is sent or fetched",
  onSshd,
  () =>
    mirrorScene(async (scene) => {
      const { mirror, writeThere, write, readThere, here } = scene;
      const first = mirror();
      await first.push();
      const second = mirror({ here: otherWorkspace(scene), adopts: true });
      await second.push();
      writeThere(".hyperherd/results/0/final.json", "theirs\n");
      write("run.sh", "mine\n");
      write(".hyperherd/results/0/_signal", "prune\n");
      await assert.rejects(first.push(), /jobs are sent there from ana@.*other/);
      await assert.rejects(first.tell(), /jobs are sent there from/);
      await assert.rejects(first.pull(), /jobs are sent there from/);
      assert.notEqual(readThere("run.sh"), "mine\n");
      assert.ok(!existsSync(join(here, ".hyperherd/results/0/final.json")));
    }),
);

test(
  "a copied workspace does not send where the original does; one that took its place says so",
  onSshd,
  () =>
    mirrorScene(async ({ mirror, ssh, here }) => {
      const original = mirror();
      await original.push();
      await original[Symbol.asyncDispose]();
      const copy = join(ssh.home, "copy");
      cpSync(here, copy, { recursive: true });
      await assert.rejects(mirror({ here: copy }).open(), /of which this folder is a copy/);
      const restored = mirror({ here: copy, adopts: true });
      // What was sent from the original is there still.
      assert.equal((await restored.push()).files, 0);
      await assert.rejects(mirror().open(), /of which this folder is a copy/);
    }),
);

test(
  "a folder there that is deleted is told, and made anew with all that jobs need",
  onSshd,
  () =>
    mirrorScene(async ({ mirror, write, there, readThere, warnings }) => {
      write("src/a.py", "a\n");
      const one = mirror();
      await one.push();
      rmSync(there, { recursive: true });
      await assert.rejects(one.pull(), /is not there any more/);
      const { files } = await one.push();
      assert.equal(files, 3);
      assert.equal(readThere("src/a.py"), "a\n");
      assert.match(warnings.join("\n"), /was removed: it is made anew/);
      assert.ok((await one.pull()).isWhole);
    }),
);

test(
  "what jobs wrote before the folder there was removed, or before the sweep moved, stays here",
  onSshd,
  () =>
    mirrorScene(async ({ mirror, there, writeThere, read }) => {
      const one = mirror();
      await one.push();
      writeThere(".hyperherd/logs/0.out", "attempt 1, a long one\n");
      await one.pull();
      rmSync(there, { recursive: true });
      await one.push();
      writeThere(".hyperherd/logs/0.out", "attempt 2\n");
      await one.pull();
      assert.equal(read(".hyperherd/logs/0.out"), "attempt 1, a long one\nattempt 2\n");
      await one[Symbol.asyncDispose]();
      const moved = mirror({ there: `${there} too` });
      await moved.push();
      writeFileSync(`${there} too/.hyperherd/logs/0.out`, "attempt 3\n");
      await moved.pull();
      assert.match(read(".hyperherd/logs/0.out"), /attempt 1.*\nattempt 2\nattempt 3\n/);
    }),
);

test(
  "a workspace that was cleaned begins anew there: what the last sweep wrote is put aside",
  onSshd,
  () =>
    mirrorScene(async ({ mirror, here, writeThere, there }) => {
      const one = mirror();
      await one.push();
      await one[Symbol.asyncDispose]();
      writeThere(".hyperherd/results/0/final.json", "of the last sweep\n");
      rmSync(join(here, ".hyperherd"), { recursive: true });
      const next = mirror();
      await next.push();
      assert.equal((await next.pull()).files, 0);
      assert.ok(readdirSync(there).some((name) => name.startsWith(".hyperherd.before-")));
    }),
);

test(
  "a memory that was lost while jobs live takes nothing from them, and what is there comes again",
  onSshd,
  () =>
    mirrorScene(async ({ mirror, here, writeThere, read }) => {
      const one = mirror();
      await one.push();
      await one[Symbol.asyncDispose]();
      writeThere(".hyperherd/logs/0.out", "line\n");
      writeFileSync(join(here, ".hyperherd/mirror.json"), '{"v": 1, "id');
      const next = mirror({ isLive: true });
      assert.deepEqual(await next.pull().then(({ files }) => files), 1);
      assert.equal(read(".hyperherd/logs/0.out"), "line\n");
      assert.deepEqual((await next.push()).kept, []);
    }),
);

test(
  "killed right after it took the folder, herd knows that it did",
  onSshd,
  () =>
    mirrorScene(async ({ mirror, ssh, there, writeThere, here }) => {
      const host = ssh.here();
      const cut = { ...host, files: { ...host.files } };
      cut.files.replace = async (path, bytes, mode) => {
        await host.files.replace(path, bytes, mode);
        if (path.endsWith("mirror-of.json")) throw new Error("killed");
      };
      await assert.rejects(mirror({ host: cut }).open(), /killed/);
      assert.ok(existsSync(join(there, ".hyperherd/mirror-of.json")));
      assert.ok(existsSync(join(here, ".hyperherd/mirror.json")));
      writeThere(".hyperherd/logs/0.out", "line\n");
      // A life that did not know its id would put what jobs wrote aside.
      const next = mirror();
      assert.equal((await next.pull()).files, 1);
    }),
);
