import assert from "node:assert/strict";
import test from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { deploy } from "../../../lib/deploy/deploy.ts";
import type { SshHost } from "../../../lib/ssh/ssh-host.ts";

/** A host that answers this when it is asked what it is, and refuses everything else. */
function deployTo(answer: Readonly<Record<string, string>>) {
  const lines = {
    path: "/home/ana/bin/herd",
    system: "Linux",
    processor: "x86_64",
    above: "/home/ana",
    "above.kind": "folder",
    "above.writable": "yes",
    df: "/dev/sda1 9000000 0 9000000 0% /",
    end: "yes",
    ...answer,
  };
  const stdout = Object.entries(lines).map(([name, value]) => `herd.${name}=${value}\n`).join("");
  const asked: (readonly string[])[] = [];
  const host = {
    name: "login",
    connect: () => Promise.resolve(),
    run(argv: readonly string[]) {
      asked.push(argv);
      return Promise.resolve({ stdout, stderr: "" });
    },
  } as unknown as SshHost;
  const deployed = deploy({
    host,
    path: "bin/herd",
    build: { version: "1.0.0", commit: "1234567", compiled: true, target: "arm64" },
    self: ["/nowhere/herd"],
    wanted: undefined,
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    signal: new AbortController().signal,
    isRollback: false,
    isDryRun: false,
    say: () => {},
    onProgress: () => {},
  });
  return { deployed, asked };
}

test("what cannot be is known from one exchange, and nothing is sent", async () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ "above.writable": "" }, /the folder "\/home\/ana" may not be written/],
    [{ "above.kind": "" }, /"\/home\/ana" is no folder/],
    [{ "there.kind": "folder" }, /"\/home\/ana\/bin\/herd" is a folder/],
    [{ "there.kind": "other" }, /is no file/],
    [{ "there.kind": "file" }, /bin\/herd" is there and is no herd/],
    [{ "there.kind": "link" }, /is there and is no herd/],
    [{ "previous.kind": "file" }, /herd\.previous", where .* is there and is no herd/],
    [{ system: "Darwin" }, /runs Darwin/],
    [{ libc: "musl 1.2.4" }, /needs herd-linux-x64-musl-baseline, and this herd is for arm64/],
    [{ libc: "musl 1.2.4", processor: "aarch64" }, /C library is musl/],
    [{}, /needs herd-linux-x64-baseline, and this herd is for arm64/],
  ];
  for (const [answer, why] of cases) {
    const { deployed, asked } = deployTo(answer);
    await assert.rejects(deployed, (error: Error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, why);
      return true;
    });
    assert.equal(asked.length, 1);
    // The path is a word of its own: no shell looks into it.
    assert.equal(asked[0]!.at(-1), "bin/herd");
  }
});
