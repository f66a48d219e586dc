import assert from "node:assert/strict";
import { test } from "node:test";
import { parseListing } from "../../../lib/mirror/listing.ts";
import { wantedOf } from "../../../lib/mirror/wanted.ts";
import type { Listed } from "../../../lib/mirror/listing.ts";
import type { Fetched } from "../../../lib/mirror/wanted.ts";

test("a listing is files with their size and times, whatever their names", () => {
  const listing = parseListing(
    "1700000000.500000000\n" +
      '{"id":"a"} \n' +
      "1699999999.25 12 77 events/ab/3.tsv\0" +
      "1699999998 4 78 results/1/a b\nc.jsonl\0end 0",
  );
  assert.deepEqual(listing, {
    at: 1_700_000_000_500,
    isPartial: false,
    marker: '{"id":"a"} ',
    files: [
      { path: "events/ab/3.tsv", size: 12, modified: "1699999999.25", inode: "77" },
      { path: "results/1/a b\nc.jsonl", size: 4, modified: "1699999998", inode: "78" },
    ],
  });
});

test("a path that leads out of the folders is nobody's", () => {
  for (
    const path of ["events/../../x", "../x", "/etc/passwd", "journal.jsonl", "events", "logs//x"]
  ) {
    assert.deepEqual(parseListing(`1700000000.0\n\n1 1 1 ${path}\0end 0`)?.files, [], path);
  }
});

test("what is cut short, or no listing at all, is none", () => {
  for (const text of ["", "1700000000.0\n", "1700000000.0\n\n1 1 1 logs/x\0", "%s.%N\n\nend 0"]) {
    assert.equal(parseListing(text), undefined, text);
  }
  assert.equal(parseListing("1700000000.0\n\nend 1")?.isPartial, true);
});

const MIB = 1024 * 1024;

function wanted(file: Partial<Listed>, known: Partial<Fetched> | undefined, here?: number) {
  const listed = { path: "logs/1.out", size: 10, modified: "5", inode: "1", ...file };
  const before = known === undefined
    ? new Map()
    : new Map([[listed.path, { size: 10, modified: "5", inode: "1", ...known }]]);
  return wantedOf([listed], before, () => here).map(({ from, length }) => ({ from, length }));
}

test("of a file that grew the new bytes are wanted, of one that did not none", () => {
  assert.deepEqual(wanted({ size: 25 }, { size: 10 }, 10), [{ from: 10, length: 15 }]);
  assert.deepEqual(wanted({}, {}, 10), []);
});

test("a file that is new, shorter, another one, or rewritten is wanted whole", () => {
  assert.deepEqual(wanted({}, undefined), [{ from: 0, length: 10 }]);
  assert.deepEqual(wanted({ size: 4 }, { size: 10 }, 10), [{ from: 0, length: 4 }]);
  assert.deepEqual(wanted({ inode: "2", size: 12 }, {}, 10), [{ from: 0, length: 12 }]);
  assert.deepEqual(wanted({ modified: "6" }, {}, 10), [{ from: 0, length: 10 }]);
});

test("a record that was only touched is not fetched", () => {
  assert.deepEqual(wanted({ path: "events/a/1.tsv", modified: "6" }, {}, 10), []);
});

test("what is here and not known to be whole goes on from where it is known, or from its end", () => {
  assert.deepEqual(wanted({ size: 20 }, { size: 10 }, 7), [{ from: 0, length: 20 }]);
  assert.deepEqual(wanted({ size: 20 }, { size: 10 }, 15), [{ from: 10, length: 10 }]);
  assert.deepEqual(wanted({ size: 3 * MIB }, undefined, 2 * MIB), [{ from: 2 * MIB, length: MIB }]);
});

test("a result that is written anew each time is wanted whole, one that grows from its end", () => {
  const json = { path: "results/1/state.json", size: 25, modified: "6" };
  assert.deepEqual(wanted(json, { size: 10 }, 10), [{ from: 0, length: 25 }]);
  const lines = { path: "results/1/stream/loss.jsonl", size: 25, modified: "6" };
  assert.deepEqual(wanted(lines, { size: 10 }, 10), [{ from: 10, length: 15 }]);
});

test("a large result that is half here goes on while it stays as it was", () => {
  const file = { path: "results/1/model.pt", size: 20 * MIB };
  assert.deepEqual(wanted(file, { size: 8 * MIB }, 8 * MIB), [{ from: 8 * MIB, length: 8 * MIB }]);
  const changed = { ...file, modified: "6" };
  assert.deepEqual(wanted(changed, { size: 8 * MIB }, 8 * MIB), [{ from: 0, length: 8 * MIB }]);
});

test("of one file at most 8 MiB come in one round, and endings come before logs", () => {
  assert.deepEqual(wanted({ size: 100 * MIB }, undefined), [{ from: 0, length: 8 * MIB }]);
  const files = ["logs/1.out", "results/1/x", "events/a/1.tsv"]
    .map((path) => ({ path, size: 1, modified: "1", inode: "1" }));
  const order = wantedOf(files, new Map(), () => undefined).map(({ file }) => file.path);
  assert.deepEqual(order, ["events/a/1.tsv", "results/1/x", "logs/1.out"]);
});
