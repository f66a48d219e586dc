import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { RemoteFileError } from "../../../lib/ssh/remote-files.ts";
import { SshError } from "../../../lib/ssh/ssh-error.ts";
import { hostileWords, randomHostileWords } from "../../support/hostile-words.ts";
import { seeded } from "../../support/random-text.ts";
import { openSshdScene, troubled } from "../../support/sshd-scene.ts";
import { withoutSshd } from "../../support/sshd.ts";

const onSshd = { skip: withoutSshd };
const CANARY = join(tmpdir(), `herd-canary-sftp-${process.pid}`);
/** Of at most 255 bytes, as a file's name may be. */
const NAMES = [
  ...new Set(
    [
      ...hostileWords(CANARY),
      ...randomHostileWords(seeded(11), { canary: CANARY, count: 60 }),
    ].map((word) => word.replaceAll("/", "∕"))
      .filter((name) => name !== "" && Buffer.byteLength(name) < 256 && !/^\.+$/.test(name)),
  ),
];

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (error) {
    assert.ok(error instanceof RemoteFileError, `${error}`);
    return error.code;
  }
}

test("names of every kind are made, listed, moved and removed as they are", onSshd, async () => {
  await using scene = await openSshdScene();
  const { files } = scene.here();
  const folder = join(scene.home, "deep/er/still");
  await files.makeFolder(folder, { parents: true });
  await files.makeFolder(folder, { parents: true });
  for (const name of NAMES) await files.write(join(folder, name), new TextEncoder().encode(name));
  const listed = await files.list(folder);
  assert.deepEqual(listed.map(({ name }) => name).sort(), [...NAMES].sort());
  for (const name of NAMES) {
    assert.equal(Buffer.from(await files.readBytes(join(folder, name))).toString(), name);
    await files.rename(join(folder, name), join(folder, "target"));
  }
  assert.equal(readFileSync(join(folder, "target"), "utf8"), NAMES.at(-1));
  await files.remove(join(folder, "target"));
  await files.removeFolder(folder);
  assert.equal(existsSync(folder), false);
  assert.equal(existsSync(CANARY), false);
});

test(
  "a folder in which nothing can be made is an error, and no endless effort",
  onSshd,
  async () => {
    await using scene = await openSshdScene();
    // As below the mount point of an automounter.
    const making = scene.here().files.makeFolder("/proc/herd/a/b", { parents: true });
    await assert.rejects(making, /Cannot make "\/proc\/herd"/);
  },
);

test(
  "a name that is no UTF-8 is listed, does no harm to others, and is refused by itself",
  onSshd,
  async () => {
    await using scene = await openSshdScene();
    const { files } = scene.here();
    const folder = join(scene.home, "latin");
    mkdirSync(folder);
    writeFileSync(join(folder, "plain"), "x");
    execFileSync("sh", ["-c", 'echo y > "$1/$(printf "caf\\351")"', "sh", folder]);
    const listed = (await files.list(folder)).map(({ name }) => name).sort();
    assert.deepEqual(listed, ["caf\u{fffd}", "plain"]);
    assert.equal(await codeOf(files.readBytes(join(folder, "caf\u{fffd}"))), "ENOENT");
    assert.equal((await files.readBytes(join(folder, "plain"))).length, 1);
  },
);

test(
  "what a file is comes out: kind, size, mode, link or target, or that there is none",
  onSshd,
  async () => {
    await using scene = await openSshdScene();
    const { files } = scene.here();
    const path = join(scene.home, "f");
    await files.write(path, new Uint8Array(5), { mode: 0o600 });
    await files.chmod(path, 0o4755);
    symlinkSync("f", join(scene.home, "l"));
    assert.deepEqual([(await files.stat(path))?.size, (await files.stat(path))?.mode], [5, 0o4755]);
    assert.equal((await files.linkStat(join(scene.home, "l")))?.kind, "link");
    assert.equal((await files.stat(join(scene.home, "l")))?.kind, "file");
    assert.equal(await files.readLink(join(scene.home, "l")), "f");
    assert.equal((await files.stat(scene.home))?.kind, "folder");
    assert.equal(await files.stat(join(scene.home, "none")), undefined);
    assert.equal(await files.realPath(join(scene.home, "..", ".")), join(scene.home, ".."));
  },
);

test("a failure says which and of what; the error is not the server's alone", onSshd, async () => {
  await using scene = await openSshdScene();
  const { files } = scene.here();
  mkdirSync(join(scene.home, "full"));
  writeFileSync(join(scene.home, "full/x"), "");
  assert.equal(await codeOf(files.readBytes(join(scene.home, "none"))), "ENOENT");
  assert.equal(await codeOf(files.write(join(scene.home, "no/f"), new Uint8Array(1))), "ENOENT");
  assert.equal(await codeOf(files.makeFolder(join(scene.home, "full"))), "EEXIST");
  assert.equal(
    await codeOf(files.makeFolder(join(scene.home, "full/x"), { parents: true })),
    "EEXIST",
  );
  assert.equal(await codeOf(files.removeFolder(join(scene.home, "full"))), "UNKNOWN");
  assert.equal(await codeOf(files.stat("a\0b")), "EINVAL");
  assert.equal(await codeOf(files.remove("")), "EINVAL");
});

test("many megabytes go up and come down the same, and from any place", onSshd, async () => {
  await using scene = await openSshdScene();
  const { files } = scene.here();
  const path = join(scene.home, "big");
  const bytes = new Uint8Array(randomBytes(6 * 1024 * 1024 + 17));
  const progress: number[] = [];
  const end = await files.write(path, bytes, { onProgress: (at) => progress.push(at) });
  assert.equal(end, bytes.length);
  assert.equal(progress.at(-1), bytes.length);
  assert.deepEqual(progress, [...progress].sort((one, other) => one - other));
  assert.equal(Buffer.compare(readFileSync(path), bytes), 0);
  assert.equal(Buffer.compare(await files.readBytes(path), bytes), 0);
  for (const [from, length] of [[0, 0], [1, 1], [32767, 2], [5_000_000, 9e6], [9e9, 1]] as const) {
    const part = await files.readBytes(path, { from, length });
    assert.equal(
      Buffer.compare(part, bytes.subarray(from, from + length)),
      0,
      `${from}, ${length}`,
    );
  }
});

test("an upload that was cut goes on where it stopped", onSshd, async () => {
  await using scene = await openSshdScene();
  const { proxy, host } = await troubled(scene);
  await using _ = proxy;
  const path = join(scene.home, "big");
  const bytes = new Uint8Array(randomBytes(4 * 1024 * 1024));
  await host.connect();
  proxy.cutAfter = proxy.sent + 1_500_000;
  await assert.rejects(
    host.files.write(path, bytes),
    (error) => error instanceof RemoteFileError && error.code === "LOST",
  );
  const from = (await host.files.stat(path))!.size;
  assert.ok(from > 0 && from < bytes.length, `${from}`);
  assert.equal(await host.files.write(path, bytes.subarray(from), { from }), bytes.length);
  assert.equal(Buffer.compare(readFileSync(path), bytes), 0);
});

test("a download that is cut says so, and goes on from any place", onSshd, async () => {
  await using scene = await openSshdScene();
  const { proxy, host } = await troubled(scene);
  await using _ = proxy;
  const path = join(scene.home, "big");
  const bytes = new Uint8Array(randomBytes(8 * 1024 * 1024));
  writeFileSync(path, bytes);
  await host.connect();
  const came: Uint8Array[] = [];
  const cut = (async () => {
    for await (const piece of host.files.read(path)) {
      if (came.push(piece) === 1) proxy.cut();
    }
  })();
  assert.equal(await codeOf(cut), "LOST");
  const from = came.reduce((sum, { length }) => sum + length, 0);
  assert.ok(from > 0 && from < bytes.length, `${from}`);
  came.push(await host.files.readBytes(path, { from }));
  assert.equal(Buffer.compare(Buffer.concat(came), bytes), 0);
});

test("writing from a place cuts off what stood behind", onSshd, async () => {
  await using scene = await openSshdScene();
  const path = join(scene.home, "f");
  writeFileSync(path, "0123456789");
  await scene.here().files.write(path, new TextEncoder().encode("ab"), { from: 4 });
  assert.equal(readFileSync(path, "utf8"), "0123ab");
});

test("a replaced file is never half there, and its mode is the wanted one", onSshd, async () => {
  await using scene = await openSshdScene();
  const { files } = scene.here();
  const path = join(scene.home, "f");
  await files.replace(path, new TextEncoder().encode("one"), 0o640);
  await files.replace(path, new TextEncoder().encode("two"), 0o640);
  assert.equal(readFileSync(path, "utf8"), "two");
  assert.equal(statSync(path).mode & 0o777, 0o640);
  assert.deepEqual((await files.list(scene.home)).map(({ name }) => name).sort(), [".ssh", "f"]);
});

test("a reader that stops early leaves the channel usable", onSshd, async () => {
  await using scene = await openSshdScene();
  const { files } = scene.here();
  const path = join(scene.home, "big");
  writeFileSync(path, new Uint8Array(3_000_000));
  for (let turn = 0; turn < 20; turn++) {
    for await (const piece of files.read(path)) if (piece.length > 0) break;
  }
  assert.equal((await files.readBytes(path)).length, 3_000_000);
});

test("a host without SFTP says so, and goes on running programs", onSshd, async () => {
  await using scene = await openSshdScene({ shell: "/bin/sh" });
  const host = scene.here();
  await assert.rejects(
    host.files.stat("."),
    (error) => error instanceof SshError && error.step === "channel",
  );
  assert.equal((await host.run(["true"])).ok, true);
  chmodSync(scene.home, 0o700);
});
