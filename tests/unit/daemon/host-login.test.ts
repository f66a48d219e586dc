import assert from "node:assert/strict";
import test from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { createHostLogin, type HostLogin } from "../../../lib/daemon/host-login.ts";
import { governHost } from "../../../lib/daemon/governed-host.ts";
import type { SshQuestion } from "../../../lib/ssh/asker.ts";
import { SshError } from "../../../lib/ssh/ssh-error.ts";
import type { SshFacts, SshHost, SshState } from "../../../lib/ssh/ssh-host.ts";

const FACTS = { user: "ana" } as SshFacts;

/** A host whose login asks for the code 42, three times at the most. */
function codeHost() {
  let state: SshState = { kind: "idle" };
  const logins: string[][] = [];
  async function connect(): Promise<SshFacts> {
    const given: string[] = [];
    logins.push(given);
    state = { kind: "connecting", since: 0 };
    for (let attempt = 1; attempt <= 3; attempt++) {
      const question: SshQuestion = {
        ...{ host: "login", title: "ana@login", prompt: "Code:", echo: false },
        ...{ kind: "code", attempt },
      };
      const answer = await login.asker(question);
      if (answer === undefined) break;
      given.push(answer);
      if (answer !== "42") continue;
      state = { kind: "connected", since: 0, facts: FACTS };
      return FACTS;
    }
    const error = new SshError("authentication", "login", "Cannot log in");
    state = { kind: "refused", since: 0, error };
    throw error;
  }
  const host = {
    connect,
    get state() {
      return state;
    },
  };
  const login: HostLogin = createHostLogin({ host: () => host, clock: createSystemClock() });
  return { host, login, logins };
}

test("while nobody is there a login is left at once, and its question is kept", async () => {
  const { host, login, logins } = codeHost();
  await assert.rejects(host.connect());
  assert.deepEqual(logins, [[]]);
  assert.equal(login.question()?.prompt, "Code:");
});

test("whoever comes is asked by a login of their own, again where the answer is wrong", async () => {
  const { host, login, logins } = codeHost();
  await host.connect().catch(() => {});
  await login.give({});
  const first = login.question()!;
  assert.equal(host.state.kind, "connecting");
  await login.give({ question: first.id, answer: "41" });
  const second = login.question()!;
  assert.deepEqual([first.attempt, second.attempt], [1, 2]);
  await assert.rejects(login.give({ question: first.id, answer: "42" }), /not open any more/);
  await login.give({ question: second.id, answer: "42" });
  assert.equal(host.state.kind, "connected");
  assert.deepEqual(logins, [[], ["41", "42"]]);
  assert.equal(login.question(), undefined);
});

test("a question that was left is answered by a login that brings the answer, once", async () => {
  const { host, login, logins } = codeHost();
  await host.connect().catch(() => {});
  await login.give({ question: login.question()!.id, answer: "42" });
  assert.equal(host.state.kind, "connected");
  assert.deepEqual(logins.at(-1), ["42"]);
});

test("an answer to nothing is refused, and giving up ends the login", async () => {
  const { host, login } = codeHost();
  await assert.rejects(login.give({ answer: "42" }), /not open any more/);
  await login.give({});
  await login.give({ question: login.question()!.id, answer: null });
  assert.equal(host.state.kind, "refused");
});

test("after a refusal nothing is tried before its time, and each failure says since when", async () => {
  const { host } = codeHost();
  await host.connect().catch(() => {});
  let tries = 0;
  let may = false;
  const inner = {
    ...{ name: "login", onState: () => () => {} },
    get state() {
      return host.state;
    },
    connect: () => (tries++, Promise.reject((host.state as { error: SshError }).error)),
    run: () => Promise.resolve({ ok: false, lost: "Cannot log in; it did not run" }),
  } as unknown as SshHost;
  const governed = governHost({
    host: inner,
    mayTry: () => may,
    standing: () => "not reached since 14:03 UTC",
  });
  await assert.rejects(
    governed.connect(),
    /^SshError: Cannot log in; not reached since 14:03 UTC$/,
  );
  assert.match((await governed.run(["true"])).lost!, /did not run; not reached since 14:03 UTC$/);
  assert.equal(tries, 0);
  may = true;
  await governed.run(["true"]);
  assert.equal(tries, 1);
});
