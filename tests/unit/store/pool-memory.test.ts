import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openPoolMemory } from "../../../lib/store/pool-memory.ts";

function withFolder(use: (path: (name: string) => string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "pool-memory-"));
  try {
    use((name) => join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const open = (path: string, problems: string[] = []) =>
  openPoolMemory({ path, onProblem: (message) => void problems.push(message) });

test("a memory that is lost or damaged has the same mark again, another pool another", () =>
  withFolder((path) => {
    const { mark } = open(path("discord.json")).read();
    assert.match(mark, /^[0-9a-z]{6,20}$/);
    assert.equal(open(path("discord.json")).read().mark, mark);
    const problems: string[] = [];
    writeFileSync(path("discord.json"), '{"mark": "torn');
    assert.equal(open(path("discord.json"), problems).read().mark, mark);
    assert.equal(problems.length, 1);
    assert.notEqual(open(path("other.json")).read().mark, mark);
  }));

test("the mark of an older pool stays, and so does that a cursor is a guess", () =>
  withFolder((path) => {
    writeFileSync(path("discord.json"), JSON.stringify({ mark: "oldmark1" }));
    const memory = open(path("discord.json"));
    memory.write({ told: 7, guessed: true });
    const again = open(path("discord.json")).read();
    assert.deepEqual([again.mark, again.told, again.guessed], ["oldmark1", 7, true]);
    memory.write({ guessed: undefined });
    assert.equal(open(path("discord.json")).read().guessed, undefined);
  }));
