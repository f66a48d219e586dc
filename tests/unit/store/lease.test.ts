import { test } from "node:test";
import assert from "node:assert/strict";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { RefusedError } from "../../../lib/base/errors.ts";
import { bootId } from "../../../lib/base/pid.ts";
import { acquireLease, requireLease } from "../../../lib/store/lease.ts";
import type { Lease, LeaseRequest } from "../../../lib/store/lease.ts";
import { describeHolder } from "../../../lib/store/lease-holder.ts";
import type { Holder } from "../../../lib/store/lease-holder.ts";
import { inFolder, leapingClock, startChild } from "../../support/store-folder.ts";
import { createSystemClock } from "../../../lib/base/clock.ts";

async function request(folder: string, more: Partial<LeaseRequest> = {}) {
  const clock = leapingClock();
  return await acquireLease({
    dir: join(folder, "lease"),
    clock,
    monotonic: clock.monotonic,
    waitMs: 0,
    purpose: "herd test",
    ...more,
  });
}

function taken(lease: Lease | { heldBy: Holder }): Lease {
  assert.ok(!("heldBy" in lease), "expected to take the lease");
  return lease;
}

function refused(lease: Lease | { heldBy: Holder }): Holder {
  assert.ok("heldBy" in lease, "expected the lease to be held");
  return lease.heldBy;
}

/** As another machine would have left it. */
function leaveLease(folder: string, number: number, change: Record<string, unknown>): string {
  mkdirSync(join(folder, "lease"), { recursive: true });
  const path = join(folder, "lease", `lease.${number}`);
  const holder = {
    host: "elsewhere",
    pid: 4711,
    boot: "b",
    start: "1",
    space: "",
    purpose: "herd monitor",
    at: Date.UTC(2025, 0, 2, 3, 4, 5),
    nonce: "theirs",
    beat: 0,
  };
  writeFileSync(path, JSON.stringify({ ...holder, ...change }));
  return path;
}

test("a free workspace is taken, kept private, given back and taken again", () =>
  inFolder(async (folder) => {
    const lease = taken(await request(folder));
    lease.assertHeld();
    assert.deepEqual(readdirSync(join(folder, "lease")), ["lease.1"]);
    assert.equal(statSync(join(folder, "lease")).mode & 0o777, 0o700);
    assert.equal(statSync(join(folder, "lease", "lease.1")).mode & 0o777, 0o600);
    lease.release();
    lease.release();
    assert.equal(JSON.parse(readFileSync(join(folder, "lease", "lease.1"), "utf8")).released, true);
    const next = taken(await request(folder));
    assert.deepEqual(readdirSync(join(folder, "lease")), ["lease.2"]);
    next.release();
  }));

test("a held workspace names its holder after the wait", () =>
  inFolder(async (folder) => {
    await using lease = taken(await request(folder, { purpose: "herd run" }));
    const clock = leapingClock();
    const before = clock.now();
    const holder = refused(
      await request(folder, { clock, monotonic: clock.monotonic, waitMs: 3000 }),
    );
    assert.equal(clock.now() - before, 3000);
    assert.deepEqual(
      [holder.host, holder.pid, holder.purpose],
      [hostname(), process.pid, "herd run"],
    );
    assert.equal(
      describeHolder({ ...holder, host: "login1", pid: 12 }),
      '"herd run" (process 12 on login1, since 2025-01-31T00:00:00Z)',
    );
    const asked = { dir: join(folder, "lease"), clock, waitMs: 0, purpose: "x" };
    await assert.rejects(
      requireLease(asked),
      (error) =>
        error instanceof RefusedError && error.message.includes(`process ${process.pid} on`) &&
        (error.facts.holder as Holder).nonce === lease.holder.nonce,
    );
  }));

test("a waiter gets the lease when it is given back", () =>
  inFolder(async (folder) => {
    const lease = taken(await request(folder));
    const clock = leapingClock();
    const sleep = clock.sleep;
    let looks = 0;
    clock.sleep = (ms) => {
      if (++looks === 5) lease.release();
      return sleep(ms);
    };
    taken(await request(folder, { clock, monotonic: clock.monotonic, waitMs: 10_000 })).release();
    assert.equal(looks, 5);
  }));

test("waiting ends when it is aborted", () =>
  inFolder(async (folder) => {
    await using _lease = taken(await request(folder));
    const stop = new AbortController();
    const waiting = request(folder, {
      clock: createSystemClock(),
      monotonic: () => performance.now(),
      waitMs: 60_000,
      signal: stop.signal,
    });
    stop.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
  }));

test("a holder that was killed is followed at once", () =>
  inFolder(async (folder) => {
    const child = startChild("./store-hold.ts", join(folder, "lease"));
    assert.equal(await child.line(), "held");
    assert.equal(refused(await request(folder)).pid, child.pid);
    child.kill("SIGKILL");
    await child.ended;
    taken(await request(folder)).release();
  }));

test("a holder that is stopped but alive keeps the lease, however long it is silent", () =>
  inFolder(async (folder) => {
    const child = startChild("./store-hold.ts", join(folder, "lease"));
    assert.equal(await child.line(), "held");
    child.kill("SIGSTOP");
    assert.equal(refused(await request(folder, { waitMs: 600_000 })).pid, child.pid);
    child.kill("SIGKILL");
    await child.ended;
  }));

test("a pid that another process has now is not the holder", () =>
  inFolder(async (folder) => {
    const boot = bootId();
    leaveLease(folder, 3, { host: hostname(), pid: process.pid, boot, start: "1", space: space() });
    const lease = taken(await request(folder));
    assert.deepEqual(readdirSync(join(folder, "lease")), ["lease.4"]);
    lease.release();
    leaveLease(folder, 9, { host: hostname(), pid: process.pid, boot: "the boot before" });
    taken(await request(folder)).release();
  }));

test("a holder in another pid namespace of this machine is not judged by its pid", () =>
  inFolder(async (folder) => {
    leaveLease(folder, 1, { host: hostname(), boot: bootId(), space: "pid:[1]" });
    refused(await request(folder, { waitMs: 60_000 }));
  }));

test("another machine's lease is stale after 90 s without a change, and not before", () =>
  inFolder(async (folder) => {
    leaveLease(folder, 1, {});
    assert.equal(refused(await request(folder, { waitMs: 85_000 })).host, "elsewhere");
    const clock = leapingClock();
    const start = clock.now();
    const lease = taken(
      await request(folder, { clock, monotonic: clock.monotonic, waitMs: 120_000 }),
    );
    const waited = clock.now() - start;
    assert.ok(waited >= 90_000 && waited < 92_000, `waited ${waited}`);
    lease.release();
  }));

test("another machine's lease that changes now and then is never stale, by content or by time", () =>
  inFolder(async (folder) => {
    for (const change of ["content", "mtime"] as const) {
      const clock = leapingClock();
      const sleep = clock.sleep;
      const path = leaveLease(folder, 1, {});
      let last = clock.now();
      let beat = 0;
      clock.sleep = (ms) => {
        if (clock.now() - last > 80_000) {
          last = clock.now();
          beat++;
          if (change === "content") leaveLease(folder, 1, { beat });
          else utimesSync(path, beat, beat);
        }
        return sleep(ms);
      };
      refused(await request(folder, { clock, monotonic: clock.monotonic, waitMs: 600_000 }));
      assert.ok(beat > 5);
    }
  }));

test("one that waits for the dead alone gives up when the holder shows a sign of life", () =>
  inFolder(async (folder) => {
    const clock = leapingClock();
    const sleep = clock.sleep;
    const start = clock.now();
    const more = { clock, monotonic: clock.monotonic, waitMs: 120_000, aliveMs: 2_000 };
    let beat = 0;
    leaveLease(folder, 1, {});
    clock.sleep = (ms) => {
      if (clock.now() - start > 15_000 && beat === 0) leaveLease(folder, 1, { beat: ++beat });
      return sleep(ms);
    };
    assert.equal(refused(await request(folder, more)).host, "elsewhere");
    const waited = clock.now() - start;
    assert.ok(waited >= 15_000 && waited < 16_000, `waited ${waited}`);

    // It was the last one: nobody changes it any more.
    const from = clock.now();
    const lease = taken(await request(folder, more));
    assert.ok(clock.now() - from >= 90_000);
    refused(await request(folder, more));
    lease.release();
  }));

test("a file server's outage between two looks is not taken for the holder's silence", () =>
  inFolder(async (folder) => {
    leaveLease(folder, 1, {});
    const clock = leapingClock();
    const sleep = clock.sleep;
    let first = true;
    clock.sleep = (ms) => {
      const outage = first ? 80_000 : 0;
      first = false;
      return sleep(ms + outage);
    };
    refused(await request(folder, { clock, monotonic: clock.monotonic, waitMs: 160_000 }));
  }));

test("a lease whose content is empty or torn is free after 5 s without a change", () =>
  inFolder(async (folder) => {
    for (const content of ["", '{"host":"logi']) {
      const path = leaveLease(folder, 7, {});
      writeFileSync(path, content);
      const holder = refused(await request(folder, { waitMs: 4000 }));
      assert.match(describeHolder(holder), /unreadable lease/);
      const lease = taken(await request(folder, { waitMs: 7000 }));
      lease.release();
      rmSync(join(folder, "lease"), { recursive: true });
    }
  }));

test("only the highest number counts, and what crashed takers left goes away", () =>
  inFolder(async (folder) => {
    leaveLease(folder, 2, {});
    leaveLease(folder, 10, { released: true });
    const old = join(folder, "lease", "take.x.tmp");
    writeFileSync(old, "");
    utimesSync(old, 1000, 1000);
    writeFileSync(join(folder, "lease", ".nfs0001"), "");
    writeFileSync(join(folder, "lease", "lease.x"), "");
    const lease = taken(await request(folder));
    assert.deepEqual(readdirSync(join(folder, "lease")).sort(), [
      ".nfs0001",
      "lease.11",
      "lease.x",
    ]);
    lease.release();
  }));

test("a lost lease refuses, names who took it, and its release harms nobody", () =>
  inFolder(async (folder) => {
    const lease = taken(await request(folder));
    const path = leaveLease(folder, 2, {});
    const theirs = readFileSync(path, "utf8");
    assert.throws(
      () => lease.assertHeld(),
      (error) =>
        error instanceof RefusedError && error.facts.lost === true &&
        /taken over by "herd monitor" \(process 4711 on elsewhere/.test(error.message),
    );
    lease.release();
    assert.equal(readFileSync(path, "utf8"), theirs);
    assert.equal(refused(await request(folder)).nonce, "theirs");
  }));

test("a lease whose file was removed or is another's refuses", () =>
  inFolder(async (folder) => {
    const lease = taken(await request(folder));
    leaveLease(folder, 1, {});
    assert.throws(() => lease.assertHeld(), /taken over/);
    rmSync(join(folder, "lease", "lease.1"));
    assert.throws(() => lease.assertHeld(), /its lease file is gone/);
    rmSync(join(folder, "lease"), { recursive: true });
    assert.throws(() => lease.assertHeld());
    lease.release();
  }));

test("a holder that slept proves itself by a new file before it believes that it still holds", () =>
  inFolder(async (folder) => {
    const clock = leapingClock();
    const lease = taken(await request(folder, { clock, monotonic: clock.monotonic }));
    const path = join(folder, "lease", "lease.1");
    lease.assertHeld();
    assert.equal(JSON.parse(readFileSync(path, "utf8")).beat, 0);
    await clock.sleep(46_000);
    lease.assertHeld();
    assert.equal(JSON.parse(readFileSync(path, "utf8")).beat, 1);
    lease.release();
  }));

test("many processes that take, keep and die never hold the lease two at a time", async () => {
  await inFolder(async (folder) => {
    const [dir, inside] = [join(folder, "lease"), join(folder, "inside")];
    const children = Array.from(
      { length: 8 },
      () => startChild("./store-contend.ts", dir, inside, "60"),
    );
    assert.deepEqual(
      await Promise.all(children.map((child) => child.line())),
      children.map(() => "0"),
    );
    assert.deepEqual(await Promise.all(children.map(({ ended }) => ended)), children.map(() => 0));
    const names = readdirSync(dir);
    assert.deepEqual(
      names,
      ["lease.480"],
      "each taking has its own number, none was skipped or used twice",
    );
  });
});

function space(): string {
  return readlinkSync("/proc/self/ns/pid");
}

test("who waits for another holder is told who it is, once and not at once", () =>
  inFolder(async (folder) => {
    leaveLease(folder, 1, {});
    const told: string[] = [];
    const onWaiting = (holder: Holder) => told.push(describeHolder(holder));
    refused(await request(folder, { waitMs: 1_000, onWaiting }));
    assert.deepEqual(told, []);
    refused(await request(folder, { waitMs: 20_000, onWaiting }));
    assert.deepEqual(told, [
      '"herd monitor" (process 4711 on elsewhere, since 2025-01-02T03:04:05Z)',
    ]);
  }));
