import assert from "node:assert/strict";
import { test } from "node:test";
import { pictureHeader } from "../../lib/base/picture-header.ts";
import { createScale } from "../../lib/daemon/scale.ts";
import { HERD } from "../support/herd.ts";
import { jpegOf, pngOf, RED, WEBP } from "../support/pictures.ts";

const never = new AbortController().signal;
const scale = createScale({ self: [HERD], log: { write() {} } });

test("the binary makes pictures small enough for a model, and says what it cannot decode", async () => {
  const wide = await scale(pngOf(1_600, 400, () => RED), 1_200, never);
  assert.ok("jpeg" in wide, JSON.stringify(wide));
  assert.deepEqual(pictureHeader(wide.jpeg)?.size, { width: 1_200, height: 300 });
  const turned = await scale(jpegOf(80, 40, () => RED, 6), 1_200, never);
  assert.ok("jpeg" in turned);
  assert.deepEqual(pictureHeader(turned.jpeg)?.size, { width: 40, height: 80 });
  assert.deepEqual(await scale(WEBP, 1_200, never), { cannot: "webp is not decoded here" });
  const empty = await scale(new Uint8Array(), 1_200, never);
  assert.ok("cannot" in empty);
});
