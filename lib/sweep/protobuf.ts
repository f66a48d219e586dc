/** One field of a protobuf message; what it means is for the reader to know. */
export interface Field {
  number: number;
  /** The integer of a varint or fixed field; 0 for a field of bytes. Exact up to 2^53. */
  value: number;
  /** Content of a field of bytes (text, nested messages); empty for the others. */
  bytes: Uint8Array;
}

/** The bytes are no message. */
export class ProtobufError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ProtobufError";
  }
}

const NO_BYTES = new Uint8Array(0);

/** The fields of a message in their order. Throws ProtobufError where it is malformed. */
export function* protobufFields(bytes: Uint8Array): Generator<Field> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;

  function varint(): number {
    // Two halves, since shifts in JavaScript end at 32 bits.
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) throw new ProtobufError("A number is cut off");
      const part = byte & 0x7f;
      if (shift < 28) low += part * 2 ** shift;
      else high += part * 2 ** (shift - 28);
      if (byte < 0x80) return signed(low, high);
    }
    throw new ProtobufError("A number is too long");
  }

  function take(length: number): number {
    const from = at;
    at += length;
    if (length < 0 || at > bytes.length) throw new ProtobufError("A field is cut off");
    return from;
  }

  while (at < bytes.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    if (number < 1) throw new ProtobufError("A field has no number");
    switch (key % 8) {
      case 0:
        yield { number, value: varint(), bytes: NO_BYTES };
        break;
      case 1:
        yield { number, value: view.getFloat64(take(8), true), bytes: NO_BYTES };
        break;
      case 2: {
        const length = varint();
        const from = take(length);
        yield { number, value: 0, bytes: bytes.subarray(from, at) };
        break;
      }
      case 5:
        yield { number, value: view.getFloat32(take(4), true), bytes: NO_BYTES };
        break;
      default:
        throw new ProtobufError("A field has an unknown type");
    }
  }
}

/** An int64 in two's complement from its lower 28 and upper 36 bits. */
function signed(low: number, high: number): number {
  return high >= 2 ** 35 ? (high - 2 ** 36) * 2 ** 28 + low : high * 2 ** 28 + low;
}
