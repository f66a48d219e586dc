import assert from "node:assert/strict";
import test from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { readDestination, USUAL_PATH } from "../../../lib/deploy/destination.ts";

test("a host and a path are told apart, as are a port and a path", () => {
  const cases: [string, string, string][] = [
    ["login", "login", USUAL_PATH],
    ["ana@login", "ana@login", USUAL_PATH],
    ["login:2222", "login:2222", USUAL_PATH],
    ["login:bin/herd", "login", "bin/herd"],
    ["login:2222:bin/herd", "login:2222", "bin/herd"],
    ["ana@login:2222:/opt/herd", "ana@login:2222", "/opt/herd"],
    ["login:~/bin/herd", "login", "bin/herd"],
    ["login:bin/", "login", "bin/herd"],
    ["login:123456", "login", "123456"],
    ["login:2222/herd", "login", "2222/herd"],
    ["[::1]:2222:herd", "[::1]:2222", "herd"],
    ["[::1]", "[::1]", USUAL_PATH],
    ["login:a b;$(c):d", "login", "a b;$(c):d"],
  ];
  for (const [text, host, path] of cases) {
    assert.deepEqual(readDestination(text), { host, path }, text);
  }
});

test("what names no host or no file is refused before anything is sent", () => {
  for (
    const text of [
      ...["", ":bin/herd", "-oProxyCommand=x", "login:", "login:~", "login:~bob/herd"],
      ...["login:a\nb", "login:.bashrc", "login:bin/..", "login:.", "login:bin/.herd"],
    ]
  ) {
    assert.throws(() => readDestination(text), UserError, text);
  }
});
