import assert from "node:assert/strict";
import test from "node:test";
import { whyNotStarting } from "../../../lib/deploy/why-not-starting.ts";

test("what keeps a program from starting is said in words", () => {
  const facts = {
    path: "/home/ana/bin/herd",
    libc: { kind: "glibc" as const, version: "2.12" },
  };
  const cases: [number, string, RegExp][] = [
    [
      1,
      "herd: /lib64/libc.so.6: version `GLIBC_2.17' not found (required by herd)",
      /GLIBC 2\.17 is missing, glibc 2\.12 is there/,
    ],
    [
      126,
      "sh: 1: /home/ana/bin/herd: Permission denied",
      /nothing may be executed in "\/home\/ana\/bin"/,
    ],
    [126, "sh: herd: cannot execute binary file: Exec format error", /another processor/],
    [126, "sh: herd: Text file busy", /still being written/],
    [
      127,
      "sh: 1: /home/ana/bin/herd: not found",
      /program that starts such executables is missing/,
    ],
    [
      127,
      "Error loading shared library libstdc++.so.6: No such file or directory (needed by herd)",
      /library "libstdc\+\+\.so\.6" is missing/,
    ],
    [
      127,
      "herd: error while loading shared libraries: libm.so.6: cannot open shared object file",
      /library "libm\.so\.6" is missing/,
    ],
    [132, "Illegal instruction", /lacks an instruction/],
    [137, "", /too little memory/],
    [1, "mmap failed: Cannot allocate memory", /too little memory/],
    [124, "", /does not answer/],
    [3, "quota?", /ends with code 3 and says "quota\?"/],
    [3, "", /ends with code 3$/],
  ];
  for (const [code, said, wanted] of cases) {
    const { why, hint } = whyNotStarting({ code, said }, facts);
    assert.match(why, wanted);
    assert.notEqual(hint, "");
  }
});
