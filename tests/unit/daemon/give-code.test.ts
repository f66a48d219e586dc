import assert from "node:assert/strict";
import { test } from "node:test";
import { RefusedError } from "../../../lib/base/errors.ts";
import type { HostStatus } from "../../../lib/control/station.ts";
import { giveCode } from "../../../lib/daemon/give-code.ts";

const HOST: HostStatus = {
  ...{ name: "login", state: "refused", since: 1, detail: "it asks", hint: null, retry_at: null },
  ...{ user: null, address: null, port: null, jumps: [], method: null, latency_ms: null },
  ...{ question: null, sweeps: [] },
};

function asks(kind: string, attempt = 1): HostStatus {
  const words = { id: "q", kind, title: "", prompt: "?", echo: false, attempt, asked_at: 1 };
  return { ...HOST, question: words };
}

/** A daemon whose host is in one state, and in the other after an answer. */
function desk(before: HostStatus, after: HostStatus | Error) {
  const given: unknown[] = [];
  return {
    given,
    hosts: () => Promise.resolve([before]),
    answerHost(name: string, answer: unknown) {
      given.push([name, answer]);
      return after instanceof Error ? Promise.reject(after) : Promise.resolve(after);
    },
  };
}

for (
  const [what, after, words] of [
    ["the right one", { ...HOST, state: "connected" }, /"login" is reached; the sweep goes on/],
    ["a wrong one", asks("code", 2), /That code was not taken/],
    ["one of two", asks("code"), /It wants one more code/],
    ["one before a password", asks("password"), /wants a password now.*herd hosts login login/],
    ["one at which the host says no", HOST, /^it asks$/],
    ["one that nothing asks for", new RefusedError("Cannot take the answer"), /Cannot take/],
  ] as const
) {
  test(`what came of a code is said in words: ${what}`, async () => {
    const one = desk(asks("code"), after);
    assert.match(await giveCode(one, "login", "123"), words);
    assert.deepEqual(one.given, [["login", { answer: "123" }]]);
  });
}

test("a login that wants a password, a passphrase or nothing gets no code", async () => {
  for (const kind of ["password", "passphrase", "host-key"]) {
    const one = desk(asks(kind), HOST);
    assert.match(await giveCode(one, "login", "123"), new RegExp(`wants a ${kind} now`));
    assert.deepEqual(one.given, []);
  }
  const there = desk({ ...HOST, state: "connected" }, HOST);
  assert.match(await giveCode(there, "login", "123"), /reached already/);
  assert.deepEqual(there.given, []);
});
