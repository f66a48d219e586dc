import { test } from "node:test";
import assert from "node:assert/strict";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { RefusedError, UserError } from "../../../lib/base/errors.ts";
import type { Event, Happening } from "../../../lib/sweep/event.ts";
import { openJournal } from "../../../lib/store/journal.ts";
import type { Journal } from "../../../lib/store/journal.ts";
import { acquireLease, requireLease } from "../../../lib/store/lease.ts";
import {
  alwaysHeld,
  inFolder,
  leapingClock,
  notes,
  startChild,
} from "../../support/store-folder.ts";

const clock = leapingClock();
const how = { by: "cli:test", at: 1000, lease: alwaysHeld };
const noted = (text: string): Happening => ({ type: "noted", text });
const open = (path: string, snapshot?: string): Journal<string[]> =>
  openJournal({ path, fold: notes, clock, ...(snapshot === undefined ? {} : { snapshot }) });
const eventsIn = (path: string): Event[] =>
  readFileSync(path, "utf8").split("\n").filter((line) => line !== "").map((line) =>
    JSON.parse(line)
  );

test("an append gives each event a number, a time, an actor and a version, and applies it", () =>
  inFolder((folder) => {
    const path = join(folder, "journal.jsonl");
    const journal = open(path);
    journal.append([noted("a"), noted("b\n\u2028")], how);
    journal.append([noted("c")], how);
    assert.deepEqual(journal.state, ["a", "b\n\u2028", "c"]);
    assert.equal(journal.seq, 3);
    assert.deepEqual(eventsIn(path)[1], {
      v: 1,
      seq: 2,
      at: 1000,
      by: "cli:test",
      what: { type: "noted", text: "b\n\u2028" },
    });
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(open(path).state, journal.state);
  }));

test("a journal that does not exist reads as empty and is not made by reading", () =>
  inFolder((folder) => {
    const journal = open(join(folder, "journal.jsonl"));
    assert.deepEqual(journal.refresh(), { events: [], replaced: false });
    assert.deepEqual([journal.seq, journal.state, journal.notices], [0, [], []]);
    assert.deepEqual(readdirSync(folder), []);
  }));

test("a journal cut at any byte opens with every whole event, and the next append goes on", () =>
  inFolder((folder) => {
    const whole = join(folder, "whole.jsonl");
    open(whole).append(["one", "zwei ü", "three\n", "🐑"].map(noted), how);
    const bytes = readFileSync(whole);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const at = join(folder, `${cut}`);
      mkdirSync(at);
      const path = join(at, "journal.jsonl");
      writeFileSync(path, bytes.subarray(0, cut));
      const wholeLines = bytes.subarray(0, cut).filter((byte) => byte === 10).length;
      const torn = cut - (bytes.subarray(0, cut).lastIndexOf(10) + 1);

      const journal = open(path);
      assert.deepEqual(journal.state, ["one", "zwei ü", "three\n", "🐑"].slice(0, wholeLines));
      assert.equal(journal.notices.length, torn > 0 ? 1 : 0, `cut at ${cut}`);
      assert.equal(statSync(path).size, cut, "a reader changes nothing");

      journal.append([noted("next")], how);
      assert.deepEqual(open(path).state, journal.state);
      assert.deepEqual(
        eventsIn(path).map(({ seq }) => seq),
        [...Array(wholeLines + 1).keys()].map((i) => i + 1),
      );
      assert.deepEqual([journal.notices, open(path).notices], [[], []]);
      const saved = readdirSync(at).filter((name) => name.startsWith("journal.torn-"));
      assert.equal(saved.length, torn > 0 ? 1 : 0);
      for (const name of saved) {
        assert.deepEqual(readFileSync(join(at, name)), bytes.subarray(cut - torn, cut));
        assert.equal(statSync(join(at, name)).mode & 0o777, 0o600);
      }
    }
  }));

test("a damaged line in the middle is named by its number and stops nothing", () =>
  inFolder((folder) => {
    const path = join(folder, "journal.jsonl");
    open(path).append(["a", "b", "c"].map(noted), how);
    const lines = readFileSync(path, "utf8").split("\n");
    for (
      const damage of [
        "{torn",
        "\0\0\0",
        "[]",
        "null",
        '{"v":1}',
        '{"v":1,"seq":2,"at":1,"by":"x","what":7}',
        "",
      ]
    ) {
      writeFileSync(path, [lines[0], damage, lines[2], ""].join("\n"));
      const journal = open(path);
      assert.deepEqual(journal.state, ["a", "c"], damage);
      assert.equal(journal.notices.length, 1);
      assert.match(journal.notices[0]!.message, /line 2 is skipped/);
      assert.equal(journal.notices[0]!.line, 2);
      journal.append([noted("d")], how);
      assert.deepEqual(open(path).state, ["a", "c", "d"]);
      assert.equal(eventsIn2(path).at(-1)!.seq, 4);
    }
  }));

function eventsIn2(path: string): Event[] {
  return readFileSync(path, "utf8").split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line) as Event];
    } catch {
      return [];
    }
  });
}

test("a damaged last line keeps its number, so that numbers are never used twice", () =>
  inFolder((folder) => {
    const path = join(folder, "journal.jsonl");
    open(path).append([noted("a")], how);
    appendFileSync(path, "garbage\n");
    const journal = open(path);
    assert.equal(journal.append([noted("b")], how)[0]!.seq, 3);
  }));

test("events of a newer herd are shown around, and nothing is written after them", () =>
  inFolder((folder) => {
    const newer = [
      '{"v":2,"seq":2,"at":1,"by":"x","what":{"type":"noted","text":"?"}}\n',
      '{"v":1,"seq":2,"at":1,"by":"x","what":{"type":"teleported"}}\n',
    ];
    for (const [i, line] of newer.entries()) {
      const path = join(folder, `${i}.jsonl`);
      const snapshot = join(folder, `${i}.json`);
      open(path).append([noted("a")], how);
      appendFileSync(path, line);
      const before = readFileSync(path, "utf8");
      const journal = open(path, snapshot);
      assert.deepEqual(journal.state, ["a"]);
      assert.match(journal.notices[0]!.message, /line 2 .*newer herd/);
      assert.throws(
        () => journal.append([noted("b")], how),
        (error) => error instanceof RefusedError && /newer herd/.test(error.message),
      );
      journal.saveSnapshot(alwaysHeld);
      assert.equal(readFileSync(path, "utf8"), before);
      assert.equal(existsSync(snapshot), false);
    }
  }));

test("a newer herd's event that arrives while we run refuses the next write, too", () =>
  inFolder((folder) => {
    const path = join(folder, "journal.jsonl");
    const journal = open(path);
    journal.append([noted("a")], how);
    appendFileSync(path, '{"v":9,"seq":2}\n');
    assert.throws(() => journal.append([noted("b")], how), RefusedError);
    assert.deepEqual(journal.state, ["a"]);
  }));

test("a reader sees what others append, in order and once, and half a line only when it is whole", () =>
  inFolder((folder) => {
    const path = join(folder, "journal.jsonl");
    const writer = open(path);
    const reader = open(path);
    const heard: string[] = [];
    const stop = reader.onAppend((event) => heard.push(event.by));
    writer.append([noted("a")], { ...how, by: "1" });
    writer.append([noted("b")], { ...how, by: "2" });
    assert.equal(reader.refresh().events.length, 2);
    const line = '{"v":1,"seq":3,"at":1,"by":"3","what":{"type":"noted","text":"c"}}\n';
    appendFileSync(path, line.slice(0, 20));
    assert.deepEqual(reader.refresh().events, []);
    appendFileSync(path, line.slice(20));
    assert.equal(reader.refresh().events.length, 1);
    assert.deepEqual(reader.refresh().events, []);
    assert.deepEqual(reader.state, ["a", "b", "c"]);
    stop();
    writer.append([noted("d")], how);
    reader.refresh();
    assert.deepEqual(heard, ["1", "2", "3"]);
    assert.deepEqual(reader.since(2).map(({ seq }) => seq), [3, 4]);
    assert.deepEqual(reader.since(4), []);
  }));

test("a journal that was cut, replaced or removed is read again from its start, and said so", () =>
  inFolder((folder) => {
    const path = join(folder, "journal.jsonl");
    const other = join(folder, "other.jsonl");
    open(other).append(["x", "y", "zz".repeat(500)].map(noted), how);
    const journal = open(path);
    journal.append(["a", "b"].map(noted), how);
    const firstLine = readFileSync(path).indexOf(10) + 1;

    truncateSync(path, firstLine);
    assert.equal(journal.refresh().replaced, true);
    assert.deepEqual(journal.state, ["a"]);
    assert.match(journal.notices[0]!.message, /cut or replaced/);

    copyFileSync(other, path);
    const { events, replaced } = journal.refresh();
    assert.deepEqual([events.length, replaced, journal.state.length], [3, true, 3]);

    rmSync(path);
    assert.equal(journal.refresh().replaced, true);
    assert.deepEqual(journal.state, []);
    journal.append([noted("new")], how);
    assert.deepEqual(open(path).state, ["new"]);
  }));

test("a line written twice by a file server counts once; another event with its number is kept", () =>
  inFolder((folder) => {
    const path = join(folder, "journal.jsonl");
    open(path).append([noted("a")], how);
    const line = readFileSync(path, "utf8");
    appendFileSync(path, line);
    assert.deepEqual(open(path).state, ["a"]);
    assert.match(open(path).notices[0]!.message, /line 2 .*number 1 again/);
    appendFileSync(path, line.replace('"a"', '"other"'));
    assert.deepEqual(open(path).state, ["a", "other"]);
  }));

test("a listener that fails does not make a written event look unwritten", () =>
  inFolder((folder) => {
    const journal = open(join(folder, "journal.jsonl"));
    journal.onAppend(() => {
      throw new Error("no network");
    });
    journal.append([noted("a")], how);
    assert.deepEqual(journal.state, ["a"]);
    assert.match(journal.notices[0]!.message, /no network/);
  }));

test("a disk that is full leaves the journal as it was, whole, and names the reason", async (t) => {
  if (!existsSync("/dev/full")) return t.skip("no /dev/full here");
  await inFolder(async (folder) => {
    const path = join(folder, "journal.jsonl");
    // A limit on file sizes is the full disk that a test may provoke: a part is written, the rest fails.
    const child = startChild("./store-full-disk.ts", path);
    assert.equal(await child.line(), "refused UserError Cannot write to");
    assert.equal(await child.line(), "state before,small");
    assert.equal(await child.ended, 0);
    assert.deepEqual(open(path).state, ["before", "small"]);
    assert.deepEqual(open(path).notices, []);
  });
});

test("a journal that cannot be written says why in the user's words", () =>
  inFolder((folder) => {
    const path = join(folder, "journal.jsonl");
    mkdirSync(join(folder, "missing"));
    const journal = open(join(folder, "missing", "journal.jsonl"));
    rmSync(join(folder, "missing"), { recursive: true });
    assert.throws(() => journal.append([noted("a")], how), { code: "ENOENT" });
    if (process.getuid?.() === 0) return;
    writeFileSync(path, "", { mode: 0o400 });
    assert.throws(() => open(path).append([noted("a")], how), UserError);
  }));

test("an append without the lease writes nothing", () =>
  inFolder(async (folder) => {
    const path = join(folder, "journal.jsonl");
    const dir = join(folder, "lease");
    const lease = await requireLease({ dir, clock, waitMs: 0, purpose: "first" });
    const journal = open(path);
    journal.append([noted("a")], { ...how, lease });
    lease.release();
    assert.throws(() => journal.append([noted("b")], { ...how, lease }), /given back already/);
    assert.deepEqual(open(path).state, ["a"]);
    assert.deepEqual(journal.state, ["a"]);
    const next = await acquireLease({ dir, clock, waitMs: 0, purpose: "second" });
    assert.ok(!("heldBy" in next));
    journal.append([noted("c")], { ...how, lease: next });
    next.release();
    assert.deepEqual(open(path).state, ["a", "c"]);
  }));

test("G.1.1: eight processes that append 100 times each lose nothing and number strictly", async () => {
  await inFolder(async (folder) => {
    const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const children = names.map((name) => startChild("./store-append.ts", folder, name, "100"));
    assert.deepEqual(await Promise.all(children.map(({ ended }) => ended)), names.map(() => 0));
    const events = eventsIn(join(folder, "journal.jsonl"));
    assert.deepEqual(events.map(({ seq }) => seq), [...Array(800).keys()].map((i) => i + 1));
    const journal = open(join(folder, "journal.jsonl"), join(folder, "snapshot.json"));
    assert.deepEqual(journal.notices, []);
    for (const name of names) {
      const own = journal.state.filter((text) => text.startsWith(`${name}:`));
      assert.deepEqual(own, [...Array(100).keys()].map((i) => `${name}:${i}`));
    }
  });
});
