import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { ATTACHMENT_DEFAULTS } from "../../../lib/chat/broker-defaults.ts";
import type { BotConfig } from "../../../lib/chat/broker-config.ts";
import type { Conversation } from "../../../lib/chat/chat-state.ts";
import type { Turn } from "../../../lib/chat/turn.ts";
import { createBotOutbox } from "../../../lib/daemon/bot-outbox.ts";
import type { BrokerVoice } from "../../../lib/discord/broker-voice.ts";

function scene(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), "herd-outbox-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, "work/outbox"), { recursive: true });
  const sent: string[] = [];
  const remarks: string[] = [];
  const keys: string[] = [];
  const parts = { isDown: false, drops: 0 };
  const voice: BrokerVoice = {
    remark: (_, text) => Promise.resolve(void remarks.push(text)),
    files(_, files, key) {
      keys.push(key);
      if (parts.drops-- > 0) return Promise.resolve([]);
      if (parts.isDown) return Promise.resolve({ failed: "Discord is out" });
      sent.push(...files.map(({ name }) => name));
      return Promise.resolve(
        files.map(({ name, bytes }) => ({
          id: "1",
          name,
          url: "",
          bytes: bytes.length,
          contentType: "",
        })),
      );
    },
  };
  const open = () =>
    createBotOutbox({
      sessions: join(root, "sessions"),
      config: () => ({ attachments: ATTACHMENT_DEFAULTS }) as BotConfig,
      find: (id) => ({ id }) as Conversation,
      filesOf: () => Promise.resolve(join(root, "work")),
      voice,
      // Nothing is waited for.
      clock: { now: Date.now, sleep: () => new Promise((next) => setImmediate(next)) },
      log() {},
    });
  const over = { conversation: "7", state: { kind: "done" } } as Turn;
  return { root, sent, remarks, keys, parts, open, over };
}

async function settled(outbox: ReturnType<typeof createBotOutbox>, is: () => boolean) {
  const end = Date.now() + 5_000;
  while (!is()) {
    if (Date.now() > end) throw new Error("Never");
    await new Promise((next) => setImmediate(next));
  }
  await outbox[Symbol.asyncDispose]();
}

test("what the agent put there is sent once, also by the next life", async (t) => {
  const { root, sent, open, over } = scene(t);
  writeFileSync(join(root, "work/outbox/a.txt"), "a");
  const first = open();
  first.heed(over);
  await settled(first, () => sent.length === 1);
  writeFileSync(join(root, "work/outbox/b.txt"), "b");
  const next = open();
  next.heed(over);
  await settled(next, () => sent.length === 2);
  assert.deepEqual(sent, ["a.txt", "b.txt"]);
});

test("B.68: a message that Discord took without its file is told, and the file sent in another", async (t) => {
  const { root, sent, remarks, keys, parts, open, over } = scene(t);
  writeFileSync(join(root, "work/outbox/a.txt"), "a");
  parts.drops = 1;
  const outbox = open();
  outbox.heed(over);
  await settled(outbox, () => sent.length === 1);
  assert.deepEqual(remarks, [
    "⚠️ Files did not arrive: a.txt: Discord took the message without them",
  ]);
  assert.equal(new Set(keys).size, 2);
});

test("what does not arrive is said, and is sent after a later turn", async (t) => {
  const { root, sent, remarks, parts, open, over } = scene(t);
  writeFileSync(join(root, "work/outbox/a.txt"), "a");
  parts.isDown = true;
  const first = open();
  first.heed(over);
  await settled(first, () => remarks.length === 3);
  assert.match(remarks[0]!, /a\.txt.*Discord is out/);
  parts.isDown = false;
  const next = open();
  next.heed(over);
  await settled(next, () => sent.length === 1);
});

test("what was left when herd was killed after a turn is sent by its next life", async (t) => {
  const { root, sent, open } = scene(t);
  writeFileSync(join(root, "work/outbox/late.txt"), "x");
  const next = open();
  next.start(["7"]);
  await settled(next, () => sent.includes("late.txt"));
  const again = open();
  again.start(["7"]);
  await again[Symbol.asyncDispose]();
  assert.deepEqual(sent, ["late.txt"]);
});
