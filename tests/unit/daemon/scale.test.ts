import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createScale } from "../../../lib/daemon/scale.ts";

const never = new AbortController().signal;

/** In the place of herd itself, a script with this body. */
async function scaling<T>(
  body: string,
  use: (scale: ReturnType<typeof createScale>) => Promise<T>,
) {
  const folder = mkdtempSync(join(tmpdir(), "herd-scale-"));
  const program = join(folder, "herd");
  writeFileSync(program, `#!/bin/sh\n${body}\n`);
  chmodSync(program, 0o755);
  const logged: string[] = [];
  const log = { write: (_: string, message: string) => void logged.push(message) };
  try {
    return { result: await use(createScale({ self: [program], log })), logged };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the bytes go to a process of its own with the side that is wanted, and its picture comes back", async () => {
  const { result, logged } = await scaling(
    `test "$*" = "draw --shrink 800" && printf '{"jpeg":"%s"}' "$(cat)"`,
    (scale) => scale(Uint8Array.of(1, 2, 255), 800, never),
  );
  assert.deepEqual(result, { jpeg: Uint8Array.of(1, 2, 255) });
  assert.deepEqual(logged, []);
});

test("a refusal is passed on; a crash, nonsense or a missing program is a value and logged", async () => {
  const one = (scale: ReturnType<typeof createScale>) => scale(new Uint8Array(9), 800, never);
  const refused = await scaling(`cat > /dev/null; echo '{"cannot":"it is odd"}'`, one);
  assert.deepEqual(refused, { result: { cannot: "it is odd" }, logged: [] });
  for (
    const body of ["kill -9 $$", "exit 1", "echo nonsense", `echo '{"jpeg":5}'`, "exec /nowhere"]
  ) {
    const { result, logged } = await scaling(body, one);
    assert.deepEqual(result, { cannot: "its decoder gave up" });
    assert.equal(logged.length, 1, body);
  }
});

test("no secret of the daemon is in the process's environment", async () => {
  process.env["HERD_SCALE_SECRET"] = "token";
  try {
    const { result } = await scaling(
      `cat > /dev/null; printf '{"cannot":"%s"}' "[$HERD_SCALE_SECRET]"`,
      (scale) => scale(new Uint8Array(1), 800, never),
    );
    assert.deepEqual(result, { cannot: "[]" });
  } finally {
    delete process.env["HERD_SCALE_SECRET"];
  }
});

test("one at a time, in order; a cancelled one does not hold the others up", async () => {
  const stop = new AbortController();
  const { result } = await scaling(
    `cat > /dev/null; d=$(dirname "$0"); mkdir "$d/busy" || exit 1; rmdir "$d/busy"; echo '{"cannot":"ok"}'`,
    (scale) => {
      stop.abort();
      return Promise.all([
        scale(new Uint8Array(1), 800, never),
        scale(new Uint8Array(1), 800, stop.signal),
        scale(new Uint8Array(1), 800, never),
      ]);
    },
  );
  assert.deepEqual(result, [{ cannot: "ok" }, { cannot: "it was cancelled" }, { cannot: "ok" }]);
});
