import assert from "node:assert/strict";
import { test } from "node:test";
import { hostStanding } from "../../../lib/daemon/host-standing.ts";
import { SshError } from "../../../lib/ssh/ssh-error.ts";
import type { SshHost } from "../../../lib/ssh/ssh-host.ts";

test("a host that is away has been so since the first failure, not since the last try", async () => {
  const error = new SshError("connect", "login", "Cannot connect", { passing: true });
  const state = { kind: "waiting", since: 900, notBefore: 1_000, attempts: 7, error } as const;
  const host: Pick<SshHost, "name" | "state" | "files"> = {
    ...{ name: "login", state, files: undefined as never },
  };
  const clock = { now: () => 950, sleep: () => Promise.resolve() };
  const parts = { question: undefined, sweeps: [], clock };
  const { since, retry_at, detail } = await hostStanding(host, { ...parts, awaySince: 100 });
  assert.deepEqual([since, retry_at, detail], [100, 1_000, "Cannot connect"]);
  assert.equal((await hostStanding(host, parts)).since, 900);
});
