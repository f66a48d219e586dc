import assert from "node:assert/strict";
import { test } from "node:test";
import { createMailbox } from "../../../lib/discord/create-mailbox.ts";
import { isAllowed } from "../../../lib/discord/fetch-attachment.ts";
import { findLetter, writeLetter } from "../../../lib/discord/mailbox-letter.ts";
import type { Message, Outgoing } from "../../../lib/discord/message.ts";
import { createStream } from "../../../lib/sweep/random.ts";
import { isProof, newMailboxCode, proofOf } from "../../../lib/tasks/mailbox-envelope.ts";
import { codeText, readEnvelope, readMailboxCode } from "../../../lib/tasks/mailbox-envelope.ts";
import { createMailDiscord } from "../../support/mail-discord.ts";
import { createVirtualTime } from "../../support/virtual-time.ts";

const MINUTE = 60_000;

function asMessage({ content = "", files = [] }: Outgoing): Message {
  return {
    content,
    attachments: files.map(({ name, bytes }) => ({
      id: "1",
      name,
      url: "",
      bytes: bytes.length,
      contentType: "",
    })),
    type: 0,
  } as unknown as Message;
}

test("a letter comes back as it was, with fences, mentions and line breaks in it, and pings its reader alone", () => {
  const json = { v: 1, report: "```\n@everyone <@1> `x` \\u0060 \u2028 ü" };
  const written = writeLetter({ line: "`[READY]` @everyone\n```", json, to: "7", mark: "abc" });
  assert.deepEqual(written.pings, { users: ["7"] });
  assert.equal(written.content!.split("```").length, 3);
  const found = findLetter(asMessage(written));
  assert.ok(found !== undefined && "text" in found);
  assert.deepEqual(JSON.parse(found.text), { mark: "abc", ...json });
});

test("a letter that is longer than a message is a file, and never more than Discord takes", () => {
  const json = { v: 1, report: "x".repeat(5_000) };
  const written = writeLetter({ line: "l".repeat(5_000), json, to: "7", mark: "abc" });
  assert.ok(written.content!.length <= 2_000);
  const found = findLetter(asMessage(written));
  assert.ok(found !== undefined && "file" in found);
  assert.deepEqual(
    JSON.parse(new TextDecoder().decode(written.files![0]!.bytes)).report,
    json.report,
  );
});

test("a code proves one bot in one mailbox: who saw the proof can do nothing with it", () => {
  const code = newMailboxCode({ channel: "11", coordinator: "22" });
  assert.deepEqual(readMailboxCode(codeText(code)), code);
  const proof = proofOf(code, "33");
  assert.ok(isProof(code, "33", proof));
  assert.ok(!isProof(code, "44", proof));
  assert.ok(!isProof({ ...code, channel: "12" }, "33", proof));
  assert.ok(!proof.includes(code.secret));
  for (
    const wrong of [
      "",
      "1.2",
      "a.2.AAAAAAAAAAAAAAAAAAAA",
      "1.2.AAAAAAAAAAAAAAAAAAAA.x",
      "1.2.; rm -rf ~",
    ]
  ) {
    assert.equal(readMailboxCode(wrong), undefined, wrong);
  }
});

test("what is no envelope is none, however it looks", () => {
  for (
    const text of [undefined, "", "{", "[]", '{"v":2}', '{"v":1,"files":[{"task":"../x"}]}', "null"]
  ) assert.equal(readEnvelope(text), undefined, text);
  assert.deepEqual(readEnvelope('{"v":1,"new":true}'), { v: 1, files: [] });
});

test("files are fetched from Discord's own hosts alone", () => {
  const api = "http://127.0.0.1:4000/api";
  for (const url of ["https://cdn.discordapp.com/a/b", "http://127.0.0.1:4000/files/x"]) {
    assert.ok(isAllowed(url, api), url);
  }
  for (
    const url of [
      "http://cdn.discordapp.com/a",
      "https://cdn.discordapp.com.evil.org/a",
      "https://cdn.discordapp.com:8443/a",
      "https://u@cdn.discordapp.com/a",
      "http://127.0.0.1:4001/x",
      "http://169.254.169.254/latest",
      "file:///etc/passwd",
      "x",
    ]
  ) assert.ok(!isAllowed(url, api), url);
});

function boxes() {
  const time = createVirtualTime();
  const discord = createMailDiscord(time, createStream(3, "mailbox"));
  const client = (bot: string) => ({
    bot,
    reach: (act: () => void) => act(),
    isCut: () => false,
    clock: time.clock,
  });
  const box = (me: string, peer: string) =>
    createMailbox({
      rest: discord.rest(client(me)),
      channel: "box",
      me,
      peer,
      clock: time.clock,
      fetchFile: () => Promise.reject(new Error("none")),
      isLive: () => true,
      goesOn: false,
    });
  const done = async <T>(work: Promise<T>): Promise<T> => {
    let outcome: { value: T } | { error: unknown } | undefined;
    work.then((value) => outcome = { value }, (error) => outcome = { error });
    for (let i = 0; i < 100 && outcome === undefined; i++) await time.runUntil(time.now() + 1_000);
    if (outcome === undefined) throw new Error("It does not come to an end");
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  };
  return { time, discord, box, done };
}

test("one message is edited in place, and a new one is posted after 45 minutes", async () => {
  const { time, discord, box, done } = boxes();
  const mine = box("1", "2");
  const theirs = box("2", "1");
  for (let i = 0; i < 44; i++) {
    await done(mine.put({ line: "x", json: { v: 1, i } }));
    await time.runUntil(time.now() + MINUTE);
  }
  assert.equal(discord.messages("box").length, 1);
  for (let i = 44; i < 60; i++) {
    await done(mine.put({ line: "x", json: { v: 1, i } }));
    await time.runUntil(time.now() + MINUTE);
  }
  assert.equal(discord.messages("box").length, 2);
  const { letter, now } = await done(theirs.look());
  assert.equal(JSON.parse((await letter!.text())!).i, 59);
  assert.ok(now - letter!.at >= MINUTE - 2_000 && now - letter!.at < 2 * MINUTE, "Discord's clock");
});

test("a post of which nobody knows whether it is there is not made twice, soon or late", async () => {
  for (const pauseMs of [10_000, 10 * MINUTE]) {
    const { time, discord, box, done } = boxes();
    const mine = box("1", "2");
    discord.faults.loseAnswer = 1;
    await assert.rejects(done(mine.put({ line: "x", json: { v: 1, i: 1 } })));
    assert.equal(discord.messages("box").length, 1);
    discord.faults.loseAnswer = 0;
    await time.runUntil(time.now() + pauseMs);
    await done(mine.put({ line: "x", json: { v: 1, i: 2 } }));
    const all = discord.messages("box");
    assert.equal(all.length, 1, `after ${pauseMs} ms`);
    assert.match(all[0]!.content, /"i":2/, "it says what is so now, not what was so then");
  }
});

test("an event that is late, doubled or of somebody else is no letter", () => {
  const { box } = boxes();
  const theirs = box("2", "1");
  const heard: string[] = [];
  theirs.onLetter(({ id, at }) => heard.push(`${id} ${at}`));
  const letter = (id: string, at: number, author = "1", more = {}): Message => ({
    ...asMessage(writeLetter({ line: "", json: { v: 1 }, to: "2", mark: "m" })),
    id,
    channelId: "box",
    at: 1,
    editedAt: at,
    author: { id: author, name: "", bot: true, webhook: false },
    ...more,
  });
  theirs.hear(letter("100", 10));
  theirs.hear(letter("100", 30));
  theirs.hear(letter("100", 20));
  theirs.hear(letter("90", 40));
  theirs.hear(letter("200", 50, "3"));
  theirs.hear(letter("201", 50, "1", { author: { id: "1", name: "", bot: true, webhook: true } }));
  theirs.hear(letter("202", 50, "1", { channelId: "other" }));
  assert.deepEqual(heard, ["100 10", "100 30"]);
});

test("a HELLO or WELCOME that comes later is in nobody's way: the letter before it goes on to count", async () => {
  const { discord, box, done } = boxes();
  const mine = box("1", "2");
  const theirs = box("2", "1");
  const heard: string[] = [];
  theirs.onLetter(({ id }) => heard.push(id));
  await done(mine.put({ line: "x", json: { v: 1, i: 1 } }));
  for (const [n, json] of [{ hello: { proof: "p" } }, { welcome: { worker: "w" } }].entries()) {
    // Another `herd worker --code …` of the same bot, as one that was started twice.
    await done(box("1", "2").put({ line: "HELLO", json: { v: 1, ...json } }));
    await done(mine.put({ line: "x", json: { v: 1, i: n + 2 } }));
    const { letter } = await done(theirs.look());
    assert.equal(JSON.parse((await letter!.text())!).i, n + 2);
  }
  for (const message of discord.messages("box")) theirs.hear(message as unknown as Message);
  assert.deepEqual(new Set(heard), new Set([discord.messages("box")[0]!.id]));
});
