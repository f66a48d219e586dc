import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";

const HERE = new URL("./", import.meta.url);
const TESTS = new URL("../../", HERE);

/** `"A.17.3, B.23: every command …"` is of both. */
const NAME = /\btest\(\s*(["'`])((?:(?:A\.17|B|C)\.\d+(?:, )?)+): [^"'`\s]/g;

async function rows(): Promise<(readonly [id: string, title: string])[]> {
  const files = readdirSync(HERE).filter((name) => /^broker-rows(-\d)?\.ts$/.test(name));
  const lists = await Promise.all(files.map((name) => import(new URL(name, HERE).href)));
  return lists.flatMap((one) => Object.values(one)).flat() as [string, string][];
}

/** Numbers at the beginning of names of tests, with how many tests have each. */
function seen(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const file of readdirSync(TESTS, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".test.ts")) continue;
    for (const [, , ids] of readFileSync(new URL(file, TESTS), "utf8").matchAll(NAME)) {
      for (const id of ids!.split(", ")) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  }
  return counts;
}

test("each row of the broker's features, and each defect, is seen by a test of that number", async () => {
  const all = await rows();
  assert.ok(all.length >= 88, `${all.length} rows`);
  assert.equal(new Set(all.map(([id]) => id)).size, all.length, "no number stands twice");
  const counts = seen();
  const missing = all.filter(([id]) => !counts.has(id));
  assert.deepEqual(missing, [], "no test has these");
});

test("no test has the number of a row that is not there", async () => {
  const all = await rows();
  const known = new Set(all.map(([id]) => id));
  const lists = new Set(all.map(([id]) => /^[A-Z]/.exec(id)![0]));
  const last = Math.max(...all.flatMap(([id]) => id.startsWith("B.") ? [Number(id.slice(2))] : []));
  const foreign = [...seen().keys()].filter((id) =>
    lists.has(id[0]!) && !known.has(id) && !(id.startsWith("B.") && Number(id.slice(2)) > last)
  );
  assert.deepEqual(foreign, []);
});
