import assert from "node:assert/strict";
import test from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { chooseSource } from "../../../lib/deploy/find-binary.ts";
import type { HostFacts } from "../../../lib/deploy/host-facts.ts";
import { hostFacts } from "./facts.ts";

const compiled = (target: string) => ({
  version: "1.0.0",
  commit: "1234567",
  compiled: true,
  target,
});

function source(
  { target = "x64", wanted, beside = [], ...facts }: {
    target?: string;
    wanted?: string;
    beside?: string[];
    processor?: string;
    avx2?: boolean;
    libc?: HostFacts["libc"];
    system?: string;
  },
) {
  return chooseSource(
    hostFacts(facts),
    { build: compiled(target), self: ["/opt/herd"], wanted, host: "login" },
    (path) => beside.includes(path),
  );
}

test("this executable goes there when it runs there, else the right one beside it", () => {
  const path = "/opt/herd-linux-arm64";
  assert.deepEqual(source({}), { from: "self", path: "/opt/herd", target: "x64" });
  assert.deepEqual(source({ target: "x64-baseline" }).from, "self");
  assert.deepEqual(source({ processor: "aarch64", beside: [path] }), {
    from: "beside",
    path,
    target: "arm64",
  });
  const baseline = source({ avx2: false, beside: ["/opt/herd-linux-x64-baseline"] });
  assert.equal("path" in baseline && baseline.path, "/opt/herd-linux-x64-baseline");
});

test("a host with musl gets the build for musl, and its herd gives one for glibc to others", () => {
  const libc = { kind: "musl" as const, version: "1.2.4" };
  const path = "/opt/herd-linux-x64-musl";
  assert.deepEqual(source({ libc, beside: [path, "/opt/herd-linux-x64-musl-baseline"] }), {
    ...{ from: "beside", path, target: "x64-musl" },
  });
  const baseline = source({ libc, avx2: false, beside: [`${path}-baseline`] });
  assert.equal("path" in baseline && baseline.path, `${path}-baseline`);
  assert.equal(source({ libc, target: "x64-musl" }).from, "self");
  assert.equal(source({ target: "x64-musl", beside: ["/opt/herd-linux-x64"] }).from, "beside");
});

test("the file that the user names is taken", () => {
  const found = source({ wanted: "/tmp/herd-linux-arm64", processor: "aarch64" });
  assert.deepEqual(found, { from: "wanted", path: "/tmp/herd-linux-arm64", target: "arm64" });
});

test("a checkout compiles what the host needs", () => {
  const build = { version: "development", commit: "unknown", compiled: false, target: undefined };
  const self = ["/usr/bin/deno", "run", "-A", "/src/herd/main.ts"];
  const parts = { build, self, wanted: undefined, host: "login" };
  assert.deepEqual(chooseSource(hostFacts({ avx2: false }), parts, () => true), {
    from: "compiled",
    root: "/src/herd",
    target: "x64-baseline",
  });
});

test("a missing executable is named, with how to come by it", () => {
  assert.throws(() => source({ processor: "aarch64" }), (error: UserError) => {
    assert.match(error.message, /needs herd-linux-arm64, and this herd is for x64/);
    assert.match(error.hint!, /into \/opt.*--binary FILE.*deno task compile --target arm64/);
    return true;
  });
  const libc = { kind: "musl" as const, version: undefined };
  assert.throws(() => source({ libc }), (error: UserError) => {
    assert.match(error.message, /needs herd-linux-x64-musl or herd-linux-x64-musl-baseline/);
    assert.match(error.hint!, /deno task compile --target x64-musl$/);
    return true;
  });
  assert.throws(() => source({ system: "Darwin", wanted: "/tmp/herd" }), /runs Darwin/);
});
