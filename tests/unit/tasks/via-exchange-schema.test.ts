import assert from "node:assert/strict";
import { test } from "node:test";
import {
  isWorkerName,
  readWorkerOrders,
  readWorkerReport,
} from "../../../lib/tasks/exchange-schema.ts";

const REPORT = {
  worker: "w1",
  incarnation: "life",
  startedAt: 1,
  number: 7,
  version: "1",
  host: "h",
  slots: 1,
  labels: ["gpu"],
  sandboxes: ["none"],
  leaving: false,
  attempts: [{ task: "discord-12", epoch: 1, phase: "x", use: [] }],
};

const WORD = {
  end: "done",
  cause: "",
  passing: false,
  result: "r",
  files: [],
  folder: "/f",
  use: [],
  startedAt: 1,
  endedAt: 2,
};

function wrong(change: Record<string, unknown>): string {
  const read = readWorkerReport(JSON.stringify({ ...REPORT, ...change }));
  assert.ok("wrong" in read, `${JSON.stringify(change).slice(0, 80)} was taken`);
  return read.wrong;
}

test("a report is read as it was told, with what is not known yet as undefined", () => {
  const read = readWorkerReport(JSON.stringify({ ...REPORT, later: { a: 1 } }));
  assert.deepEqual(read, { ...REPORT, attempts: [{ ...REPORT.attempts[0], report: undefined }] });
});

test("reports without bounds, with wrong names or wrong kinds are refused, and none of it repeated", () => {
  const attempt = REPORT.attempts[0]!;
  const word = (change: Record<string, unknown>) => ({
    attempts: [{ ...attempt, report: { ...WORD, ...change } }],
  });
  const changes: Record<string, unknown>[] = [
    { worker: "../etc" },
    { worker: "" },
    { worker: "a/b" },
    { worker: ".hidden" },
    { worker: "x".repeat(65) },
    { number: -1 },
    { number: 1.5 },
    { number: "7" },
    { startedAt: 1e300 },
    { slots: 1e9 },
    { host: "h".repeat(300) },
    { labels: Array(65).fill("a") },
    { sandboxes: ["all"] },
    { attempts: Array(1_001).fill(attempt) },
    { attempts: [{ ...attempt, task: "a\u0000b" }] },
    { attempts: [{ ...attempt, task: "a b" }] },
    { attempts: [{ ...attempt, epoch: 0 }] },
    { attempts: [{ ...attempt, phase: "x".repeat(301) }] },
    { attempts: [{ ...attempt, use: [{ model: "m", input: -1 }] }] },
    { attempts: null },
    word({ end: "won" }),
    word({ result: "x".repeat(200_001) }),
    word({ cause: 7 }),
    word({ files: [{ path: "a", bytes: 1, sha256: "zz" }] }),
    word({ files: Array(1_001).fill({ path: "a", bytes: 1, sha256: "0".repeat(64) }) }),
    word({
      use: Array(65).fill({ model: "m", input: 1, output: 1, cacheRead: 0, cacheWrite: 0, usd: 1 }),
    }),
  ];
  for (const change of changes) wrong(change);
  assert.ok(!wrong({ host: "TELL-NOBODY".repeat(100) }).includes("TELL"));
});

test("what is no JSON, too deep, too long or of a hostile prototype does no harm", () => {
  const texts = [
    "",
    "null",
    "7",
    '"x"',
    "[]",
    "{",
    "[".repeat(100_000),
    `{"worker":${"[".repeat(5_000)}${"]".repeat(5_000)}}`,
    " ".repeat(5 * 1024 * 1024),
    '{"__proto__":{"worker":"w1"}}',
  ];
  for (const text of texts) {
    assert.ok("wrong" in readWorkerReport(text), text.slice(0, 20));
    assert.ok("wrong" in readWorkerOrders(text), text.slice(0, 20));
  }
  assert.equal(({} as { worker?: string }).worker, undefined);
});

test("names of workers are names of folders", () => {
  for (const name of ["w1", "node-07.cluster", "A_b"]) assert.ok(isWorkerName(name), name);
  for (const name of ["", ".", "..", "-x", "a/b", "a\n", "é", "x".repeat(65)]) {
    assert.ok(!isWorkerName(name), name);
  }
});
