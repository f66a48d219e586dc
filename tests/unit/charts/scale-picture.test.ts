import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "jpeg-js";
import { pictureHeader } from "../../../lib/base/picture-header.ts";
import { createPictureScaler } from "../../../lib/charts/scale-picture.ts";
import { pictureWasm } from "../../../lib/daemon/picture-materials.ts";
import { BLUE, GIF, jpegOf, type Paint, pngOf, RED, WEBP } from "../../support/pictures.ts";

const scaler = createPictureScaler(pictureWasm());
const scaled = async (bytes: Uint8Array, side = 1_200) => (await scaler)(bytes, side);
const halves = (width: number): Paint => (x) => x < width / 2 ? RED : BLUE;

async function seen(bytes: Uint8Array, side?: number) {
  const result = await scaled(bytes, side);
  assert.ok("jpeg" in result, JSON.stringify(result));
  const { data, width, height } = decode(result.jpeg, { useTArray: true });
  assert.deepEqual([width, height], [result.width, result.height]);
  return {
    width,
    height,
    at: (x: number, y: number) =>
      Array.from(data.subarray((y * width + x) * 4, (y * width + x) * 4 + 3)),
  };
}

function near(found: number[], wanted: readonly number[]): void {
  for (const [i, value] of found.entries()) {
    assert.ok(Math.abs(value - wanted[i]!) < 40, `${found} is not ${wanted.slice(0, 3)}`);
  }
}

test("the longer side becomes 1,200 pixels, a smaller picture keeps its size", async () => {
  const cases = [[1_500, 300, 1_200, 240], [260, 1_300, 240, 1_200], [300, 200, 300, 200]] as const;
  for (const [width, height, wide, high] of cases) {
    const picture = await seen(pngOf(width, height, halves(width)));
    assert.deepEqual([picture.width, picture.height], [wide, high]);
    near(picture.at(10, 10), RED);
    near(picture.at(wide - 10, high - 10), BLUE);
  }
});

test("the longer side is as long as is wanted", async () => {
  for (const side of [64, 400, 2_000]) {
    const { width, height } = await seen(pngOf(1_500, 750, halves(1_500)), side);
    assert.deepEqual([width, height], [Math.min(side, 1_500), Math.min(side, 1_500) / 2]);
  }
});

test("a photograph stands upright, however the camera was held", async () => {
  const corners: [number, number, number, readonly number[]][] = [
    // orientation, and where the half that is stored on the left is seen
    [1, 40, 100, RED],
    [2, 160, 100, RED],
    [3, 160, 100, RED],
    [4, 40, 100, RED],
    [5, 50, 40, RED],
    [6, 50, 40, RED],
    [7, 50, 160, RED],
    [8, 50, 160, RED],
  ];
  for (const [orientation, x, y, colour] of corners) {
    const picture = await seen(jpegOf(200, 120, halves(200), orientation));
    const tall = orientation >= 5;
    assert.deepEqual([picture.width, picture.height], tall ? [120, 200] : [200, 120]);
    near(picture.at(x, y), colour);
  }
});

test("what can be seen through lies on white", async () => {
  near((await seen(pngOf(64, 64, () => [255, 0, 0, 128]))).at(30, 30), [255, 127, 127]);
});

test("thin lines of a large picture are still there", async () => {
  const picture = await seen(
    pngOf(6_000, 60, (x) => x % 5 === 0 ? [0, 0, 0, 255] : [255, 255, 255, 255]),
  );
  for (let x = 100; x < 1_100; x += 7) near(picture.at(x, 6), [204, 204, 204]);
});

test("what cannot be decoded is told, not drawn white", async () => {
  const png = pngOf(64, 64, () => RED);
  const bomb = png.slice();
  new DataView(bomb.buffer).setUint32(16, 60_000);
  new DataView(bomb.buffer).setUint32(20, 60_000);
  const hostile: [Uint8Array, RegExp][] = [
    [bomb, /3600 million pixels/],
    [WEBP, /webp/],
    [GIF, /gif/],
    [png.slice(0, 40), /could not be decoded/],
    [new TextEncoder().encode("<svg onload='x'>".repeat(9)), /no picture/],
    [new Uint8Array(), /no picture/],
    [Uint8Array.of(0xff, 0xd8, ...new Array(100).fill(0xff)), /size/],
    [pngOf(8, 8, () => [0, 0, 0, 0]), /could not be decoded/],
  ];
  for (const [bytes, reason] of hostile) {
    const result = await scaled(bytes);
    assert.ok("cannot" in result);
    assert.match(result.cannot, reason);
  }
});

test("a damaged header is read without a fault, wherever it is cut", () => {
  const jpeg = jpegOf(20, 20, () => RED, 6);
  assert.equal(pictureHeader(jpeg)!.orientation, 6);
  for (let end = 0; end < Math.min(jpeg.length, 700); end++) pictureHeader(jpeg.slice(0, end));
  for (let at = 2; at < 700 && at < jpeg.length; at++) {
    const broken = jpeg.slice();
    broken[at] = 255 - broken[at]!;
    const header = pictureHeader(broken);
    assert.ok(header === undefined || (header.orientation >= 1 && header.orientation <= 8));
  }
});
