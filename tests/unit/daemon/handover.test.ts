import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import test from "node:test";
import { handoverVariables, takeHandover } from "../../../lib/daemon/handover.ts";
import type { Handover } from "../../../lib/daemon/handover.ts";

const HOSTILE = { "A B": "x=y\n'\"$(z)", EMPTY: "", ü: "日本\u0007" };

function handover(sweeps: Handover["sweeps"]): Handover {
  return { from: "1.0.0 (commit 1234567)", sweeps, pool: true, broker: false };
}

test("what is handed over arrives as it was, and is taken out of the environment", () => {
  const given = handover([{ path: "/a b/\n", env: HOSTILE, noAgent: true }, {
    path: "/c",
    env: {},
  }]);
  const env: Record<string, string | undefined> = { PATH: "/bin", ...handoverVariables(given) };
  assert.deepEqual(takeHandover(env), given);
  assert.deepEqual(env, { PATH: "/bin" });
  assert.equal(takeHandover(env), undefined);
});

test("a hundred sweeps with equal environments take little room", () => {
  const env = Object.fromEntries(
    Array.from({ length: 60 }, (_, index) => [`V${index}`, randomBytes(48).toString("hex")]),
  );
  const sweeps = Array.from({ length: 100 }, (_, index) => ({ path: `/sweep${index}`, env }));
  const variables = Object.values(handoverVariables(handover(sweeps)));
  assert.ok(variables.join("").length < 60_000, `${variables.join("").length}`);
});

test("no variable is longer than the kernel takes", () => {
  const big = randomBytes(300_000).toString("base64");
  const given = handover([{ path: "/a", env: { BIG: big } }]);
  const variables = handoverVariables(given);
  assert.ok(Object.keys(variables).length > 3);
  for (const value of Object.values(variables)) assert.ok(value.length < 128 * 1024 - 20);
  assert.deepEqual(takeHandover(variables), given);
});

test("what is no handover is taken out all the same, and is none", () => {
  for (const value of ["x", "", "H4sIAAAAAAAAA"]) {
    const env: Record<string, string | undefined> = { HERD_HANDOVER_0: value };
    assert.equal(takeHandover(env), undefined);
    assert.deepEqual(env, {});
  }
});
