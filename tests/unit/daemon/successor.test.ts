import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { RefusedError } from "../../../lib/base/errors.ts";
import { HANDOVER_VERSION } from "../../../lib/base/build.ts";
import { proveSuccessor } from "../../../lib/daemon/successor.ts";

function executable(t: { after(act: () => void): void }, script: string): string {
  const folder = mkdtempSync(join(tmpdir(), "herd-successor-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "herd");
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

const saying = (document: unknown) => `echo '${JSON.stringify(document)}'`;

test("a daemon becomes only what starts and understands what it is handed", async (t) => {
  const facts = { version: "2.0.0", commit: "abcdefg", handover: HANDOVER_VERSION };
  assert.equal(await proveSuccessor([executable(t, saying(facts))]), "2.0.0 (commit abcdefg)");
  const cases: [string, RegExp][] = [
    ["exit 1", /does not start/],
    ["echo hello", /is no herd/],
    [saying({ name: "other" }), /is no herd/],
    [saying({ version: "0.1.0", commit: "old" }), /herd 0\.1\.0, which cannot take over/],
    [saying({ ...facts, handover: HANDOVER_VERSION + 1 }), /cannot take over/],
  ];
  for (const [script, why] of cases) {
    await assert.rejects(proveSuccessor([executable(t, script)]), (error: Error) => {
      assert.ok(error instanceof RefusedError);
      assert.match(error.message, why);
      return true;
    });
  }
  await assert.rejects(proveSuccessor(["/nowhere/herd"]), /does not start/);
});
