import assert from "node:assert/strict";
import { test } from "node:test";
import { createConnection } from "../../../lib/ssh/connection.ts";
import type { SshLink } from "../../../lib/ssh/open-link.ts";
import { SshError } from "../../../lib/ssh/ssh-error.ts";
import { createHeldTime } from "../../support/held-time.ts";

const passing = () => new SshError("connect", "it", "Cannot connect", { passing: true });
const refusal = () => new SshError("authentication", "it", "Refused");

/** A link that a test can cut. */
function cuttable(): { link: SshLink; cut(error: SshError): void } {
  const { promise, resolve } = Promise.withResolvers<SshError | undefined>();
  const link = { ended: promise, facts: {}, close: () => Promise.resolve(resolve(undefined)) };
  return { link: link as unknown as SshLink, cut: resolve };
}

function scene(outcomes: (() => SshLink)[], asks = false) {
  const { clock } = createHeldTime(0);
  const tries: number[] = [];
  const connection = createConnection({
    name: "it",
    clock,
    random: () => 1,
    open: (_, asked) => {
      tries.push(clock.now());
      if (asks) asked();
      const next = outcomes.shift();
      return Promise.resolve().then(() => next!());
    },
  });
  return { clock, tries, connection };
}

const RUN = { person: false, patienceMs: Infinity };

test("tries are further apart after each failure, up to a minute, until one succeeds", async () => {
  const failing = Array.from({ length: 8 }, () => () => {
    throw passing();
  });
  const { link } = cuttable();
  const { tries, connection } = scene([...failing, () => link]);
  assert.equal(await connection.link(RUN), link);
  const gaps = tries.slice(1).map((at, index) => at - tries[index]!);
  assert.deepEqual(gaps, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
});

test("many that want it make one link, and a cut one is made again at once", async () => {
  const first = cuttable();
  const second = cuttable();
  const { tries, connection } = scene([() => first.link, () => second.link]);
  const got = await Promise.all([connection.link(RUN), connection.link(RUN), connection.link(RUN)]);
  assert.deepEqual([...new Set(got)], [first.link]);
  first.cut(passing());
  await first.link.ended;
  assert.equal(await connection.link(RUN), second.link);
  assert.deepEqual(tries, [0, 0]);
});

test("a refusal is not repeated until a person wants it", async () => {
  const { link } = cuttable();
  const outcomes = [() => {
    throw refusal();
  }, () => link];
  const { tries, connection } = scene(outcomes);
  for (let turn = 0; turn < 3; turn++) await assert.rejects(connection.link(RUN), /Refused/);
  assert.equal(tries.length, 1);
  assert.equal(await connection.link({ person: true, patienceMs: 0 }), link);
});

test("who gave a code in vain is not asked for another one in a loop", async () => {
  const { tries, connection } = scene([() => {
    throw passing();
  }], true);
  await assert.rejects(connection.link({ person: false, patienceMs: 0 }), /Cannot connect/);
  await assert.rejects(connection.link(RUN), /Cannot connect/);
  assert.equal(tries.length, 1);
  assert.equal(connection.state.kind, "refused");
});

test("without patience the failure before is told during the back-off, and nothing is tried", async () => {
  const { tries, connection } = scene([() => {
    throw passing();
  }]);
  const impatient = { person: false, patienceMs: 0 };
  await assert.rejects(connection.link(impatient), /Cannot connect/);
  await assert.rejects(connection.link(impatient), /Cannot connect/);
  assert.equal(tries.length, 1);
});

test("patience ends in time, and never waits for a try that comes later", async () => {
  const failing = Array.from({ length: 9 }, () => () => {
    throw passing();
  });
  const { tries, connection, clock } = scene(failing);
  const once = { person: false, patienceMs: 5_000 };
  await assert.rejects(connection.link(once), /Cannot connect/);
  assert.deepEqual(tries, [0, 1000, 3000]);
  const before = clock.now();
  await assert.rejects(connection.link(once), /Cannot connect/);
  assert.deepEqual([clock.now(), tries.length], [7000, 4]);
  assert.equal(before, 3000);
});

test("closing ends what waits", async () => {
  const { connection } = scene([() => {
    throw passing();
  }]);
  const waiting = connection.link({ person: false, patienceMs: 0 }).catch(() => {});
  await waiting;
  await connection.close();
  await assert.rejects(connection.link(RUN), /closed here/);
  assert.equal(connection.state.kind, "closed");
});
