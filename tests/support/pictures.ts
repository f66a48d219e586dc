import { crc32, deflateSync } from "node:zlib";
import { encode } from "jpeg-js";

/** Red, green, blue, alpha of a pixel. */
export type Colour = readonly [number, number, number, number];
export type Paint = (x: number, y: number) => Colour;

export const RED: Colour = [255, 0, 0, 255];
export const BLUE: Colour = [0, 0, 255, 255];

/** A PNG of 8 bits with alpha. */
export function pngOf(width: number, height: number, paint: Paint): Uint8Array {
  const raw = new Uint8Array(height * (1 + width * 4));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) raw.set(paint(x, y), y * (1 + width * 4) + 1 + x * 4);
  }
  const head = new DataView(new ArrayBuffer(13));
  head.setUint32(0, width);
  head.setUint32(4, height);
  head.setUint32(8, 0x08060000);
  return joined(
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", new Uint8Array(head.buffer)),
    chunk("IDAT", deflateSync(raw)),
    chunk("IEND", new Uint8Array()),
  );
}

/** Not a Buffer, whose slices share their bytes. */
function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function chunk(name: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(name), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length);
  out.set(body, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** A JPEG, by request with a note of how the camera was held. */
export function jpegOf(
  width: number,
  height: number,
  paint: Paint,
  orientation?: number,
): Uint8Array {
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set(paint(x, y), (y * width + x) * 4);
  }
  const jpeg = new Uint8Array(encode({ data, width, height }, 95).data);
  if (orientation === undefined) return jpeg;
  const exif = Buffer.from("Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01", "latin1");
  const note = Buffer.concat([exif, Uint8Array.of(0, orientation, 0, 0, 0, 0, 0, 0)]);
  const head = Uint8Array.of(0xff, 0xd8, 0xff, 0xe1, 0, note.length + 2);
  return joined(head, note, jpeg.subarray(2));
}

/** 16 × 8 pixels, the left half red, the right half blue. */
export const WEBP: Uint8Array = Buffer.from(
  "UklGRkQAAABXRUJQVlA4IDgAAAAwAgCdASoQAAgAAMASJaACdLoB+AH4gARoAAD+/Suf/9+gm/93m/10S8z/60c//rRl" +
    "cH9aOb+gAA==",
  "base64",
);

export const GIF: Uint8Array = Buffer.from(
  "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7",
  "base64",
);
