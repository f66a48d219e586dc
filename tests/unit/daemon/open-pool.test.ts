import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { openPool } from "../../../lib/daemon/open-pool.ts";
import { poolPlace } from "../../../lib/daemon/pool-place.ts";
import { POOL_DEFAULTS } from "../../../lib/tasks/pool-defaults.ts";
import { removeTree } from "../../support/remove-tree.ts";

async function withPool(
  use: (pool: Awaited<ReturnType<typeof openPool>>, folder: string) => void,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "herd open pool-"));
  try {
    await using pool = await openPool({
      place: poolPlace(folder),
      config: () => POOL_DEFAULTS,
      clock: createSystemClock(),
      log: { path: undefined, write: () => {} },
    });
    use(pool, folder);
  } finally {
    removeTree(folder);
  }
}

test("a worker over files is enrolled when it is invited, by whoever did that, and gets no code", () =>
  withPool(({ desk }, folder) => {
    const made = desk.invite({ name: "node1", labels: ["gpu"], via: "files" }, "alice");
    assert.ok("enrolled" in made);
    assert.equal(made.folder, join(folder, "pool"));
    // A folder with a blank can be pasted into a shell.
    assert.equal(made.command, `herd worker --name node1 --pool '${join(folder, "pool")}'`);
    const worker = desk.state().workers.get("node1")!;
    assert.deepEqual([worker.via, worker.labels], ["files", ["gpu"]]);
    assert.equal(desk.events(0).at(-1)!.by, "alice");
    assert.notEqual(worker.proof, "");
    assert.equal(desk.knows(""), undefined);
  }));

test("a code is used once, is told with its command, and makes nobody a worker before", () =>
  withPool(({ desk }) => {
    const made = desk.invite({ name: "gpu-1", labels: [], via: "http" }, "alice");
    assert.ok("code" in made);
    assert.equal(made.command, `herd worker --code ${made.code}`);
    assert.equal(desk.state().workers.size, 0);
    const enrolled = desk.enrol(made.code);
    assert.ok("secret" in enrolled);
    assert.equal(desk.knows(enrolled.secret), "gpu-1");
    assert.ok("refused" in desk.enrol(made.code));
  }));

test("a name that no folder and no shell would take is refused, over files too", () =>
  withPool(({ desk }) => {
    for (const name of ["", "../x", "a b", "$(x)", "-x", "x".repeat(64)]) {
      assert.ok("refused" in desk.invite({ name, labels: [], via: "files" }, "alice"), name);
    }
    assert.equal(desk.state().workers.size, 0);
  }));

test("no code has a sign in it that a command line or a shell would take for its own", () =>
  withPool(({ desk }) => {
    for (let i = 0; i < 200; i++) {
      const made = desk.invite({ name: `w${i}`, labels: [], via: "http" }, "alice");
      assert.ok("code" in made);
      assert.match(made.code, /^[0-9a-f]{30}$/);
    }
  }));
