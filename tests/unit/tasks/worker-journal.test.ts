import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openWorkerJournal } from "../../../lib/tasks/worker-journal.ts";
import type { AttemptReport } from "../../../lib/tasks/task.ts";

const WORD: AttemptReport = {
  end: "done",
  cause: "",
  passing: false,
  result: 'back\\slash, "quote", \ttab, | and\nnewline',
  files: [{ path: "a b", bytes: 3, sha256: "a".repeat(64) }],
  folder: "/f",
  use: [{ model: "m", input: 1, output: 2, cacheRead: 3, cacheWrite: 4, usd: null }],
  startedAt: 5,
  endedAt: 6,
};

function withPath(act: (path: string) => void): () => void {
  return () => {
    const folder = mkdtempSync(join(tmpdir(), "herd-journal-"));
    try {
      act(join(folder, "deep", "journal.jsonl"));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

test(
  "what was written is there after a kill: beginnings, uses, last words, marks",
  withPath((path) => {
    const one = openWorkerJournal(path);
    one.begin("t1", 4, 100);
    one.note("t1", 4, WORD.use);
    one.begin("t2", 1, 100);
    one.end("t2", 1, WORD);
    one.begin("t3", 2, 100);
    one.end("t3", 2, WORD);
    one.settle("t3", 2);
    const two = openWorkerJournal(path);
    assert.deepEqual(two.kept, [
      { task: "t1", epoch: 4, startedAt: 100, use: WORD.use, report: undefined },
      { task: "t2", epoch: 1, startedAt: 5, use: WORD.use, report: WORD },
    ]);
    assert.deepEqual(["t1", "t2", "t3", "t4"].map(two.lastEpoch), [4, 1, 2, 0]);
    assert.deepEqual(two.wordOf("t3", 2), WORD);
    assert.equal(two.wordOf("t3", 1), undefined);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    one.close();
    two.close();
  }),
);

test(
  "each life begins later than the one before, whatever the clock says",
  withPath((path) => {
    const lives = [1_000, 500, 500.7].map((now) => {
      const journal = openWorkerJournal(path);
      const life = journal.nextLife(now);
      journal.close();
      return life;
    });
    assert.deepEqual(lives, [1_000, 1_001, 1_002]);
  }),
);

test(
  "a torn end and damaged lines cost those lines only",
  withPath((path) => {
    const journal = openWorkerJournal(path);
    journal.begin("t1", 1, 1);
    journal.begin("t2", 1, 1);
    journal.close();
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace('"t1"', '"../t1"') + '{"nonsense":1}\n\0\0\n{"begun":{"ta');
    const next = openWorkerJournal(path);
    assert.equal(next.damaged, 4);
    assert.deepEqual(next.kept.map(({ task }) => task), ["t2"]);
    next.begin("t3", 1, 1);
    next.close();
    const last = openWorkerJournal(path);
    assert.equal(last.damaged, 0);
    assert.deepEqual(last.kept.map(({ task }) => task), ["t2", "t3"]);
    last.close();
  }),
);

test(
  "the file is written anew when it grows, and nothing is forgotten by it",
  withPath((path) => {
    const journal = openWorkerJournal(path, 20_000);
    journal.begin("open", 7, 1);
    for (let i = 0; i < 2_000; i++) journal.note("open", 7, WORD.use);
    for (let i = 0; i < 300; i++) {
      journal.begin(`t${i}`, 1, 1);
      journal.end(`t${i}`, 1, WORD);
      journal.settle(`t${i}`, 1);
    }
    journal.close();
    assert.ok(statSync(path).size < 100_000, `${statSync(path).size} bytes`);
    const next = openWorkerJournal(path);
    assert.deepEqual(next.kept.map(({ task }) => task), ["open"]);
    assert.deepEqual([next.lastEpoch("t0"), next.lastEpoch("t299")], [1, 1]);
    assert.deepEqual([next.wordOf("t299", 1), next.wordOf("t0", 1)], [WORD, undefined]);
    next.close();
  }),
);

test(
  "an attempt that was settled is not kept, also when its settlement comes twice",
  withPath((path) => {
    const journal = openWorkerJournal(path);
    journal.begin("t1", 1, 1);
    journal.end("t1", 1, WORD);
    journal.settle("t1", 1);
    journal.settle("t1", 1);
    journal.close();
    appendFileSync(path, "\n\n");
    const next = openWorkerJournal(path);
    assert.deepEqual([next.kept, next.damaged, next.lastEpoch("t1")], [[], 0, 1]);
    next.close();
  }),
);
