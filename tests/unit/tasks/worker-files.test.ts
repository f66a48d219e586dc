import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { FilePiece } from "../../../lib/tasks/exchange.ts";
import { LinkError } from "../../../lib/tasks/worker-link.ts";
import { createWorkerFiles } from "../../../lib/tasks/worker-files.ts";
import { removeTree } from "../../support/remove-tree.ts";

async function inScene(
  use: (scene: {
    root: string;
    sent: FilePiece[];
    files: ReturnType<typeof createWorkerFiles>;
    fail: (times: number) => void;
    pass: (ms: number) => void;
    until: (holds: () => boolean) => Promise<void>;
  }) => Promise<void>,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "herd-worker-files-"));
  const sent: FilePiece[] = [];
  let failures = 0;
  let now = 0;
  const folder = join(root, "tasks/t-1/1");
  mkdirSync(folder, { recursive: true });
  const files = createWorkerFiles({
    root,
    clock: { now: () => now },
    log: { write() {} },
    link: {
      exchange: () => Promise.reject(new Error("not here")),
      send(piece) {
        if (failures-- > 0) return Promise.reject(new LinkError("unreachable", "away"));
        sent.push({ ...piece, bytes: Uint8Array.from(piece.bytes) });
        const received = piece.from + piece.bytes.length;
        return Promise.resolve({ received, whole: piece.gone === true || received === 9 });
      },
    },
  });
  try {
    await use({
      ...{ root: folder, sent, files },
      fail: (times) => failures = times,
      pass: (ms) => now += ms,
      async until(holds) {
        const end = Date.now() + 5_000;
        while (!holds()) {
          assert.ok(Date.now() < end, "it never came about");
          await new Promise((next) => setImmediate(next));
        }
      },
    });
  } finally {
    await files[Symbol.asyncDispose]();
    removeTree(root);
  }
}

const wish = (path: string, from = 0) => ({ task: "t-1", epoch: 1, path, from });

test("a file is given from where the coordinator has it, and again after a link that broke", async () => {
  await inScene(async ({ root, sent, files, fail, until }) => {
    writeFileSync(join(root, "a.txt"), "012345678");
    fail(1);
    files.send([wish("a.txt")]);
    files.send([wish("a.txt")]);
    await new Promise((next) => setTimeout(next, 0));
    assert.equal(sent.length, 0);
    files.send([wish("a.txt", 4)]);
    await until(() => sent.length === 1);
    assert.equal(Buffer.from(sent[0]!.bytes).toString(), "45678");
  });
});

test("what is not in the attempt's folder is never given, whoever asks", async () => {
  await inScene(async ({ root, sent, files, until }) => {
    writeFileSync(join(root, "../../../secret"), "of the worker");
    mkdirSync(join(root, "../../../folder"));
    writeFileSync(join(root, "../../../folder/file"), "of the worker");
    symlinkSync("../../../secret", join(root, "link"));
    symlinkSync("../../../folder", join(root, "door"));
    const paths = ["../../../secret", "/etc/passwd", "link", "door/file", "none.txt", "."];
    files.send(paths.map((path) => wish(path)));
    files.send([{ task: "..", epoch: 1, path: "secret", from: 0 }]);
    await until(() => sent.length === paths.length + 1);
    assert.ok(sent.every(({ gone, bytes }) => gone === true && bytes.length === 0));
  });
});

test("folders are told of now and then, and only those that are over are removed", async () => {
  await inScene(({ root, files, pass }) => {
    mkdirSync(join(root, "../2"));
    assert.deepEqual(files.kept([{ task: "t-1", epoch: 2 }]), [{ task: "t-1", epoch: 1 }]);
    assert.equal(files.kept([]), undefined, "not each time");
    pass(600_000);
    assert.equal(files.kept([])?.length, 2);
    files.forget([{ task: "t-1", epoch: 1 }, { task: "t-1", epoch: 2 }], [
      { task: "t-1", epoch: 2 },
    ]);
    assert.deepEqual([existsSync(root), existsSync(join(root, "../2"))], [false, true]);
    files.forget([{ task: "../..", epoch: 1 }], []);
    assert.ok(existsSync(join(root, "..")));
    return Promise.resolve();
  });
});
