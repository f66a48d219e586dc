import assert from "node:assert/strict";
import test from "node:test";
import { chooseTarget } from "../../../lib/deploy/choose-target.ts";
import { TARGETS } from "../../../scripts/compile.ts";
import type { HostFacts } from "../../../lib/deploy/host-facts.ts";

type Asked = Pick<HostFacts, "system" | "processor" | "libc" | "avx2">;

const glibc = (version: string): HostFacts["libc"] => ({ kind: "glibc", version });

const musl: HostFacts["libc"] = { kind: "musl", version: undefined };

function host(more: Partial<Asked>): Asked {
  return { system: "Linux", processor: "x86_64", libc: glibc("2.31"), avx2: true, ...more };
}

test("a host gets the build that runs there, the best one first", () => {
  const cases: [Partial<Asked>, string][] = [
    [{}, "x64,x64-baseline"],
    [{ processor: "amd64" }, "x64,x64-baseline"],
    [{ avx2: false }, "x64-baseline"],
    [{ processor: "aarch64", avx2: false }, "arm64"],
    [{ processor: "arm64" }, "arm64"],
    [{ libc: undefined }, "x64,x64-baseline"],
    [{ libc: { kind: "glibc", version: undefined } }, "x64,x64-baseline"],
    [{ libc: glibc("2.17") }, "x64,x64-baseline"],
    [{ libc: glibc("3.0") }, "x64,x64-baseline"],
    [{ libc: musl }, "x64-musl,x64-musl-baseline"],
    [{ libc: musl, avx2: false }, "x64-musl-baseline"],
  ];
  for (const [more, wanted] of cases) {
    const choice = chooseTarget(host(more));
    assert.ok("targets" in choice, JSON.stringify(choice));
    assert.equal(choice.targets.join(), wanted);
  }
});

test("where no build runs, it is said what the host has and what herd needs", () => {
  const cases: [Partial<Asked>, RegExp][] = [
    [{ system: "Darwin" }, /runs Darwin.*Linux/],
    [{ system: "" }, /an unknown system/],
    [{ processor: "ppc64le" }, /ppc64le.*x86_64 and aarch64/],
    [{ processor: "i686" }, /i686/],
    [{ processor: "aarch64", libc: musl }, /musl.*aarch64.*glibc/],
    [{ libc: glibc("2.12") }, /glibc is 2\.12.*2\.17/],
    [{ libc: glibc("2.5") }, /2\.5/],
  ];
  for (const [more, why] of cases) {
    const choice = chooseTarget(host(more));
    assert.ok("refused" in choice, JSON.stringify(more));
    assert.match(choice.refused, why);
    assert.notEqual(choice.hint, "");
  }
});

test("what a host may need is what can be compiled", () => {
  const all = [glibc("2.31"), musl].flatMap((libc) =>
    ["x86_64", "aarch64"].flatMap((processor) => {
      const choice = chooseTarget(host({ libc, processor }));
      return "targets" in choice ? choice.targets : [];
    })
  );
  assert.deepEqual([...all].sort(), [...TARGETS].sort());
});
