import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { RefusedError, UserError } from "../../../lib/base/errors.ts";
import { partPath, upload } from "../../../lib/deploy/upload.ts";
import { RemoteFileError } from "../../../lib/ssh/remote-files.ts";
import type { RemoteFiles } from "../../../lib/ssh/remote-files.ts";
import type { SshHost } from "../../../lib/ssh/ssh-host.ts";

const SIZE = 1_000;

/** A host whose only file is the part; `write` is what an upload does there. */
function scene(
  t: { after(act: () => void): void },
  { there = 0, write, whilePausing }: {
    there?: number;
    write(from: number, set: (size: number) => void): Promise<void>;
    whilePausing?: (set: (size: number) => void) => void;
  },
) {
  const folder = mkdtempSync(join(tmpdir(), "herd-upload-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "herd");
  writeFileSync(path, new Uint8Array(SIZE));
  let size = there;
  const removed: string[] = [];
  const set = (now: number) => void (size = now);
  const files = {
    stat: () => Promise.resolve(size === 0 ? undefined : { size }),
    write: (_: string, __: unknown, { from = 0 }) => write(from, set),
    remove: (name: string) => Promise.resolve(void removed.push(name)),
  } as unknown as RemoteFiles;
  const host = { name: "login", files, connect: () => Promise.resolve() } as unknown as SshHost;
  const said: string[] = [];
  const clock = {
    now: () => 0,
    sleep: () => Promise.resolve(whilePausing?.(set)),
  };
  const binary = { path, size: SIZE, sha256: "a".repeat(64), target: "x64" };
  const go = () =>
    upload(binary, partPath("/bin/herd", binary), {
      ...{ host, clock, signal: new AbortController().signal },
      say: (text) => void said.push(text),
      onProgress: () => {},
    });
  return { go, said, removed };
}

const cut = () => new RemoteFileError("LOST", "part", "The connection was cut");

test("pieces of another build gather elsewhere", () => {
  const [one, other] = ["a", "b"].map((digit) =>
    partPath("/bin/herd", { path: "", size: 1, sha256: digit.repeat(64), target: undefined })
  );
  assert.notEqual(one, other);
});

test("a cut goes on behind the last byte that is there", async (t) => {
  const starts: number[] = [];
  const { go, said } = scene(t, {
    there: 100,
    write(from, set) {
      starts.push(from);
      set(from + 300);
      return from + 300 >= SIZE ? Promise.resolve() : Promise.reject(cut());
    },
  });
  assert.deepEqual(await go(), { resumedFrom: 100 });
  assert.deepEqual(starts, [100, 400, 700]);
  assert.equal(said.length, 2);
});

test("a part of more bytes than the whole is no part of it", async (t) => {
  const { go } = scene(t, {
    there: SIZE + 1,
    write: (from) => Promise.resolve(assert.equal(from, 0)),
  });
  assert.deepEqual(await go(), { resumedFrom: 0 });
});

test("one that grows by itself is another deploy's", async (t) => {
  const { go } = scene(t, {
    there: 100,
    whilePausing: (set) => set(200),
    write: () => Promise.reject(new Error("not to be written")),
  });
  await assert.rejects(go(), (error: Error) => error instanceof RefusedError);
});

test("without a byte more it is given up, and what is there stays for the next time", async (t) => {
  let writes = 0;
  const { go, removed } = scene(t, {
    there: 100,
    write: () => Promise.reject((writes++, cut())),
  });
  await assert.rejects(go(), (error: UserError) => /same command goes on/.test(error.hint!));
  assert.ok(writes > 2 && writes < 10);
  assert.deepEqual(removed, []);
});

test("a full disk or quota is said, and what was begun is taken away", async (t) => {
  const { go, removed } = scene(t, {
    write: () => Promise.reject(new RemoteFileError("UNKNOWN", "part", "Cannot write: it failed")),
  });
  await assert.rejects(go(), (error: UserError) => /disk full, or a quota/.test(error.hint!));
  assert.equal(removed.length, 1);
});
