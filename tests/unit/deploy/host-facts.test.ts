import assert from "node:assert/strict";
import test from "node:test";
import { readHostFacts } from "../../../lib/deploy/host-facts.ts";

const HASH = "a".repeat(64);

const LINES = [
  "Welcome to the cluster",
  "herd.path=/home/ana/.local/bin/herd",
  "herd.name=login1",
  "herd.system=Linux",
  "herd.processor=x86_64",
  "herd.libc=glibc 2.28",
  "herd.avx2=yes",
  "herd.there.kind=link",
  `herd.there.hash=${HASH}  -`,
  "herd.there.herd=yes",
  "herd.there.code=0",
  "herd.there.says=herd 1.0.0 (commit 1234567)",
  "herd.above=/home/ana",
  "herd.above.kind=folder",
  "herd.above.writable=yes",
  "herd.df=//server/home of ana 1000 400 600 40% /home/ana",
  "herd.searched=/usr/bin::/bin",
  "herd.daemons=/login1/login2",
  "herd.end=yes",
];

test("what a host says of itself is read, whatever its login prints around it", () => {
  const facts = readHostFacts(`${LINES.join("\n")}\nlogout\n`)!;
  assert.deepEqual(facts.there, {
    kind: "link",
    sha256: HASH,
    isHerd: true,
    says: "herd 1.0.0 (commit 1234567)",
  });
  assert.equal(facts.previous, undefined);
  assert.equal(facts.freeBytes, 600 * 1024);
  assert.deepEqual(facts.libc, { kind: "glibc", version: "2.28" });
  assert.deepEqual(facts.searched, ["/usr/bin", "/bin"]);
  assert.deepEqual(facts.daemons, ["login1", "login2"]);
});

test("an answer that was cut is none", () => {
  assert.equal(readHostFacts(LINES.slice(0, -1).join("\n")), undefined);
  assert.equal(readHostFacts(""), undefined);
});

test("what does not start says nothing, whatever it prints", () => {
  const text = LINES.join("\n").replace("there.code=0", "there.code=126");
  assert.equal(readHostFacts(text)!.there!.says, undefined);
});

test("room is read as df prints it on each system, and is never below zero", () => {
  const cases: [string, number | undefined][] = [
    ["/dev/sda1 100 90 10 90% /", 10_240],
    ["home 100 110 -10 110% /home", 0],
    ["proc 0 0 0 - /proc", 0],
    ["df: no such file", undefined],
    ["", undefined],
  ];
  for (const [line, wanted] of cases) {
    const text = LINES.map((one) => one.startsWith("herd.df=") ? `herd.df=${line}` : one);
    assert.equal(readHostFacts(text.join("\n"))!.freeBytes, wanted, line);
  }
});
