import assert from "node:assert/strict";
import { test } from "node:test";
import { expiryOf, withFreshUrls } from "../../../lib/chat/fresh-url.ts";

const CDN = "https://cdn.discordapp.com";
const url = (name: string, ex: string) => `${CDN}/attachments/1/2/${name}?ex=${ex}&is=a&hm=b`;

test("an address says itself when it ends", () => {
  assert.equal(expiryOf(url("a", "65d903de")), 0x65d903de * 1_000);
  for (const none of [`${CDN}/a`, `${CDN}/a?ex=`, `${CDN}/a?ex=zz`, "no address", url("a", "1")]) {
    assert.equal(expiryOf(none), undefined);
  }
});

test("A.17.30: in what is said again, addresses that have ended are replaced, others stay", async () => {
  const now = 0x65d903de * 1_000;
  const ended = url("a.mp4", "65d903dd");
  const soon = url("b.mp4", "65d90400");
  const later = url("c.mp4", "75d903de");
  const elsewhere = ended.replace("cdn.discordapp.com", "cdn.evil.test");
  const asked: string[] = [];
  const fresh = await withFreshUrls(`url: ${ended}\n<${soon}> (${later}) ${elsewhere}`, {
    origins: [CDN],
    now,
    refresh: (urls) => {
      asked.push(...urls);
      return Promise.resolve(
        new Map([[ended, url("a.mp4", "7fffffff")], [soon, "https://evil.test/x"]]),
      );
    },
  });
  assert.deepEqual(asked.sort(), [ended, soon].sort());
  assert.equal(fresh, `url: ${url("a.mp4", "7fffffff")}\n<${soon}> (${later}) ${elsewhere}`);
});

test("nobody is asked when nothing has ended, and many are asked fifty at a time", async () => {
  const sizes: number[] = [];
  const parts = {
    origins: [CDN],
    now: 1e12,
    refresh: (urls: readonly string[]) => {
      sizes.push(urls.length);
      return Promise.resolve(new Map<string, string>());
    },
  };
  assert.equal(await withFreshUrls("no address", parts), "no address");
  assert.deepEqual(sizes, []);
  const many = Array.from({ length: 120 }, (_, i) => url(`${i}`, "00000a")).join(" ");
  assert.equal(await withFreshUrls(many, parts), many);
  assert.deepEqual(sizes, [50, 50, 20]);
});
