import assert from "node:assert/strict";
import test from "node:test";
import { hostLookFindings, readLook } from "../../../lib/daemon/host-look.ts";

const ASKED = { home: "/home/ana", middle: 1_000_000_500, herd: "herd 0.1.0" };
const marks = (output: string, asked: Parameters<typeof readLook>[1] = ASKED) =>
  hostLookFindings(readLook(output, asked), "login").map(({ mark }) => mark).join(" ");

test("a login node that has everything is without a doubt", () => {
  const output = "/bin/bash\nLinux x86_64\n1000000\nslurm 22.05.8\nfind (GNU findutils) 4.9.0\n";
  assert.equal(marks(output), "good good good good good");
  assert.equal(readLook(output, ASKED).ahead, 0);
});

test("a clock that is apart, no SLURM, another find and no herd are each said", () => {
  const output = "/bin/csh\nLinux x86_64\n1000600\n\n\n";
  assert.equal(marks(output, { ...ASKED, herd: undefined }), "good doubt doubt doubt doubt");
  const [, , clock] = hostLookFindings(readLook(output, ASKED), "login");
  assert.equal(clock!.message, "Its clock is 600 s ahead of the one here");
});

test("a host that prints nothing of it is no reason to fail", () => {
  assert.equal(marks("", { ...ASKED, herd: undefined }), "good doubt doubt doubt doubt");
});
