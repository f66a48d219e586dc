/** What the first bytes of a picture say. */
export interface PictureHeader {
  format: "jpeg" | "png" | "gif" | "webp";
  /** Pixels as they are stored; undefined where the header was not understood. */
  size: { width: number; height: number } | undefined;
  /** How a camera was held, as EXIF numbers it from 1 to 8; 1 is upright. */
  orientation: number;
  /** Of a JPEG: 1 grey, 3 colour, 4 for print (CMYK). */
  components: number | undefined;
}

/** The format by its signature, never by a name; undefined for what is none of the four. */
export function pictureHeader(bytes: Uint8Array): PictureHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 24) return undefined;
  if (view.getUint32(0) === 0x89504e47 && view.getUint32(4) === 0x0d0a1a0a) {
    const size = { width: view.getUint32(16), height: view.getUint32(20) };
    return { format: "png", size, orientation: 1, components: undefined };
  }
  if (asciiAt(bytes, 0, 4) === "GIF8") {
    const size = { width: view.getUint16(6, true), height: view.getUint16(8, true) };
    return { format: "gif", size, orientation: 1, components: undefined };
  }
  if (asciiAt(bytes, 0, 4) === "RIFF" && asciiAt(bytes, 8, 4) === "WEBP") {
    return { format: "webp", size: undefined, orientation: 1, components: undefined };
  }
  return view.getUint16(0) === 0xffd8 ? jpegHeader(view) : undefined;
}

/** Walks the segments up to the frame's; whatever is damaged ends the walk. */
function jpegHeader(view: DataView): PictureHeader {
  const header: PictureHeader = {
    format: "jpeg",
    size: undefined,
    orientation: 1,
    components: undefined,
  };
  for (let at = 2; at + 10 < view.byteLength && view.getUint8(at) === 0xff;) {
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const length = view.getUint16(at + 2);
    // Start of frame: 0xc0 to 0xcf without the three that are tables.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      header.size = { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
      header.components = view.getUint8(at + 9);
      break;
    }
    if (marker === 0xe1) header.orientation = orientationIn(view, at + 4, length - 2);
    if (marker === 0xda || length < 2) break;
    at += 2 + length;
  }
  return header;
}

/** The tag 0x0112 of the first directory; 1 where there is none. */
function orientationIn(view: DataView, at: number, length: number): number {
  const end = Math.min(view.byteLength, at + length);
  const tiff = at + 6;
  if (tiff + 8 > end || view.getUint32(at) !== 0x45786966) return 1;
  const little = view.getUint16(tiff) === 0x4949;
  const directory = tiff + view.getUint32(tiff + 4, little);
  if (directory + 2 > end) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries && directory + 2 + (i + 1) * 12 <= end; i++) {
    const entry = directory + 2 + i * 12;
    if (view.getUint16(entry, little) !== 0x0112) continue;
    const value = view.getUint16(entry + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

function asciiAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}
