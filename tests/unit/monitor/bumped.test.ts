import assert from "node:assert/strict";
import { test } from "node:test";
import { bumped, ceilingOf, raisedTo } from "../../../lib/monitor/bumped.ts";
import { parseDuration } from "../../../lib/sweep/duration.ts";
import { timeYaml } from "../../../lib/sweep/edit-yaml.ts";
import { formatMemory, parseMemory } from "../../../lib/sweep/memory.ts";

function memory(from: string, percent = 50, ceiling?: string): string {
  const most = ceiling === undefined ? undefined : parseMemory(ceiling);
  const found = bumped(parseMemory(from), percent, { what: "memory", ceiling: most });
  return "to" in found ? formatMemory(found.to) : found.cannot;
}

function time(from: string, percent = 50, ceiling?: string): string {
  const most = ceiling === undefined ? undefined : parseDuration(ceiling) ?? undefined;
  const found = bumped(parseDuration(from), percent, { what: "time", ceiling: most });
  return "to" in found ? timeYaml(found.to) : found.cannot;
}

test("G.1.10: a bump of memory is what SLURM accepts, whatever form it had", () => {
  assert.equal(memory("8G"), "12G");
  assert.equal(memory("1500M"), "2250M");
  assert.equal(memory("1500MB"), "2250M");
  assert.equal(memory("1G"), "1536M");
  assert.equal(memory("1.5G"), "2304M");
  assert.equal(memory("1"), "2M");
  assert.equal(memory("512000K"), "750M");
  assert.equal(memory("2T"), "3T");
  assert.equal(memory("1001M"), "1502M");
  for (const from of ["8G", "1500M", "7777M", "3G", "33K", "900G"]) {
    for (const percent of [1, 10, 33, 50, 99.5]) {
      const to = memory(from, percent);
      assert.match(to, /^[1-9]\d*[MGT]$/, `${from} + ${percent} %`);
      assert.ok(parseMemory(to) > parseMemory(from));
      assert.ok(parseMemory(to) >= parseMemory(from) * (1 + percent / 100) - 1e-6);
    }
  }
});

test("G.1.10: a bump of time keeps minutes minutes and days days", () => {
  assert.equal(time("60"), "1:30:00");
  assert.equal(time("01:00:00"), "1:30:00");
  assert.equal(time("1-12"), "2-06:00:00");
  assert.equal(time("1-12:00:00"), "2-06:00:00");
  assert.equal(time("1"), "0:02:00");
  assert.equal(time("0:30"), "0:02:00");
  assert.equal(time("45:00"), "1:08:00");
  assert.equal(time("UNLIMITED"), "Time is unlimited already");
  assert.equal(time("60", 10), "1:06:00");
});

test("A bump stops at the ceiling, and is refused where it is reached", () => {
  assert.equal(memory("8G", 50, "10G"), "10G");
  assert.equal(memory("8G", 50, "12G"), "12G");
  assert.equal(memory("8G", 50, "8G"), "Memory is at its ceiling of 8G already");
  assert.equal(memory("8G", 50, "6G"), "Memory is at its ceiling of 6G already");
  assert.equal(time("60", 50, "75"), "1:15:00");
  assert.equal(time("60", 50, "60"), "Time is at its ceiling of 1h already");
  // Whole minutes, also where the partition's limit is none.
  assert.deepEqual(bumped(3600, 50, { what: "time", ceiling: 4000 }), { to: 3960 });
  assert.deepEqual(bumped(3600, 50, { what: "time", ceiling: 3630 }), {
    cannot: "Time is at its ceiling of 1h already",
  });
});

test("All of a node's memory cannot be raised, nor by nothing", () => {
  assert.equal(memory("0"), "Memory is all of a node's already");
  assert.match(memory("8G", 0), /^A bump of 0 %/);
  assert.match(memory("8G", -50), /^A bump of -50 %/);
  assert.match(memory("8G", NaN), /^A bump of NaN %/);
  assert.match(memory("8G", Infinity), /^A bump of Infinity %/);
});

test("A named size is rounded and limited in the same way", () => {
  const kind = { what: "memory", ceiling: 20_480 } as const;
  assert.deepEqual(raisedTo(8192, 16_384, kind), { to: 16_384 });
  assert.deepEqual(raisedTo(8192, 99_999, kind), { to: 20_480 });
  assert.deepEqual(raisedTo(8192, 4096, kind), {
    cannot: "Memory is 8G already, more than 4G; a bump only raises",
  });
  assert.deepEqual(raisedTo(8192, NaN, kind), { cannot: "Memory is 8G already" });
  assert.deepEqual(raisedTo(3600, 5401, { what: "time", ceiling: undefined }), { to: 5460 });
});

test("The least of the known limits is the ceiling", () => {
  assert.equal(ceilingOf(undefined, null), undefined);
  assert.equal(ceilingOf(null, 10, undefined, 7), 7);
});
