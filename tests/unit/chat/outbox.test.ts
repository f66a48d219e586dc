import assert from "node:assert/strict";
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  afterSending,
  EMPTY_OUTBOX,
  lookIntoOutbox,
  OUTBOX_LIMITS,
  type OutboxWish,
  undelivered,
} from "../../../lib/chat/outbox.ts";

function scene() {
  const folder = mkdtempSync(join(tmpdir(), "herd-outbox-"));
  const box = join(folder, "outbox");
  mkdirSync(box);
  return {
    folder,
    box,
    put: (name: string, content: string | Uint8Array) => writeFileSync(join(box, name), content),
    look: (more: Partial<OutboxWish> = {}) =>
      lookIntoOutbox({
        folder,
        state: EMPTY_OUTBOX,
        sighted: new Map(),
        over: true,
        now: 1_000,
        ...more,
      }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

const words = (content: Uint8Array) => new TextDecoder().decode(content);

test("a new file is given with its content, once; changed it is new again", () => {
  using at = scene();
  at.put("plot.svg", "one");
  const [file] = at.look().files;
  assert.equal(file!.name, "plot.svg");
  assert.equal(file!.path, join(at.box, "plot.svg"));
  assert.equal(words(file!.content), "one");
  const state = afterSending(EMPTY_OUTBOX, { files: [file!] });
  assert.deepEqual(at.look({ state }).files, []);
  at.put("plot.svg", "two");
  assert.equal(words(at.look({ state }).files[0]!.content), "two");
});

test("what could not be delivered comes again", () => {
  using at = scene();
  at.put("a", "1");
  assert.deepEqual(at.look().files.map(({ key }) => key), at.look().files.map(({ key }) => key));
  assert.equal(at.look().files.length, 1);
});

test("without an outbox there is nothing, and nothing is made", () => {
  using at = scene();
  rmSync(at.box, { recursive: true });
  assert.deepEqual(at.look(), { files: [], notices: [], sighted: new Map(), again: undefined });
});

test("while the turn runs a file has to rest for a second first", () => {
  using at = scene();
  at.put("a.csv", "1");
  const first = at.look({ over: false, now: 1_000 });
  assert.deepEqual([first.files.length, first.again], [0, 2_000]);
  at.put("a.csv", "1,2");
  const second = at.look({ over: false, now: 2_000, sighted: first.sighted });
  assert.deepEqual([second.files.length, second.again], [0, 3_000]);
  assert.equal(at.look({ over: false, now: 2_999, sighted: second.sighted }).files.length, 0);
  assert.equal(at.look({ over: false, now: 3_000, sighted: second.sighted }).files.length, 1);
});

test("a file of the same size that was written again has not come to rest", () => {
  using at = scene();
  at.put("a", "1");
  utimesSync(join(at.box, "a"), 1, 1);
  const { sighted } = at.look({ over: false, now: 0 });
  utimesSync(join(at.box, "a"), 2, 2);
  assert.equal(at.look({ over: false, now: 5_000, sighted }).files.length, 0);
});

test("C.3: links, folders, second names and empty files are not sent; each is told once, with its path", () => {
  using at = scene();
  const secret = join(at.folder, "secret");
  writeFileSync(secret, "key");
  symlinkSync(secret, join(at.box, "link"));
  symlinkSync("/nowhere", join(at.box, "dangling"));
  linkSync(secret, join(at.box, "hard"));
  mkdirSync(join(at.box, "folder"));
  at.put("empty", "");
  at.put(".partial", "x");
  const { files, notices } = at.look();
  assert.deepEqual(files, []);
  assert.equal(notices.length, 5);
  for (const name of ["link", "dangling", "hard", "folder", "empty"]) {
    assert.ok(notices.some(({ text }) => text.includes(`\`${join(at.box, name)}\` was not sent`)));
  }
  const state = afterSending(EMPTY_OUTBOX, { notices });
  assert.deepEqual(at.look({ state }).notices, []);
});

test("an outbox that is itself a link is not followed, and that is told", () => {
  using at = scene();
  const elsewhere = mkdtempSync(join(tmpdir(), "herd-elsewhere-"));
  writeFileSync(join(elsewhere, "id_rsa"), "key");
  rmSync(at.box, { recursive: true });
  symlinkSync(elsewhere, at.box);
  const { files, notices } = at.look();
  assert.deepEqual(files, []);
  assert.match(notices[0]!.text, /not a folder of its own/);
  rmSync(elsewhere, { recursive: true });
});

test("C.3: a file that is too large is named with its path, and does not keep others back", () => {
  using at = scene();
  at.put("a.bin", new Uint8Array(101));
  at.put("b.bin", new Uint8Array(100));
  const { files, notices } = at.look({ limits: { ...OUTBOX_LIMITS, fileBytes: 100 } });
  assert.deepEqual(files.map(({ name }) => name), ["b.bin"]);
  assert.match(
    notices[0]!.text,
    /a\.bin` was not sent: it has 101 bytes, and 100 bytes is the most/,
  );
});

test("ten files in a message, no more bytes than it takes, and all of them in the end", () => {
  using at = scene();
  for (let i = 0; i < 25; i++) at.put(`${String(i).padStart(2, "0")}`, `${i}`.repeat(20));
  let state = EMPTY_OUTBOX;
  const counts: number[] = [];
  for (;;) {
    const { files, again } = at.look({
      state,
      limits: { files: 10, fileBytes: 50, messageBytes: 250 },
    });
    if (files.length === 0) break;
    assert.ok(files.reduce((sum, { bytes }) => sum + bytes, 0) <= 250);
    state = afterSending(state, { files });
    counts.push(files.length);
    assert.equal(again === undefined, state.sent.length === 25);
  }
  assert.deepEqual(counts, [10, 6, 6, 3]);
});

test("a name that is hostile is made harmless where it is shown", () => {
  using at = scene();
  at.put("\u202egpj.`x`\n.sh", "1");
  assert.equal(at.look().files[0]!.name, "gpj._x_.sh");
});

test("a file that gets another name between two looks is sent by that one, and nothing is told", () => {
  using at = scene();
  at.put("a", "1");
  const { sighted } = at.look({ over: false });
  renameSync(join(at.box, "a"), join(at.box, "b"));
  const { files, notices } = at.look({ sighted });
  assert.deepEqual(files.map(({ name }) => name), ["b"]);
  assert.deepEqual(notices, []);
});

test("B.68: a file that vanishes before it could be read is told, once; one that was sent is not", () => {
  using at = scene();
  at.put("a", "1");
  at.put("sent", "2");
  const first = at.look({ over: false });
  const sent = at.look({ over: false, sighted: first.sighted, now: 2_000 });
  assert.deepEqual(sent.files.map(({ name }) => name), ["a", "sent"]);
  at.put("late", "3");
  const second = at.look({ over: false, sighted: sent.sighted, now: 2_100 });
  for (const name of ["sent", "late"]) rmSync(join(at.box, name));
  const { notices, sighted } = at.look({ sighted: second.sighted });
  assert.deepEqual(notices.map(({ text }) => text.replace(at.box, "…")), [
    "⚠️ `…/late` was not sent: it was gone before it could be read",
  ]);
  assert.deepEqual(at.look({ sighted }).notices, []);
});

test("what did not arrive is known by size, also when names were changed on the way", () => {
  const expected = [
    { name: "a b.png", bytes: 10, key: "1" },
    { name: "c.png", bytes: 10, key: "2" },
    { name: "d.png", bytes: 11, key: "3" },
  ];
  const missing = undelivered(expected, [{ name: "a_b.png", bytes: 10 }, {
    name: "d.png",
    bytes: 11,
  }]);
  assert.deepEqual(missing.map(({ key }) => key), ["2"]);
  assert.deepEqual(undelivered(expected, []).length, 3);
});

test("the state stays small however many files are sent", () => {
  let state = EMPTY_OUTBOX;
  for (let i = 0; i < 3_000; i++) state = afterSending(state, { files: [{ key: `${i}` }] });
  assert.equal(state.sent.length, 1_000);
  assert.equal(state.sent.at(-1), "2999");
});
