import assert from "node:assert/strict";
import { test } from "node:test";
import type { Arrival } from "../../../lib/chat/arrival.ts";
import type { ChatHappening } from "../../../lib/chat/chat-event.ts";
import { applyToChat, emptyChat } from "../../../lib/chat/chat-state.ts";
import { createBotVideos } from "../../../lib/daemon/bot-videos.ts";
import { arrival } from "../../support/chat-scene.ts";
import { createSteppedClock } from "../../support/stepped-clock.ts";

const DAY = 86_400_000;
const never = new AbortController().signal;

function scene() {
  const clock = createSteppedClock();
  const state = emptyChat();
  const signed = () =>
    `https://cdn.test/v.mp4?ex=${Math.floor((clock.now() + DAY) / 1_000).toString(16)}`;
  const asked: string[] = [];
  let seq = 0;
  const live = () =>
    createBotVideos({
      clock,
      address({ message, attachment }) {
        asked.push(`${message} ${attachment}`);
        return Promise.resolve(attachment === "gone" ? undefined : signed());
      },
    });
  const hear = (message: Arrival) => {
    const what: ChatHappening = { type: "message-heard", arrival: message, conversation: "200" };
    applyToChat(state, { v: 1, seq: ++seq, at: clock.now(), by: "test", what });
    return message;
  };
  const conversation = () => state.conversations.get("200")!;
  const video = (id: string, attachment = `v${id}`) =>
    hear(arrival(id, "look", {
      attachments: [{
        ...{ id: attachment, name: "demo.mp4", bytes: 5, contentType: "video/mp4" },
        url: signed(),
      }],
    }));
  return { clock, asked, live, hear, video, conversation, signed };
}

test("A.17.30: when the address of an earlier video has ended, the agent gets a fresh one, once", async () => {
  const { clock, asked, live, hear, video, conversation, signed } = scene();
  const videos = live();
  const first = video("m1");
  videos.heard(first);
  assert.deepEqual(await videos.fresh(conversation(), [first], never), []);
  const next = hear(arrival("m2", "and now?"));
  assert.deepEqual(await videos.fresh(conversation(), [next], never), []);
  clock.advance(DAY);
  const [text, more] = await videos.fresh(conversation(), [next], never);
  assert.match(text!, /attached earlier[\s\S]*filename: demo\.mp4/);
  assert.ok(text!.includes(`url: ${signed()}`));
  assert.equal(more, undefined);
  assert.deepEqual(asked, ["m1 vm1"]);
  assert.deepEqual(await videos.fresh(conversation(), [next], never), []);
});

test("A.17.30: after a restart, when the agent takes the conversation up again, it gets fresh addresses", async () => {
  const { live, hear, video, conversation, asked } = scene();
  for (let i = 1; i <= 7; i++) video(`m${i}`);
  video("m8", "gone");
  const next = hear(arrival("m9", "the video again"));
  const texts = await live().fresh(conversation(), [next], never);
  assert.equal(texts.length, 4, "of the last five the one that is gone is left out");
  assert.deepEqual(asked, ["m4 vm4", "m5 vm5", "m6 vm6", "m7 vm7", "m8 gone"]);
  const command = hear(arrival("m10", "<@900> /compact"));
  assert.deepEqual(await live().fresh(conversation(), [command], never), []);
});
