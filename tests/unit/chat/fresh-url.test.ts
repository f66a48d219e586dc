import assert from "node:assert/strict";
import { test } from "node:test";
import { endsSoon, expiryOf } from "../../../lib/chat/fresh-url.ts";

const CDN = "https://cdn.discordapp.com";
const url = (name: string, ex: string) => `${CDN}/attachments/1/2/${name}?ex=${ex}&is=a&hm=b`;

test("an address says itself when it ends", () => {
  assert.equal(expiryOf(url("a", "65d903de")), 0x65d903de * 1_000);
  for (const none of [`${CDN}/a`, `${CDN}/a?ex=`, `${CDN}/a?ex=zz`, "no address", url("a", "1")]) {
    assert.equal(expiryOf(none), undefined);
  }
});

test("an address ends soon when it does so within ten minutes, or has ended", () => {
  const at = 0x65d903de * 1_000;
  assert.deepEqual(
    [at - 600_000, at - 600_001, at + 1].map((now) => endsSoon(url("a", "65d903de"), now)),
    [false, false, true],
  );
  assert.equal(endsSoon(url("a", "65d903de"), at - 599_999), true);
  assert.equal(endsSoon(`${CDN}/a`, at), false);
});
