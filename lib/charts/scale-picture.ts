import { type PictureHeader, pictureHeader } from "../base/picture-header.ts";

const QUALITY = 75;
/** A few kilobytes can announce a picture that fills all memory. */
const MOST_PIXELS = 50_000_000;

export type ScaledPicture = { jpeg: Uint8Array; width: number; height: number } | {
  cannot: string;
};

interface Box {
  width: number;
  height: number;
}

/** `side`: pixels of the longer one, at the most. */
export type PictureScaler = (bytes: Uint8Array, side: number) => ScaledPicture;

/**
 * Loads what draws; once in a process. What it gives makes a picture a smaller JPEG, upright, on
 * white, without what the camera noted, and takes some 100 MB while it works, up to 500 for the
 * largest with the usual side of 1,200 pixels. `wasm`: `index_bg.wasm` of resvg.
 */
export async function createPictureScaler(wasm: Uint8Array): Promise<PictureScaler> {
  const [{ initWasm, Resvg }, { default: { encode } }] = await Promise.all([
    import("@resvg/resvg-wasm"),
    import("jpeg-js"),
  ]);
  await initWasm(wasm as Uint8Array<ArrayBuffer>);
  return (bytes, side) => {
    const header = pictureHeader(bytes);
    const reason = header === undefined ? "it is no picture that is known" : refusalOf(header);
    if (header?.size === undefined || reason !== undefined) {
      return { cannot: reason ?? "its size is not known" };
    }
    const stored = fitted(header.size, side);
    const steps = stepsFor(header.size, stored);
    const { pixels, width: stride } = new Resvg(drawing(bytes, header, stored, steps)).render();
    // What cannot be decoded is left out without a word.
    if (!pixels.some((value, i) => i % 4 === 3 && value > 0)) {
      return { cannot: "it could not be decoded" };
    }
    const { width, height } = isTurned(header) ? turned(stored) : stored;
    const data = averaged(pixels, stride, { width, height }, steps);
    const jpeg = new Uint8Array(encode({ data, width, height }, QUALITY).data);
    return { jpeg, width, height };
  };
}

function refusalOf({ format, size, components }: PictureHeader): string | undefined {
  if (format === "webp" || format === "gif") return `${format} is not decoded here`;
  if (components === 4) return "its colours are for print (CMYK)";
  if (size === undefined || size.width < 1 || size.height < 1) return "its size is not known";
  const pixels = size.width * size.height;
  return pixels > MOST_PIXELS ? `it has ${Math.round(pixels / 1e6)} million pixels` : undefined;
}

function fitted({ width, height }: Box, side: number): Box {
  const factor = Math.min(1, side / Math.max(width, height));
  return {
    width: Math.max(1, Math.round(width * factor)),
    height: Math.max(1, Math.round(height * factor)),
  };
}

/** Drawn so many times larger and averaged: one step from far larger would drop thin lines of text. */
function stepsFor(from: Box, to: Box): number {
  return Math.max(1, Math.ceil(Math.max(from.width / to.width, from.height / to.height) / 2));
}

function isTurned({ orientation }: PictureHeader): boolean {
  return orientation >= 5;
}

function turned({ width, height }: Box): Box {
  return { width: height, height: width };
}

function drawing(bytes: Uint8Array, header: PictureHeader, stored: Box, steps: number): string {
  const w = stored.width * steps;
  const h = stored.height * steps;
  const outer = isTurned(header) ? { width: h, height: w } : { width: w, height: h };
  const data = Buffer.from(bytes).toString("base64");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${outer.width}" height="${outer.height}">` +
    `<image width="${w}" height="${h}" preserveAspectRatio="none" ` +
    `transform="matrix(${uprighting(header.orientation, w, h)})" ` +
    `href="data:image/${header.format};base64,${data}"/></svg>`;
}

/** From how it is stored to how it is seen, by the numbers of EXIF. */
function uprighting(orientation: number, w: number, h: number): string {
  switch (orientation) {
    case 2:
      return `-1 0 0 1 ${w} 0`;
    case 3:
      return `-1 0 0 -1 ${w} ${h}`;
    case 4:
      return `1 0 0 -1 0 ${h}`;
    case 5:
      return "0 1 1 0 0 0";
    case 6:
      return `0 1 -1 0 ${h} 0`;
    case 7:
      return `0 -1 -1 0 ${h} ${w}`;
    case 8:
      return `0 -1 1 0 0 ${w}`;
    default:
      return "1 0 0 1 0 0";
  }
}

/** Each pixel the mean of `steps` × `steps`, laid on white. The input's colours are multiplied by alpha. */
function averaged(pixels: Uint8Array, stride: number, { width, height }: Box, steps: number) {
  const out = new Uint8Array(width * height * 4);
  const parts = steps * steps;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let red = 0, green = 0, blue = 0, alpha = 0;
      for (let dy = 0; dy < steps; dy++) {
        let at = ((y * steps + dy) * stride + x * steps) * 4;
        for (let dx = 0; dx < steps; dx++, at += 4) {
          red += pixels[at]!;
          green += pixels[at + 1]!;
          blue += pixels[at + 2]!;
          alpha += pixels[at + 3]!;
        }
      }
      const white = 255 - alpha / parts;
      const to = (y * width + x) * 4;
      out[to] = red / parts + white;
      out[to + 1] = green / parts + white;
      out[to + 2] = blue / parts + white;
      out[to + 3] = 255;
    }
  }
  return out;
}
